import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { useGpu } from '../../../test/gpu.js';
import { box, picture } from '../../../test/texturedShapes.js';
import type { Mesh } from '../../core/mesh.js';
import { previewFolder } from '../../platform/previewFolder.js';
import { writeMeshPreview } from './meshPreview.js';

const gpu = useGpu();
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plinth-preview-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A tetrahedron around the origin, faces outwards. */
const mesh: Mesh = {
  positions: new Float32Array([1, 1, 1, -1, -1, 1, -1, 1, -1, 1, -1, -1]),
  indices: new Uint32Array([0, 2, 1, 0, 1, 3, 0, 3, 2, 1, 2, 3]),
};

async function pixels(path: string): Promise<{ at(x: number, y: number): number[]; width: number }> {
  const { data, info } = await sharp(path).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  return {
    width: info.width,
    at: (x, y) => [...data.subarray((y * info.width + x) * 4, (y * info.width + x) * 4 + 4)],
  };
}

test('a bare mesh is drawn as grey clay in the middle of a transparent picture', async () => {
  const path = await writeMeshPreview(mesh, 'bare', { gpu: gpu(), showPreview: previewFolder(join(folder, 'made')) });
  const { at, width } = await pixels(path!);
  const [r, g, b, alpha] = at(width / 2, width / 2);
  expect(alpha).toBe(255);
  expect(Math.max(r, g, b) - Math.min(r, g, b)).toBeLessThan(40);
  expect(r).toBeGreaterThan(20);
  expect(at(2, 2)[3]).toBe(0);
});

test('an asset is drawn with its texture', async () => {
  const asset = {
    mesh: box([1, 1, 1], 6, 1),
    material: { kind: 'baked' as const, baseColor: picture(6, 4, () => [200, 10, 10]) },
  };
  const path = await writeMeshPreview(asset, 'textured', { gpu: gpu(), showPreview: previewFolder(folder) });
  const { at, width } = await pixels(path!);
  const [r, g, b] = at(width / 2, width / 2);
  expect(Math.max(Math.abs(r - 200), Math.abs(g - 10), Math.abs(b - 10))).toBeLessThan(3);
});

test('nothing is drawn where nobody watches', async () => {
  expect(await writeMeshPreview(mesh, 'unseen', { gpu: gpu() })).toBeUndefined();
});
