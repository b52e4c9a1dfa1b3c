import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { OBJLoader } from 'three/addons/loaders/OBJLoader.js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bakedAsset, gradient, pbrAsset } from '../../../test/asset.js';
import { formatFloat } from './formatNumber.js';
import { writeObj } from './writeObj.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plinth-obj-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('writeObj', () => {
  it('is read by three.js as the very same triangles', async () => {
    const asset = bakedAsset();
    await writeObj(asset, folder);
    const group = new OBJLoader().parse(await readFile(join(folder, 'mesh.obj'), 'utf8'));
    const [object] = group.children as unknown as {
      geometry: { attributes: Record<string, { array: Float32Array }> };
    }[];
    const { position, normal, uv } = object.geometry.attributes;
    const { positions, normals, uvs, indices } = asset.mesh;
    expect(position.array.length).toBe(indices.length * 3);
    for (let h = 0; h < indices.length; h++)
      for (let k = 0; k < 3; k++) {
        expect(position.array[h * 3 + k]).toBe(positions[indices[h] * 3 + k] + 0);
        expect(normal.array[h * 3 + k]).toBe(normals![indices[h] * 3 + k] + 0);
        if (k < 2)
          expect(uv.array[h * 2 + k]).toBeCloseTo(k === 0 ? uvs![indices[h] * 2] : 1 - uvs![indices[h] * 2 + 1], 6);
      }
  });

  it('names files that exist, and no others, in the material library', async () => {
    const files = await writeObj(pbrAsset(), folder, 'thing');
    expect((await readdir(folder)).sort()).toEqual([...files].sort());
    expect(await readFile(join(folder, 'thing.obj'), 'utf8')).toContain('\nmtllib thing.mtl\n');
    const mtl = await readFile(join(folder, 'thing.mtl'), 'utf8');
    const named = [...mtl.matchAll(/^\S+ (\S+\.png)$/gm)].map((m) => m[1]);
    expect(named.sort()).toEqual(files.filter((f) => f.endsWith('.png')).sort());
    expect(mtl).toMatch(/^map_Kd thing_baseColor.png$/m);
    const rough = await sharp(join(folder, 'thing_roughness.png')).raw().toBuffer();
    expect([rough[0], rough[31 * 3], rough[31 * 3 + 1]]).toEqual([0, 247, 247]);
  });

  it('keeps the texture exactly and marks baked light as constant colour', async () => {
    await writeObj(bakedAsset(), folder);
    const pixels = await sharp(join(folder, 'mesh_baseColor.png')).ensureAlpha().raw().toBuffer();
    expect(new Uint8ClampedArray(pixels)).toEqual(gradient.data);
    expect(await readFile(join(folder, 'mesh.mtl'), 'utf8')).toMatch(/^illum 0$/m);
  });
});

describe('formatFloat', () => {
  it('gives the shortest text that reads back as the same float', () => {
    for (const v of [0, -0, 1, -2.5, 0.1, 1 / 3, 1e-12, 123456.789, 16777216, 3.4e38, Math.PI])
      expect(Math.fround(Number(formatFloat(v)))).toBe(Math.fround(v) + 0);
    expect(formatFloat(Math.fround(0.1))).toBe('0.1');
    expect(formatFloat(-0)).toBe('0');
  });
});
