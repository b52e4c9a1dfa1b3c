import { expect, it } from 'vitest';
import { Random } from '../../../core/random.js';
import { type Chart, packCharts } from './packCharts.js';

/** Rectangles of random sides up to 1, two triangles each. */
function rectangles(count: number): Chart[] {
  const random = new Random(5);
  return Array.from({ length: count }, () => {
    const [w, h] = [0.1 + 0.9 * random.float(), 0.1 + 0.9 * random.float()];
    return { corners: Float64Array.from([0, 0, w, 0, w, h, 0, 0, w, h, 0, h]) };
  });
}

/** The box of each chart in texels: rectangles stay upright. */
function boxes(charts: readonly Chart[], transforms: Float64Array) {
  return charts.map(({ corners }, i) => {
    const [a, b, c, d, e, f] = transforms.subarray(i * 6, i * 6 + 6);
    const us: number[] = [];
    const vs: number[] = [];
    for (let k = 0; k < corners.length; k += 2) {
      us.push(a * corners[k] + b * corners[k + 1] + c);
      vs.push(d * corners[k] + e * corners[k + 1] + f);
    }
    return [Math.min(...us), Math.min(...vs), Math.max(...us), Math.max(...vs)];
  });
}

// The second number is beyond those from which charts are looked for a place in fewer rows.
it.each([40, 700])('packs %i charts densely, apart from each other and from the border', (count) => {
  const charts = rectangles(count);
  const [size, padding] = [512, 2];
  const { transforms, utilisation, scale } = packCharts(charts, size, padding);
  const found = boxes(charts, transforms);
  let [toBorder, apart] = [Infinity, Infinity];
  for (const [i, [x0, y0, x1, y1]] of found.entries()) {
    toBorder = Math.min(toBorder, x0, y0, size - x1, size - y1);
    for (const [u0, v0, u1, v1] of found.slice(i + 1)) {
      apart = Math.min(apart, Math.max(u0 - x1, x0 - u1, v0 - y1, y0 - v1));
    }
  }
  expect(toBorder).toBeGreaterThanOrEqual(padding / 2);
  expect(apart).toBeGreaterThanOrEqual(padding - 1e-9);
  const area = charts.reduce((sum, { corners: c }) => sum + c[2] * c[5], 0);
  expect(utilisation).toBeCloseTo((area * scale ** 2) / size ** 2, 9);
  // Two texels around boxes of 14 take a quarter of the texture by themselves.
  expect(utilisation).toBeGreaterThan(count === 40 ? 0.75 : 0.6);
});
