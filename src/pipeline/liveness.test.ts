/**
 * Work gives signs of life: it looks for a cancellation in every stage, and between two looks it gives the device only
 * so much to do. Time says nothing here, so what is counted is the work.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { sphereMesh } from '../../test/sphereCapture.js';
import { readCapture } from '../capture/readCapture.js';
import { cleanSurface } from '../geometry/mesh/repair/cleanSurface.js';
import { openGpu } from '../gpu/adapter/openGpu.js';
import { describeFiles } from '../quality/report/qualityJson.js';
import { reconstruct } from './reconstruct.js';

const VASE = fileURLToPath(new URL('../../examples/captures/vase-six', import.meta.url));
/** Submissions to the device between two looks. */
const MOST = 8;

/** A signal that tells of every look at it, as the worker's does. */
function watchedSignal(look: () => void): AbortSignal {
  const signal = AbortSignal.any([new AbortController().signal]);
  Object.defineProperty(signal, 'aborted', {
    get() {
      look();
      return false;
    },
  });
  return signal;
}

test('a reconstruction looks for a cancellation in every stage, before the device has much to do', async () => {
  const output = await mkdtemp(join(tmpdir(), 'plinth-alive-'));
  const gpu = await openGpu();
  const looks = new Map<string, number>();
  const most = new Map<string, number>();
  let stage = 'read';
  let submitted = 0;
  const look = (): void => {
    looks.set(stage, (looks.get(stage) ?? 0) + 1);
    submitted = 0;
  };
  const { queue } = gpu.device;
  const { submit } = queue;
  queue.submit = (buffers) => {
    most.set(stage, Math.max(most.get(stage) ?? 0, ++submitted));
    return submit.call(queue, buffers);
  };
  try {
    const signal = watchedSignal(look);
    const seen: string[] = [];
    const capture = await readCapture(VASE, { signal, onProgress: (_, detail) => seen.push(detail) });
    // Each picture, mask and depth map is told, and looked at before.
    expect(seen.length).toBeGreaterThanOrEqual(capture.views.length);
    expect(looks.get('read')).toBeGreaterThanOrEqual(seen.length);
    await reconstruct(capture, {
      output: join(output, 'result'),
      method: 'fusion',
      preset: 'draft',
      options: { maxResolution: 48, textureSize: 256, triangles: 2000 },
      formats: ['glb'],
      gpu,
      signal,
      onProgress: (event) => {
        stage = event.stage;
      },
    });
    for (const [name, count] of most) expect([name, count <= MOST, count]).toEqual([name, true, count]);
    for (const name of ['load', 'fuse', 'clean', 'texture', 'export', 'previews', 'assess', 'report'])
      expect([name, (looks.get(name) ?? 0) >= 2]).toEqual([name, true]);
  } finally {
    gpu.dispose();
    await rm(output, { recursive: true, force: true });
  }
});

test('cleaning a surface tells of every step, and smoothing of every round', async () => {
  const ticks: number[] = [];
  const smoothing = 12;
  const options = { triangles: 500, smoothing, fillHoles: true };
  await cleanSurface({ mesh: sphereMesh(48), options }, (fraction) => ticks.push(fraction));
  // Specks, inner shells, holes; the rounds; smoothed; welded and simplified.
  expect(ticks.length).toBeGreaterThanOrEqual(3 + smoothing + 1 + 2);
  expect(ticks).toEqual([...ticks].sort((a, b) => a - b));
});

test('files are described with a look at every piece that is read', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'plinth-alive-'));
  try {
    await writeFile(join(folder, 'asset.glb'), Buffer.alloc(2 ** 20));
    let looks = 0;
    const signal = watchedSignal(() => {
      looks++;
    });
    const [file] = await describeFiles(folder, signal);
    expect(file.bytes).toBe(2 ** 20);
    expect(looks).toBeGreaterThanOrEqual(16);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
