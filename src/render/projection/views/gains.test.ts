import { expect, test } from 'vitest';
import { box } from '../../../../test/texturedShapes.js';
import { Random } from '../../../core/random.js';
import { solveGains, spreadPoints } from './gains.js';

/** Samples of points that each see three of the views, with noise and, in one of five, a highlight. */
function samplesOf(gains: number[], points: number, noise: number): Float32Array {
  const random = new Random(5);
  const views = gains.length;
  const samples = new Float32Array(points * views * 4);
  for (let i = 0; i < points; i++) {
    const color = [0, 1, 2].map(() => 0.25 + 0.4 * random.float());
    for (let k = 0; k < 3; k++) {
      const v = (i + k) % views;
      const highlight = random.float() < 0.2 ? 0.25 : 0;
      for (let c = 0; c < 3; c++) {
        samples[(i * views + v) * 4 + c] = (color[c] + highlight) * (1 + noise * random.normal()) * gains[v];
      }
      samples[(i * views + v) * 4 + 3] = 0.2 + random.float();
    }
  }
  return samples;
}

test('gains are recovered in spite of highlights', () => {
  const exposures = [0.8, 1, 1.15, 0.9, 1.1, 1.05, 0.95];
  const gains = solveGains(samplesOf(exposures, 2000, 0.01), 2000, exposures.length);
  const mean = Math.exp(exposures.reduce((s, e) => s + Math.log(e), 0) / exposures.length);
  gains.forEach((gain, v) => {
    for (const g of gain) expect(Math.abs(g * exposures[v] - mean)).toBeLessThan(0.02);
  });
});

test('equal exposures with highlights are left alone', () => {
  expect(solveGains(samplesOf([1, 1, 1, 1, 1], 2000, 0.03), 2000, 5)).toEqual(Array(5).fill([1, 1, 1]));
});

test('views without overlap keep a gain of 1', () => {
  const samples = new Float32Array(2 * 2 * 4);
  samples.set([0.5, 0.5, 0.5, 1], 0);
  samples.set([0.9, 0.9, 0.9, 1], 12);
  expect(solveGains(samples, 2, 2)).toEqual([
    [1, 1, 1],
    [1, 1, 1],
  ]);
});

test('points spread over a surface by area and lie on it', () => {
  const points = spreadPoints(box([1, 2, 1]), 4000);
  let onTop = 0;
  for (let i = 0; i < points.length; i += 6) {
    const [x, y, z] = [Math.abs(points[i]), Math.abs(points[i + 1]) / 2, Math.abs(points[i + 2])];
    expect(Math.max(x, y, z)).toBeCloseTo(1, 5);
    if (points[i + 4] > 0.99) onTop++;
  }
  // Top and bottom are 4 of 40 square units each.
  expect(Math.abs(onTop / 4000 - 0.1)).toBeLessThan(0.01);
});
