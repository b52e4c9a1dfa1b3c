import { describe, expect, it } from 'vitest';
import { openGpu } from '../adapter/openGpu.js';
import { recordScan } from '../primitives/scan.js';
import { runSelfTest } from '../selfTest/selfTest.js';
import type { Gpu } from './gpu.js';
import { formatProfile, kernelTotals, type Profile, profileTrace } from './profile.js';

/** Scans `count` times in one batch, each with a copy behind it, in two stages. */
async function work(gpu: Gpu, count: number): Promise<number[]> {
  const items = gpu.upload(new Uint32Array([1, 1, 1, 1]));
  const copy = gpu.createBuffer(16);
  gpu.profiler?.stage('first');
  gpu.run((batch) => {
    for (let i = 0; i < count; i++) {
      recordScan(batch, items, 2, { inclusive: true });
      batch.copy(items, 0, copy, 0, 16);
    }
  });
  await gpu.sync();
  gpu.profiler?.stage('second');
  gpu.run((batch) => {
    for (let i = 0; i < 3; i++) recordScan(batch, items, 2, { inclusive: true });
  }, 'three scans');
  const result = [...(await gpu.readUint32(items, 4))];
  for (const buffer of [items, copy]) buffer.destroy();
  return result;
}

/** Fails where events of a track overlap without one lying in the other, or a time is no time. */
function checkTrace(profile: Profile): void {
  const { traceEvents } = JSON.parse(JSON.stringify(profileTrace(profile))) as ReturnType<typeof profileTrace>;
  const tracks = new Map<number, { ts: number; end: number }[]>();
  for (const event of traceEvents) {
    expect(event.name).not.toBe('');
    if (event.ph === 'M') continue;
    expect(event.ph).toBe('X');
    expect(event.ts).toBeGreaterThanOrEqual(0);
    expect(event.dur).toBeGreaterThanOrEqual(0);
    const track = tracks.get(event.tid) ?? [];
    track.push({ ts: event.ts!, end: event.ts! + event.dur! });
    tracks.set(event.tid, track);
  }
  expect([...tracks.keys()].sort()).toEqual([1, 2]);
  for (const track of tracks.values()) {
    track.sort((a, b) => a.ts - b.ts || b.end - a.end);
    const open: number[] = [];
    for (const { ts, end } of track) {
      while (open.length > 0 && open[open.length - 1] <= ts + 1e-3) open.pop();
      if (open.length > 0) expect(end).toBeLessThanOrEqual(open[open.length - 1] + 1e-3);
      open.push(end);
    }
  }
  const named = traceEvents.filter((e) => e.ph === 'M').map((e) => e.name);
  expect(named).toEqual(['process_name', 'thread_name', 'thread_name']);
}

describe('a profile', () => {
  it('has the time of every pass, over more than one set of queries, and leaves results as they are', async () => {
    const plain = await openGpu();
    const expected = await work(plain, 700);
    expect(plain.profiler).toBeUndefined();
    plain.dispose();

    const gpu = await openGpu({ profile: true });
    expect(await work(gpu, 700)).toEqual(expected);
    const profile = await gpu.profiler!.take();
    expect(profile.clock).toBe(gpu.has('timestamp-query') ? 'device' : 'wall');
    expect(profile.lost).toBe(0);
    expect(profile.stages.map((s) => s.name)).toEqual(['first', 'second']);
    if (profile.clock === 'device') {
      const calls = (stage: string) => profile.spans.filter((s) => s.stage === stage).map((s) => s.calls);
      expect(calls('first')).toEqual(new Array(700).fill(1));
      expect(calls('second')).toEqual([3]); // dispatches of one kernel in a row share a pass
      expect(new Set(profile.spans.map((s) => s.name)).size).toBe(1);
      expect(kernelTotals(profile)).toMatchObject([{ name: profile.spans[0].name, calls: 703 }]);
      expect(kernelTotals(profile)[0].seconds).toBeGreaterThan(0);
    }
    for (const span of profile.spans) {
      expect(span.start).toBeGreaterThanOrEqual(0);
      expect(span.start + span.seconds).toBeLessThan(profile.seconds);
    }
    checkTrace(profile);
    expect((await gpu.profiler!.take()).spans).toEqual([]);
    gpu.dispose();
  });

  it('names render passes too', async () => {
    const gpu = await openGpu({ profile: true });
    expect(await runSelfTest(gpu, { quick: true })).toMatchObject({ ok: true });
    const profile = await gpu.profiler!.take();
    gpu.dispose();
    if (profile.clock === 'device') {
      expect(profile.spans).toContainEqual(expect.objectContaining({ name: 'self-test-raster', kind: 'render' }));
    }
    expect(formatProfile(profile)).toContain('self-test-raster');
  });

  it('says in words that it has wall times of submissions where the adapter has no timestamps', async () => {
    process.env.PLINTH_DISABLE_FEATURES = 'timestamp-query';
    const gpu = await openGpu({ profile: true }).finally(() => delete process.env.PLINTH_DISABLE_FEATURES);
    await work(gpu, 5);
    const profile = await gpu.profiler!.take();
    gpu.dispose();
    expect(profile.clock).toBe('wall');
    expect(profile.spans.map((s) => s.name)).toEqual([expect.stringMatching(/scan/), 'three scans']);
    expect(profile.spans.map((s) => s.calls)).toEqual([5, 1]);
    expect(formatProfile(profile)).toContain('This adapter has no timestamps: GPU times are wall times');
    checkTrace(profile);
  });

  it('counts what a lost device took with it', async () => {
    const gpu = await openGpu({ profile: true });
    const items = gpu.createBuffer(1 << 22);
    gpu.run((batch) => recordScan(batch, items, 1 << 20));
    gpu.device.destroy();
    const profile = await gpu.profiler!.take();
    expect(profile.lost + profile.spans.length).toBeGreaterThan(0);
    gpu.dispose();
  });
});

describe('the table', () => {
  const span = (name: string, stage: string | undefined, start: number, seconds: number, calls = 1) =>
    ({ name, kind: 'compute', stage, start, seconds, calls }) as const;
  const profile: Profile = {
    device: 'A GPU',
    clock: 'device',
    seconds: 4,
    stages: [
      { name: 'fuse', start: 0, seconds: 1 },
      { name: 'texture', start: 1, seconds: 2 },
    ],
    spans: [
      span('small', 'fuse', 0.5, 0.0005, 5),
      span('large', 'texture', 1, 0.75),
      span('large', undefined, 3, 0.25),
    ],
    lost: 0,
  };

  it('has stages and kernels, the longest first, with shares and calls', () => {
    expect(formatProfile(profile).split('\n')).toEqual([
      'Profile on A GPU: 4.00 s, the GPU at work for 1.00 s of them',
      'GPU times are timestamps that the device wrote around each pass.',
      '',
      '  stage      wall        GPU   share',
      '  texture  2.00 s  750.00 ms  75.0 %',
      '  fuse     1.00 s   500.0 µs   0.0 %',
      '  (none)           250.00 ms  25.0 %',
      '',
      '  kernel or pass       GPU    share  calls       each',
      '  large             1.00 s  100.0 %      2  500.00 ms',
      '  small           500.0 µs    0.0 %      5   100.0 µs',
    ]);
  });

  it('goes with a trace in which passes of one track do not overlap', () => {
    checkTrace(profile);
    checkTrace({
      ...profile,
      spans: [span('a', 'fuse', 0, 1), span('b', 'fuse', 0.5, 0.1), span('c', 'fuse', 0.9, 1)],
    });
  });
});
