import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { useStubNvml } from '../../test/stubNvml.js';
import { liveFigures } from './live.js';

const stub = useStubNvml();
const GIB = 2 ** 30;

const pidOf = (probe: unknown): number | undefined => (probe as { child?: { pid?: number } }).child?.pid;

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/State:\s+Z/.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

describe('NVIDIA through NVML', () => {
  it('gives the facts of every GPU', async () => {
    const { nvidia, others } = await stub.probe({ STUB_GPUS: '8' }).facts();
    expect(others).toEqual({ status: 'absent' });
    if (nvidia.status !== 'ok') throw new Error(JSON.stringify(nvidia));
    expect(nvidia.gpus).toHaveLength(8);
    expect(nvidia.gpus[7]).toEqual({
      vendor: 'nvidia',
      index: 7,
      name: 'NVIDIA L4',
      uuid: 'GPU-00000000-0000-0000-0000-000000000007',
      pciAddress: '0000:08:00.0',
      driver: '550.54.15',
      cuda: '12.4',
      computeCapability: '8.9',
      memoryTotal: 24 * GIB,
    });
  });

  it('gives the live figures in base units', async () => {
    const live = await liveFigures({ probe: stub.probe({ STUB_GPUS: '2', STUB_THROTTLE: '0x45' }) });
    expect(live.state).toBe('healthy');
    expect(live.gpus).toHaveLength(2);
    expect(live.gpus[1]).toEqual({
      vendor: 'nvidia',
      index: 1,
      name: 'NVIDIA L4',
      uuid: 'GPU-00000000-0000-0000-0000-000000000001',
      memory: { total: 24 * GIB, used: 2 * GIB, free: 22 * GIB },
      utilization: 0.37,
      memoryUtilization: 0.12,
      temperature: 42,
      power: 33.5,
      powerLimit: 72,
      clocks: { graphics: 2.04e9, memory: 6.251e9 },
      throttleReasons: ['software power cap', 'hardware thermal slowdown'], // bit 0, idleness, is none
      eccErrors: { corrected: 5, uncorrected: 0 },
      retiredPages: 3,
      remappedRows: { corrected: 3, uncorrected: 1, pending: false, failed: false },
      xidErrors: { count: 0, codes: [] },
      errors: [],
      state: 'healthy',
      reasons: [],
    });
  });

  it('is unknown, not healthy, with a driver but no GPU, and without a driver', async () => {
    expect(await liveFigures({ probe: stub.probe({ STUB_GPUS: '0' }) })).toMatchObject({ state: 'unknown', gpus: [] });
    const none = stub.probe({}, { nvml: join(stub.folder(), 'no-such-library.so') });
    expect(await none.facts()).toEqual({ nvidia: { status: 'absent' }, others: { status: 'absent' } });
    expect((await liveFigures({ probe: none })).state).toBe('unknown');
  });

  it('is unhealthy when every call fails, with the reason', async () => {
    const live = await liveFigures({ probe: stub.probe({ STUB_FAIL: 'all', STUB_FAIL_CODE: '18' }) });
    expect(live).toMatchObject({ state: 'unhealthy', gpus: [] });
    expect(live.reasons).toEqual(['nvmlInit_v2: library and driver versions differ: restart the machine']);
  });

  it('is unhealthy when a query fails, and still gives the other figures', async () => {
    const live = await liveFigures({
      probe: stub.probe({ STUB_FAIL: 'nvmlDeviceGetTemperature,nvmlDeviceGetPowerUsage', STUB_FAIL_CODE: '15' }),
    });
    expect(live.state).toBe('unhealthy');
    expect(live.reasons).toHaveLength(2);
    expect(live.reasons[0]).toContain('nvmlDeviceGetTemperature: the GPU is lost');
    expect(live.gpus[0].temperature).toBeUndefined();
    expect(live.gpus[0].power).toBeUndefined();
    expect(live.gpus[0].utilization).toBe(0.37);
  });

  it('is not unhealthy for queries that the device does not support', async () => {
    const all = [
      'nvmlDeviceGetTotalEccErrors',
      'nvmlDeviceGetRetiredPages',
      'nvmlDeviceGetRemappedRows',
      'nvmlDeviceGetPowerUsage',
      'nvmlDeviceGetEnforcedPowerLimit',
      'nvmlDeviceGetUtilizationRates',
      'nvmlDeviceGetClockInfo',
      'nvmlDeviceGetCurrentClocksThrottleReasons',
      'nvmlDeviceGetMemoryInfo',
      'nvmlEventSetCreate',
    ];
    const live = await liveFigures({ probe: stub.probe({ STUB_UNSUPPORTED: all.join(',') }) });
    expect(live).toMatchObject({ state: 'healthy', reasons: [] });
    const [{ memory, clocks, eccErrors, throttleReasons, temperature }] = live.gpus;
    expect({ memory, clocks, eccErrors, throttleReasons }).toEqual({});
    expect(temperature).toBe(41);
  });

  it.each([
    ['uncorrected memory errors', { STUB_ECC: '2' }, '2 uncorrected memory errors'],
    ['a row that could not be remapped', { STUB_ROWS_FAILED: '1' }, 'could not be remapped'],
    ['a hardware Xid', { STUB_XID: '79' }, 'critical error Xid 79'],
  ])('is unhealthy for %s', async (_, settings, reason) => {
    const live = await liveFigures({ probe: stub.probe({ STUB_GPUS: '2', ...settings }) });
    expect(live.state).toBe('unhealthy');
    expect(live.reasons).toEqual([expect.stringContaining(reason)]);
    expect(live.gpus.map((g) => g.state)).toEqual(['unhealthy', 'healthy']);
  });

  it("counts a program's Xid without calling the GPU unhealthy, and remembers it", async () => {
    const probe = stub.probe({ STUB_XID: '31' });
    await probe.figures();
    const live = await liveFigures({ probe });
    expect(live.state).toBe('healthy');
    expect(live.gpus[0].xidErrors).toEqual({ count: 1, codes: [31] });
  });

  it("does not hold another vendor's trouble against the adapter in use", async () => {
    const probe = stub.probe({ STUB_FAIL: 'all' });
    expect((await liveFigures({ probe, vendor: 'nvidia' })).state).toBe('unhealthy');
    expect((await liveFigures({ probe, vendor: 'amd' })).state).toBe('unknown');
  });
});

