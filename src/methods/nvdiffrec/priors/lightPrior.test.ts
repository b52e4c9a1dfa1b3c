import { expect, test } from 'vitest';
import { useGpu } from '../../../../test/gpu.js';
import { createDiffLight, destroyDiffLight } from '../../../render/diff/light/light.js';
import { cubeDirection } from '../../../render/forward/environmentLight.js';
import { createLightCopy, recordLightPrior } from './lightPrior.js';

const gpu = useGpu();
const SIZE = 16;

/** Logarithms of the light after one pull, from a function of the direction and channel. */
async function pulled(at: (d: number[], c: number) => number, shares: { neutral: number; smooth: number }) {
  const light = await createDiffLight(gpu(), [1, 1, 1], SIZE);
  const before = Float32Array.from({ length: 6 * SIZE * SIZE * 3 }, (_, i) => {
    const texel = Math.floor(i / 3);
    const place = texel % (SIZE * SIZE);
    return at([...cubeDirection(Math.floor(texel / SIZE ** 2), place % SIZE, Math.floor(place / SIZE), SIZE)], i % 3);
  });
  gpu().write(light.parameters, before);
  const copy = createLightCopy(gpu(), light);
  gpu().run((batch) => recordLightPrior(batch, light, copy, shares));
  const after = await gpu().readFloat32(light.parameters, before.length);
  destroyDiffLight(light);
  copy.destroy();
  return { before, after };
}

test('the tint of each direction shrinks, its brightness stays', async () => {
  const { before, after } = await pulled((d, c) => d[1] + 0.3 * c * d[0], { neutral: 0.25, smooth: 0 });
  for (let i = 0; i < before.length; i += 3) {
    const mean = (before[i] + before[i + 1] + before[i + 2]) / 3;
    for (let c = 0; c < 3; c++) expect(after[i + c]).toBeCloseTo(mean + 0.75 * (before[i + c] - mean), 5);
  }
});

test('a single bright direction gives to its four neighbours, across the rims of faces too', async () => {
  // The first texel of a corner of face +x, of its rim, and of its midst.
  for (const [x, y] of [
    [0, 0],
    [0, 7],
    [8, 8],
  ]) {
    const bright = cubeDirection(0, x, y, SIZE);
    const { after } = await pulled((d) => (d.every((v, i) => Math.abs(v - bright[i]) < 1e-6) ? 1 : 0), {
      neutral: 0,
      smooth: 0.2,
    });
    const lit = [...after].filter((v) => v > 1e-6).sort((a, b) => b - a);
    expect(lit.length).toBe(3 * 5);
    expect(lit[0]).toBeCloseTo(0.8, 5);
    for (const v of lit.slice(3)) expect(v).toBeCloseTo(0.05, 5);
    const others = [...after].flatMap((v, i) => (v > 1e-6 ? [Math.floor(i / 3)] : []));
    for (const texel of others) {
      const place = texel % (SIZE * SIZE);
      const d = cubeDirection(Math.floor(texel / SIZE ** 2), place % SIZE, Math.floor(place / SIZE), SIZE);
      const angle = Math.acos(Math.min(1, d[0] * bright[0] + d[1] * bright[1] + d[2] * bright[2]));
      expect(angle).toBeLessThan(0.16);
    }
  }
});

test('a light that is the same all around stays', async () => {
  const { before, after } = await pulled(() => 0.7, { neutral: 0.1, smooth: 0.3 });
  for (let i = 0; i < before.length; i++) expect(after[i]).toBeCloseTo(before[i], 6);
});
