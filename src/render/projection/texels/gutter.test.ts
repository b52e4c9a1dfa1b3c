import { expect, test } from 'vitest';
import { Random } from '../../../core/random.js';
import { fillGutter } from './gutter.js';

test('every empty texel takes the colour of a nearest filled one', async () => {
  const random = new Random(11);
  const [width, height] = [40, 28];
  const pixels = new Uint8Array(width * height * 4);
  const filled: [number, number][] = [];
  for (let k = 0; k < 14; k++) {
    const [x, y] = [random.integer(width), random.integer(height)];
    filled.push([x, y]);
    pixels.set([x, y, k, 3], (y * width + x) * 4);
  }
  await fillGutter(pixels, width, height);
  let exact = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * 4;
      const got = Math.hypot(pixels[at] - x, pixels[at + 1] - y);
      const best = Math.min(...filled.map(([a, b]) => Math.hypot(a - x, b - y)));
      // Danielsson's sweeps miss rarely, and then by a fraction of a texel.
      expect(got).toBeLessThan(best + 0.5);
      if (got < best + 1e-9) exact++;
      expect(pixels[at + 3]).toBe(255);
    }
  }
  expect(exact / (width * height)).toBeGreaterThan(0.98);
});

test('a picture without any filled texel becomes grey', async () => {
  const pixels = new Uint8Array(4 * 4 * 4);
  await fillGutter(pixels, 4, 4);
  expect([...pixels.subarray(0, 4)]).toEqual([128, 128, 128, 255]);
});