describe('a driver that hangs', () => {
  it('costs one time-out: the child is killed, and not asked again until it is gone and time has passed', async () => {
    const log = join(stub.folder(), 'calls');
    const probe = stub.probe(
      { STUB_HANG: 'nvmlDeviceGetTemperature', STUB_LOG: log },
      { timeout: 10, retryAfter: 1000 },
    );
    await probe.facts();
    const pid = pidOf(probe)!;
    expect(isRunning(pid)).toBe(true);

    let beats = 0;
    const heart = setInterval(() => beats++, 20);
    const [first, shared] = await Promise.all([liveFigures({ probe }), liveFigures({ probe })]);
    clearInterval(heart);
    expect(beats).toBeGreaterThan(20); // the event loop went on
    expect(first.state).toBe('unhealthy');
    expect(first.reasons).toEqual([
      expect.stringMatching(/did not answer within 10 s \(in nvmlDeviceGetTemperature\)/),
    ]);
    expect(shared).toEqual(first);

    const calls = readFileSync(log, 'utf8');
    for (let i = 0; i < 20; i++) expect((await liveFigures({ probe })).reasons[0]).toContain('not asked again yet');
    expect(readFileSync(log, 'utf8')).toBe(calls);
    await expect.poll(() => isRunning(pid)).toBe(false);
    await expect.poll(() => pidOf(probe)).toBeUndefined();
  });

  it('is asked again later, and believed when it answers', async () => {
    writeFileSync(stub.hangFile(), '');
    const probe = stub.probe({ STUB_HANG: 'nvmlInit_v2' }, { timeout: 10, retryAfter: 0 });
    expect((await liveFigures({ probe })).state).toBe('unhealthy');
    await expect.poll(() => pidOf(probe)).toBeUndefined();
    rmSync(stub.hangFile());
    const answer = await liveFigures({ probe });
    writeFileSync(stub.hangFile(), '');
    expect(answer.state).toBe('healthy');
    expect((await probe.facts()).nvidia.status).toBe('ok');
  });

  it('and one that crashes takes only the child with it; the next question starts another', async () => {
    const probe = stub.probe({ STUB_CRASH: 'nvmlDeviceGetPowerUsage' });
    const live = await liveFigures({ probe });
    expect(live.state).toBe('unhealthy');
    expect(live.reasons[0]).toMatch(/crashed in nvmlDeviceGetPowerUsage \(SIGABRT\)/);
    delete process.env.STUB_CRASH;
    expect((await liveFigures({ probe })).state).toBe('healthy');
  });
});

describe('the child process', () => {
  it('ends with close(), and the probe can be used again', async () => {
    const probe = stub.probe();
    await probe.figures();
    const pid = pidOf(probe)!;
    probe.close();
    await expect.poll(() => isRunning(pid)).toBe(false);
    expect((await liveFigures({ probe })).state).toBe('healthy');
  });

  it('is asked for static facts once', async () => {
    const log = join(stub.folder(), 'facts-calls');
    const probe = stub.probe({ STUB_LOG: log });
    const facts = await probe.facts();
    const calls = readFileSync(log, 'utf8');
    expect(existsSync(log)).toBe(true);
    expect(await probe.facts()).toEqual(facts);
    expect(readFileSync(log, 'utf8')).toBe(calls);
  });
});
