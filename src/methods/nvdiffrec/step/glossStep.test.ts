import { expect, test } from 'vitest';
import { useGpu } from '../../../../test/gpu.js';
import {
  createEmptyMaterial,
  destroyDiffMaterial,
  pyramidLayout,
  recordMaterialMips,
} from '../../../render/diff/shade/material.js';
import { CLUSTER_FLOATS, createClusters } from './clusters.js';
import { recordGlossStep } from './glossStep.js';

const gpu = useGpu();
const SIZE = 32;
const SCALE = 2 ** 12;

test('texels of one colour move together, against the sum of their gradients over all levels', async () => {
  const colors = [0.8, 0.8, 0.8, 0.1, 0.2, 0.7];
  const material = createEmptyMaterial(gpu(), SIZE, SIZE);
  // Left the first colour, right the second, and one odd colour that is like none.
  const odd = 5 * SIZE + 3;
  const texels = Float32Array.from({ length: SIZE * SIZE * 8 }, (_, i) => {
    const texel = i >> 3;
    const color = texel === odd ? [0.9, 0.05, 0.05] : colors.slice(texel % SIZE < 16 ? 0 : 3);
    return [color[0], color[1], color[2], 1, 0.5, 0.3, 0.1, -0.1][i % 8];
  });
  gpu().write(material.texels, texels);
  const { texelCount } = pyramidLayout(SIZE, SIZE);
  gpu().run((batch) => recordMaterialMips(batch, material));
  const all = await gpu().readFloat32(material.texels, texelCount * 8);
  // Loud in few places, quiet and contrary elsewhere; other channels must not count.
  const fixed = Int32Array.from({ length: texelCount * 8 }, (_, i) => {
    const texel = i >> 3;
    if (i % 8 === 4) return texel % 97 === 0 ? 40 * SCALE : -SCALE / 8;
    return i % 8 === 5 ? -SCALE / 4 : 12_345;
  });
  const wanted = [0, 1].map(() => [0, 0]);
  const like = (at: number) => {
    const distances = [0, 1].map((k) =>
      [0, 1, 2].reduce((sum, c) => sum + (Math.cbrt(all[at + c]) - Math.cbrt(colors[k * 3 + c])) ** 2, 0),
    );
    const k = distances[1] < distances[0] ? 1 : 0;
    return { k, likeness: 1 / (1 + distances[k] / 0.08 ** 2) };
  };
  for (let i = 0; i < texelCount; i++) {
    const { k, likeness } = like(i * 8);
    for (const c of [0, 1]) wanted[k][c] += (likeness * fixed[i * 8 + 4 + c]) / SCALE;
  }
  const gradients = { scales: { texel: SCALE }, texels: gpu().upload(fixed, 'texel gradients') };
  const clusters = createClusters(gpu(), colors);
  gpu().run((batch) =>
    recordGlossStep(batch, material, gradients as never, clusters, { roughness: 0.05, metallic: 0.02 }),
  );
  const state = await gpu().readFloat32(clusters.buffer, CLUSTER_FLOATS);
  for (const k of [0, 1]) {
    // The first moment after one step is a fifth of the gradient.
    for (const c of [0, 1]) expect(state[64 + k * 4 + c] * 5).toBeCloseTo(wanted[k][c], 1);
  }
  const after = await gpu().readFloat32(material.texels, texels.length);
  for (const texel of [0, 20, odd, SIZE * SIZE - 1]) {
    const { k, likeness } = like(texel * 8);
    // The first step of Adam is as long as its rate.
    expect(after[texel * 8 + 4]).toBeCloseTo(0.5 - likeness * 0.05 * Math.sign(wanted[k][0]), 4);
    expect(after[texel * 8 + 5]).toBeCloseTo(0.3 - likeness * 0.02 * Math.sign(wanted[k][1]), 4);
    for (const c of [0, 1, 2, 3, 6, 7]) expect(after[texel * 8 + c]).toBe(texels[texel * 8 + c]);
  }
  gradients.texels.destroy();
  clusters.buffer.destroy();
  destroyDiffMaterial(material);
});
