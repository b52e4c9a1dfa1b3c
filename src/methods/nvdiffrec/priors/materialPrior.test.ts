import { expect, test } from 'vitest';
import { useGpu } from '../../../../test/gpu.js';
import { createEmptyMaterial, destroyDiffMaterial, recordMaterialMips } from '../../../render/diff/shade/material.js';
import { createClusters } from '../step/clusters.js';
import { recordMaterialPrior } from './materialPrior.js';

const gpu = useGpu();
const SIZE = 128;

/** Texels after one pull. */
async function pulled(
  texels: Float32Array,
  shares: { smooth?: number; gloss?: number; palette?: number },
  colors: number[] = [],
  moment2?: Float32Array,
): Promise<Float32Array> {
  const material = createEmptyMaterial(gpu(), SIZE, SIZE);
  gpu().write(material.texels, texels);
  if (moment2) gpu().write(material.moment2, moment2);
  const clusters = createClusters(gpu(), colors);
  gpu().run((batch) => {
    recordMaterialMips(batch, material);
    recordMaterialPrior(batch, material, clusters, { smooth: 0, gloss: 0, palette: 0, ...shares });
  });
  const out = await gpu().readFloat32(material.texels, texels.length);
  destroyDiffMaterial(material);
  clusters.buffer.destroy();
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
  const after = await pulled(before, { smooth: 0.5 }, [0.8, 0.8, 0.8, 0.1, 0.2, 0.7]);
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
  const after = await pulled(before, { smooth: 0.2 });
  const moved = after.reduce((most, v, i) => Math.max(most, Math.abs(v - before[i])), 0);
  expect(moved).toBeGreaterThan(0);
  expect(moved).toBeLessThan(0.035);
});

test('base colour goes towards the nearest colour, the less the farther it is', async () => {
  const colors = [0.8, 0.8, 0.8, 0.1, 0.2, 0.7];
  const before = texelsOf((x) => [...(x < 64 ? [0.76, 0.8, 0.84] : [0.9, 0.1, 0.1]), 1, 0.5, 0, 0, 0]);
  const after = await pulled(before, { palette: 0.5 }, colors);
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

test(
  'roughness and metallic go towards the mean over their colour, weighed by how strongly pictures ' + 'asked',
  async () => {
    const colors = [0.8, 0.8, 0.8, 0.1, 0.2, 0.7];
    // Left: the first colour, in rows of roughness 0.4 and 0.6; right: the second one, never asked.
    const before = texelsOf((x, y) => [
      ...colors.slice(x < 64 ? 0 : 3, x < 64 ? 3 : 6),
      1,
      y % 2 ? 0.6 : 0.4,
      y % 2 ? 0 : 0.2,
      0.1,
      0.2,
    ]);
    // Adam's second moments: the first kind of row asked three times as strongly for roughness, and alone for metallic.
    const moment2 = texelsOf((x, y) => [
      x < 64 ? 1 : 0,
      0,
      0,
      0,
      x < 64 ? (y % 2 ? 1 : 9) : 0,
      x < 64 && y % 2 === 0 ? 4 : 0,
      0,
      0,
    ]);
    const after = await pulled(before, { gloss: 0.5 }, colors, moment2);
    const step = (d: number) => (0.5 * d) / (1 + (d / 0.3) ** 2);
    const [roughness, metallic] = [(3 * 0.4 + 0.6) / 4, 0.2];
    for (const y of [6, 7]) {
      const at = (y * SIZE + 20) * 8;
      expect(after[at + 4]).toBeCloseTo(before[at + 4] + step(roughness - before[at + 4]), 4);
      expect(after[at + 5]).toBeCloseTo(before[at + 5] + step(metallic - before[at + 5]), 4);
      for (const c of [0, 1, 2, 3, 6, 7]) expect(after[at + c]).toBe(before[at + c]);
      const right = (y * SIZE + 90) * 8;
      expect([...after.subarray(right, right + 8)]).toEqual([...before.subarray(right, right + 8)]);
    }
  },
);

test('the colours follow their texels', async () => {
  // All texels of the second colour are a little brighter than it, and half of them were asked twice as strongly and
  // are redder.
  const colors = [0.1, 0.2, 0.7, 0.6, 0.6, 0.6];
  const before = texelsOf((x) => [x < 64 ? 0.64 : 0.62, 0.62, 0.62, 1, 0.5, 0, 0, 0]);
  const moment2 = texelsOf((x) => [x < 64 ? 4 : 1, 0, 0, 0, 0, 0, 0, 0]);
  const likeness = (red: number) => {
    const d = [red, 0.62, 0.62].reduce((sum, v) => sum + (Math.cbrt(v) - Math.cbrt(0.6)) ** 2, 0);
    return 1 / (1 + d / 0.08 ** 2);
  };
  const weights = [2 * likeness(0.64), likeness(0.62)];
  const mean = (weights[0] * 0.64 + weights[1] * 0.62) / (weights[0] + weights[1]);
  const after = await pulled(before, { palette: 0.5 }, colors, moment2);
  for (const x of [10, 100]) {
    const own = before[x * 8];
    const d = (Math.cbrt(own) - Math.cbrt(mean)) ** 2;
    expect(after[x * 8]).toBeCloseTo(own + (0.5 / (1 + d / 0.08 ** 2)) * (mean - own), 4);
    expect(after[x * 8 + 1]).toBeCloseTo(0.62, 4);
  }
});
