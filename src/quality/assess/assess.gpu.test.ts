import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { useGpu } from '../../../test/gpu.js';
import { sphereAsset, sphereCapture } from '../../../test/sphereCapture.js';
import { writeGlb } from '../../asset/write/writeGlb.js';
import { assess } from './assess.js';

const gpu = useGpu();
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plinth-assess-gpu-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('a true asset, exported and read back, lands on its pictures to the pixel', async () => {
  const path = join(folder, 'asset.glb');
  await writeGlb(sphereAsset(512), path);
  const result = await assess(gpu(), path, sphereCapture({ views: 3, size: 256 }));
  expect(result.status).toBe('normal');
  // What is left is the outline: pictures have one ray per pixel, renders are antialiased; half a pixel of shift would
  // cost 5 dB.
  expect(result.totals.input?.psnrInMask?.worst).toBeGreaterThan(30);
  expect(result.totals.input?.maskIou?.worst).toBeGreaterThan(0.985);
  expect(result.totals.input?.depthMae?.worst).toBeLessThan(0.005);
  for (const view of result.views) {
    expect(Math.hypot(...view.mask!.shift!)).toBeLessThan(0.1);
    expect(view.colour?.gain).toBeCloseTo(1, 2);
  }
  expect(result.mesh).toMatchObject({ watertight: true, components: 1, inwardTriangles: 0 });
});

test('a file that is no asset is refused with a coded error', async () => {
  await expect(assess(gpu(), join(folder, 'none.glb'), sphereCapture({ views: 2 }))).rejects.toMatchObject({
    code: 'ASSET_UNREADABLE',
  });
});
