import { expect, test } from 'vitest';
import { useGpu } from '../../../test/gpu.js';
import { createEmptyMaterial, destroyDiffMaterial, recordMaterialMips } from '../../render/diff/index.js';
import { recordMaterialPrior } from './materialPrior.js';

const gpu = useGpu();
const SIZE = 128;

/** Texels after one pull. */
async function pulled(
  texels: Float32Array,
  shares: { smooth: number; palette: number },
  colors: number[] = [],
): Promise<Float32Array> {
  const material = createEmptyMaterial(gpu(), SIZE, SIZE);
  gpu().write(material.texels, texels);
  gpu().run((batch) => {
    recordMaterialMips(batch, gpu(), material);
    recordMaterialPrior(batch, gpu(), material, shares, colors);
  });
  const out = await gpu().readFloat32(material.texels, texels.length);
  destroyDiffMaterial(material);
  return out;
}

const texelsOf = (at: (x: number, y: number) => number[]) =>
  Float32Array.from({ length: SIZE * SIZE * 8 }, (_, i) => {
    const texel = Math.floor(i / 8);
    return at(texel % SIZE, Math.floor(texel / SIZE))[i % 8];
  });

test('a fine pattern of roughness shrinks, its mean and everything else stay', async () => {
  const before = texelsOf((x, y) => [
    0.2,
    0.4,
    0.6,
    0.9,
    0.5 + ((x >> 1) & 1 ? 0.1 : -0.1),
    y < SIZE / 2 ? 0.02 : 0,
    0.1,
    -0.1,
  ]);
  const after = await pulled(before, { smooth: 0.5, palette: 0 });
  const range = (t: Float32Array, c: number) => {
    const values = t.filter((_, i) => i % 8 === c);
    return [Math.min(...values), Math.max(...values)];
  };
  const [low, high] = range(after, 4);
  // Half of the difference of 0.1, less what the border of 0.3 takes: 0.5 · 0.1 / (1 + 1/9).
  expect(low).toBeCloseTo(0.4 + 0.045, 3);
  expect(high).toBeCloseTo(0.6 - 0.045, 3);
  for (const c of [0, 1, 2, 3, 6, 7]) expect(range(after, c)).toEqual(range(before, c));
});

test('a border between metal and paint stays nearly as it is', async () => {
  const before = texelsOf((x) => [0.5, 0.5, 0.5, 1, 0.4, x < SIZE / 2 ? 0 : 1, 0, 0]);
  const after = await pulled(before, { smooth: 0.2, palette: 0 });
  const moved = after.reduce((most, v, i) => Math.max(most, Math.abs(v - before[i])), 0);
  expect(moved).toBeGreaterThan(0);
  expect(moved).toBeLessThan(0.035);
});

test('base colour goes towards the nearest colour, the less the farther it is', async () => {
  const colors = [0.8, 0.8, 0.8, 0.1, 0.2, 0.7];
  const before = texelsOf((x) => [...(x < 64 ? [0.76, 0.8, 0.84] : [0.9, 0.1, 0.1]), 1, 0.5, 0, 0, 0]);
  const after = await pulled(before, { smooth: 0, palette: 0.5 }, colors);
  const bend = Math.cbrt;
  for (const [x, near] of [
    [3, [0.8, 0.8, 0.8]],
    [100, [0.8, 0.8, 0.8]],
  ] as const) {
    const own = [...before.subarray(x * 8, x * 8 + 3)];
    const least = near.reduce((sum, v, c) => sum + (bend(own[c]) - bend(v)) ** 2, 0);
    const share = 0.5 / (1 + least / 0.08 ** 2);
    for (let c = 0; c < 3; c++) expect(after[x * 8 + c]).toBeCloseTo(own[c] + share * (near[c] - own[c]), 4);
  }
});
