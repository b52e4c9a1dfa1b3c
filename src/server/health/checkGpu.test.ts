import { describe, expect, it } from 'vitest';
import { useStubNvml } from '../../../test/stubNvml.js';
import type { Logger } from '../../core/context.js';
import { silentLogger } from '../../core/context.js';
import { listAdapters } from '../../gpu/adapter/adapter.js';
import { openGpu } from '../../gpu/adapter/openGpu.js';
import { machineFacts } from '../../gpu/adapter/system.js';
import type { AdapterFacts } from '../../gpu/runtime/adapterFacts.js';
import type { GpuPolicy } from '../../health/policy.js';
import { type ValidationOptions, validateGpu } from '../../health/validate.js';
import { type Settings, type SettingsInput, settingsSchema } from '../settings.js';
import { checkGpu } from './checkGpu.js';
import { gpuHealth } from './gpuHealth.js';

const stub = useStubNvml();

const settingsWith = (input: SettingsInput): Settings => settingsSchema.parse(input);

/** Options with the software adapter in the part of itself and of one GPU. */
async function machine(): Promise<ValidationOptions> {
  const software = (await listAdapters())[0];
  const card: AdapterFacts = { ...software, index: 1, kind: 'discrete', vendor: 'nvidia', device: 'NVIDIA L4' };
  return {
    adapters: [software, card],
    machine: { ...machineFacts(), container: false, pciGpus: [], nvidiaDriver: undefined },
    open: () => openGpu(),
  };
}

function recorder(): { log: Logger; lines: string[] } {
  const lines: string[] = [];
  const keep = (_: object, message?: string): void => {
    lines.push(message ?? '');
  };
  return { log: { ...silentLogger, warn: keep, info: keep }, lines };
}

describe('the check of the GPU before a service starts', () => {
  it('binds workers to the adapter that was validated, and hands its facts and live figures to health', async () => {
    const settings = settingsWith({ gpu: { policy: 'required', skipSlowChecks: true } });
    const probe = stub.probe();
    const { log, lines } = recorder();
    const checked = await checkGpu(settings, log, { ...(await machine()), probe });
    expect(checked.settings.worker.adapters).toEqual(['1']);
    expect(lines[0]).toContain('SLOW GPU CHECKS SKIPPED');
    expect(checked.health.facts()).toMatchObject({
      validation: [
        { mode: 'gpu', adapter: { device: 'NVIDIA L4' }, gpu: { driver: '550.54.15' }, selfTest: { ok: true } },
      ],
    });
    const [gpu] = await checked.health.live(3000);
    expect(gpu).toMatchObject({ vendor: 'nvidia', memoryTotalBytes: 24 * 2 ** 30 });
    expect(gpu.memoryUsedBytes! + gpu.memoryFreeBytes!).toBeLessThanOrEqual(gpu.memoryTotalBytes!);
    expect(gpu.error).toBeUndefined();
  });

  it(
    'calls a GPU that is in use ill when it reports errors or its interface fails, and not one that no worker ' +
      'uses',
    async () => {
      const policy: GpuPolicy = { gpu: 'preferred', skipSlowChecks: true };
      const used = await validateGpu(policy, { ...(await machine()), probe: stub.probe() });
      const unused = await validateGpu({ ...policy, gpu: 'off' }, { ...(await machine()), probe: stub.probe() });
      const faulty = stub.probe({ STUB_ECC: '3' });
      expect((await gpuHealth([used], faulty).live(3000))[0].error).toContain('3 uncorrected memory errors');
      expect((await gpuHealth([unused], faulty).live(3000))[0]).toMatchObject({ eccErrors: 3, error: undefined });
      const broken = stub.probe({ STUB_FAIL: 'all' });
      await expect(gpuHealth([used], broken).live(3000)).rejects.toThrow('unknown error');
      expect(await gpuHealth([unused], broken).live(3000)).toEqual([]);
    },
  );

  it('keeps workers off a GPU that was found unfit', async () => {
    const settings = settingsWith({ gpu: { policy: 'preferred', skipSlowChecks: true } });
    const { log, lines } = recorder();
    const checked = await checkGpu(settings, log, { ...(await machine()), probe: stub.probe({ STUB_ECC: '3' }) });
    expect(checked.settings.worker.adapters).toEqual(['software']);
    expect(lines.join('\n')).toContain('NO GPU IN USE');
  });

  it('leaves validation out where no jobs are run, unless a GPU is required', async () => {
    const { log, lines } = recorder();
    const apart = await checkGpu(settingsWith({ worker: { adapters: [] } }), log, { probe: stub.probe() });
    expect(apart.settings.worker.adapters).toEqual([]);
    expect(lines).toEqual(['GPU validation left out: this process runs no jobs']);
    const required = settingsWith({ worker: { adapters: [] }, gpu: { policy: 'required' } });
    const bare = { ...(await machine()), adapters: [(await listAdapters())[0]], probe: stub.probe({ STUB_GPUS: '0' }) };
    await expect(checkGpu(required, silentLogger, bare)).rejects.toMatchObject({ code: 'GPU_REQUIRED_MISSING' });
  });
});
