import { expect, test } from 'vitest';
import { useGpu } from '../../../../test/gpu.js';
import { createDiffLight } from '../../../render/diff/light/light.js';
import { createEmptyMaterial, pyramidLayout, recordMaterialMips } from '../../../render/diff/shade/material.js';
import type { Gradients } from '../../../render/diff/types.js';
import { createBalance, recordBalance } from './balance.js';

const gpu = useGpu();
const SIZE = 16;
const SCALE = 2 ** 12;

/** One step with the given gradients: of each texel's base colour on every level, and of each number of the light. */
async function stepped(texelGradient: readonly number[], lightGradient: readonly number[], rate: number) {
  const material = createEmptyMaterial(gpu(), SIZE, SIZE);
  const texels = Float32Array.from({ length: SIZE * SIZE * 8 }, (_, i) => 0.2 + 0.07 * (i % 8) + 0.001 * (i % 31));
  gpu().write(material.texels, texels);
  const light = await createDiffLight(gpu(), [1, 1.5, 2], 16);
  const before = await gpu().readFloat32(light.parameters, 6 * 16 * 16 * 3);
  const { texelCount } = pyramidLayout(SIZE, SIZE);
  const gradients = {
    scales: { texel: SCALE },
    texels: gpu().upload(
      Int32Array.from({ length: texelCount * 8 }, (_, i) => (i % 8 < 3 ? texelGradient[i % 8] * SCALE : 77)),
      'texel gradients',
    ),
    light: gpu().upload(
      Float32Array.from({ length: before.length }, (_, i) => lightGradient[i % 3]),
      'light gradient',
    ),
  } as unknown as Gradients;
  const state = createBalance(gpu());
  gpu().run((batch) => {
    recordMaterialMips(batch, material);
    recordBalance(batch, material, light, gradients, state, rate);
  });
  const moments = await gpu().readFloat32(state, 12);
  const after = await gpu().readFloat32(material.texels, texelCount * 8);
  const lightAfter = await gpu().readFloat32(light.parameters, before.length);
  return { texels, after, moments, shift: [0, 1, 2].map((c) => lightAfter[c] - before[c]), texelCount };
}

test(
  'the gradient of the factor is that of the light less that of base colour times base colour, on all ' + 'levels',
  async () => {
    const texelGradient = [0.5, -0.25, 1];
    const lightGradient = [0.01, 0.02, -0.03];
    const { moments, texels, texelCount, after } = await stepped(texelGradient, lightGradient, 0);
    for (let c = 0; c < 3; c++) {
      let expected = lightGradient[c] * 6 * 16 * 16;
      for (let i = 0; i < texelCount; i++) expected -= after[i * 8 + c] * texelGradient[c];
      // The first moment after one step is a fifth of the gradient.
      expect(moments[c] * 5).toBeCloseTo(expected, 1);
    }
    expect(after.subarray(0, texels.length)).toEqual(texels);
  },
);

test('light takes what base colour gives, and their product stays', async () => {
  const { texels, after, shift } = await stepped([1, -1, 0], [0, 0, 0.1], 0.05);
  // Descent: more light where a darker base colour lowers the loss.
  expect(shift[0]).toBeCloseTo(0.05, 4);
  expect(shift[1]).toBeCloseTo(-0.05, 4);
  expect(shift[2]).toBeCloseTo(-0.05, 4);
  for (let i = 0; i < texels.length; i++) {
    const c = i % 8;
    expect(after[i]).toBeCloseTo(c < 3 ? Math.min(1, texels[i] * Math.exp(-shift[c])) : texels[i], 5);
  }
});

test('the factor stays within its limits', async () => {
  const { shift } = await stepped([1, -1, 0], [0, 0, 0.1], 5);
  expect(shift[0]).toBeCloseTo(0.75, 4);
  expect(shift[1]).toBeCloseTo(-0.25, 4);
});
