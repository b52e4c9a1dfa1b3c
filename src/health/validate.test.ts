import { describe, expect, it } from 'vitest';
import { useStubNvml } from '../../test/stubNvml.js';
import type { Logger } from '../core/context.js';
import { silentLogger } from '../core/context.js';
import { PlinthError } from '../core/errors.js';
import { listAdapters } from '../gpu/adapter/adapter.js';
import { openGpu } from '../gpu/adapter/openGpu.js';
import { type MachineFacts, machineFacts } from '../gpu/adapter/system.js';
import type { AdapterFacts } from '../gpu/runtime/adapterFacts.js';
import type { GpuPolicy } from './policy.js';
import { type ValidationOptions, validateGpu } from './validate.js';

const stub = useStubNvml();
const GIB = 2 ** 30;

const software = async (): Promise<AdapterFacts> => (await listAdapters())[0];

/** The software adapter under a GPU's name. */
const card = async (changes: Partial<AdapterFacts> = {}): Promise<AdapterFacts> => ({
  ...(await software()),
  index: 1,
  kind: 'discrete',
  vendor: 'nvidia',
  device: 'NVIDIA L4',
  memory: undefined,
  ...changes,
});

const bare: MachineFacts = { ...machineFacts(), container: false, pciGpus: [], nvidiaDriver: undefined };

/** Validates without the slow checks, on stand-ins. */
async function validate(
  policy: GpuPolicy,
  options: ValidationOptions = {},
): Promise<Awaited<ReturnType<typeof validateGpu>>> {
  return validateGpu(
    { skipSlowChecks: true, ...policy },
    {
      machine: bare,
      open: () => openGpu(),
      adapters: [await software(), await card()],
      ...options,
    },
  );
}

const violation = async (policy: GpuPolicy, options: ValidationOptions): Promise<PlinthError> => {
  const error = await validate(policy, options).then(
    () => undefined,
    (e: unknown) => e,
  );
  if (!(error instanceof PlinthError)) throw new Error(`no violation: ${error}`);
  expect(error.found).toBeTruthy();
  expect(error.expected).toBeTruthy();
  expect(error.remedy).toBeTruthy();
  return error;
};

describe('a required GPU', () => {
  it('passes with enough memory, a healthy driver and right numbers; static facts are in the report', async () => {
    const report = await validate({ gpu: 'required' }, { probe: stub.probe() });
    expect(report).toMatchObject({
      mode: 'gpu',
      state: 'healthy',
      adapter: { device: 'NVIDIA L4' },
      facts: { uuid: expect.any(String), driver: '550.54.15', memoryTotal: 24 * GIB },
      selfTest: { ok: true },
      skipped: ['allocation', 'full-self-test'],
    });
    expect(report.warnings.map((w) => w.code)).toEqual(['SLOW_CHECKS_SKIPPED']);
  });

  it('passes with eight GPUs', async () => {
    const report = await validate({ gpu: 'required' }, { probe: stub.probe({ STUB_GPUS: '8' }) });
    expect(report.vendors.nvidia).toMatchObject({ status: 'ok', gpus: { length: 8 } });
  });

  it('that is missing ends with exit code 10, also where the driver sees GPUs that Vulkan does not', async () => {
    const adapters = [await software()];
    const none = await violation({ gpu: 'required' }, { adapters, probe: stub.probe({ STUB_GPUS: '0' }) });
    expect(none).toMatchObject({ code: 'GPU_REQUIRED_MISSING', kind: 'config', exitCode: 10 });
    expect(none.found).toContain('llvmpipe');
    const machine = { ...bare, container: true };
    const hidden = await violation({ gpu: 'required' }, { adapters, machine, probe: stub.probe({ STUB_GPUS: '2' }) });
    expect(hidden.found).toContain('the driver sees NVIDIA L4 and 1 more (driver 550.54.15), but Vulkan offers no GPU');
    expect(hidden.remedy).toContain('NVIDIA_DRIVER_CAPABILITIES=compute,utility,graphics');
  });

  it('that is missing names the driver and container toolkit where those are at fault', async () => {
    const adapters = [await software()];
    const probe = stub.probe({ STUB_FAIL: 'all', STUB_FAIL_CODE: '9' });
    const pciGpus = [{ vendor: 'nvidia', address: '0000:01:00.0' }];
    const noDriver = await violation({ gpu: 'required' }, { adapters, probe, machine: { ...bare, pciGpus } });
    expect(noDriver.found).toContain('the NVIDIA kernel driver is not loaded');
    expect(noDriver.remedy).toContain('Install the driver on the host');
    const machine = { ...bare, pciGpus, nvidiaDriver: '550.54.15', nvidiaDevice: false, container: true };
    expect((await violation({ gpu: 'required' }, { adapters, probe, machine })).remedy).toContain('Container Toolkit');
  });

  it('with too little memory ends with exit code 13; the default demand is 12 GiB', async () => {
    const probe = stub.probe({ STUB_MEMORY: String(8 * GIB) });
    const error = await violation({ gpu: 'required' }, { probe });
    expect(error).toMatchObject({ code: 'GPU_MEMORY_TOO_SMALL', kind: 'config', exitCode: 13 });
    expect(error.message).toContain('8.0 GiB');
    expect(error.message).toContain('12.0 GiB');
    expect((await validate({ gpu: 'required', minimumMemory: 8 * GIB }, { probe })).mode).toBe('gpu');
  });

  it('with unknown memory is refused unless no memory is demanded; an unknown state is never healthy', async () => {
    const probe = stub.probe({}, { nvml: '/nowhere/libnvidia-ml.so.1' });
    expect((await violation({ gpu: 'required' }, { probe })).code).toBe('GPU_MEMORY_TOO_SMALL');
    const report = await validate({ gpu: 'required', minimumMemory: 0 }, { probe });
    expect(report.state).toBe('unknown');
    expect(report.warnings.map((w) => w.code)).toContain('GPU_STATE_UNKNOWN');
  });

  it('of a vendor that is not allowed ends with exit code 12', async () => {
    const error = await violation({ gpu: 'required', vendors: ['amd', 'intel'] }, { probe: stub.probe() });
    expect(error).toMatchObject({ code: 'GPU_VENDOR_REFUSED', exitCode: 12 });
    expect(error.found).toContain('NVIDIA L4 (nvidia)');
    expect((await validate({ gpu: 'required', vendors: ['NVIDIA'] }, { probe: stub.probe() })).mode).toBe('gpu');
  });

  it('with a driver that fails, reports errors or hangs ends with exit code 14', async () => {
    for (const [settings, options, words] of [
      [{ STUB_FAIL: 'all' }, {}, 'unknown error'],
      [{ STUB_ECC: '1' }, {}, '1 uncorrected memory errors'],
      [{ STUB_HANG: 'nvmlDeviceGetPowerUsage' }, { timeout: 1 }, 'did not answer within 1 s'],
    ] as const) {
      const probe = stub.probe(settings, options);
      const error = await violation({ gpu: 'required', minimumMemory: 0 }, { probe });
      expect(error).toMatchObject({ code: 'GPU_UNHEALTHY', exitCode: 14 });
      expect(error.found).toContain(words);
      probe.close();
      for (const name of Object.keys(settings)) delete process.env[name];
    }
  });

  it('that computes wrong ends with exit code 16, and its device is closed', async () => {
    const own = await openGpu();
    own.read = async (_, __, length = 4) => new ArrayBuffer(length);
    const error = await violation({ gpu: 'required' }, { probe: stub.probe(), open: async () => own });
    expect(error).toMatchObject({ code: 'GPU_SELF_TEST_FAILED', exitCode: 16 });
    await expect(own.device.lost).resolves.toMatchObject({ reason: 'destroyed' });
  });

  it(
    'can be stood in for by the software adapter where that is allowed, and only where there is no GPU at ' + 'all',
    async () => {
      const policy: GpuPolicy = { gpu: 'required', allowSoftware: true };
      const machine = { ...machineFacts(), memory: 16 * GIB };
      const none = { adapters: [await software()], probe: stub.probe({ STUB_GPUS: '0' }) };
      expect((await validate(policy, { ...none, machine })).mode).toBe('software');
      // It works in the machine's memory, which must do for what is demanded of a GPU.
      const small = { ...none, machine: { ...machine, memory: 8 * GIB } };
      expect(await violation(policy, small)).toMatchObject({
        code: 'GPU_MEMORY_TOO_SMALL',
        found: expect.stringContaining('8.0 GiB'),
      });
      expect((await validate({ ...policy, minimumMemory: 4 * GIB }, small)).mode).toBe('software');
      const probe = stub.probe({ STUB_MEMORY: String(GIB), STUB_GPUS: '1' });
      expect((await violation(policy, { probe })).code).toBe('GPU_MEMORY_TOO_SMALL');
    },
  );
});

describe('a preferred GPU', () => {
  it('is used where it is fit', async () => {
    expect((await validate({ gpu: 'preferred' }, { probe: stub.probe() })).mode).toBe('gpu');
  });

  it('gives way to the software adapter with a loud warning that carries code and remedy', async () => {
    const lines: string[] = [];
    const log: Logger = { ...silentLogger, warn: (_, message) => lines.push(message ?? '') };
    const report = await validate({ gpu: 'preferred' }, { log, probe: stub.probe({ STUB_ECC: '7' }) });
    expect(report).toMatchObject({ mode: 'software', adapter: { kind: 'software' }, state: 'unknown' });
    expect(report.warnings.at(-1)).toMatchObject({ code: 'GPU_UNHEALTHY', remedy: expect.any(String) });
    expect(lines.join('\n')).toMatch(/NO GPU IN USE: .*7 uncorrected memory errors/);
  });

  it('ends with the violation where the software adapter is forbidden, and coded where there is none', async () => {
    const probe = stub.probe({ STUB_GPUS: '0' });
    const adapters = [await software()];
    const forbidden = await violation({ gpu: 'preferred', allowSoftware: false }, { probe, adapters });
    expect(forbidden.code).toBe('GPU_REQUIRED_MISSING');
    expect((await violation({ gpu: 'preferred' }, { probe, adapters: [] })).code).toBe('GPU_NO_ADAPTER');
  });
});

describe('without a GPU', () => {
  it('the software adapter is used without a warning, even where there is a GPU', async () => {
    const report = await validate({ gpu: 'off' }, { probe: stub.probe() });
    expect(report).toMatchObject({ mode: 'software', state: 'unknown' });
    expect(report.warnings.map((w) => w.code)).toEqual(['SLOW_CHECKS_SKIPPED']);
  });

  it('and without leave to use the software adapter, the policy is refused with exit code 11', async () => {
    const error = await violation({ gpu: 'off', allowSoftware: false }, { probe: stub.probe() });
    expect(error).toMatchObject({ code: 'GPU_SOFTWARE_REFUSED', exitCode: 11 });
  });
});

describe('the slow checks', () => {
  it('allocate memory for real and run the full self-test', async () => {
    const report = await validateGpu({ gpu: 'off' }, { probe: stub.probe(), workingMemory: 64 * 2 ** 20 });
    expect(report).toMatchObject({ mode: 'software', allocated: 64 * 2 ** 20, skipped: [], warnings: [] });
    expect(report.selfTest.checks.find((c) => c.name === 'matmul')?.message).toContain('512');
  });
});
