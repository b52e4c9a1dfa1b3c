import { expect, it } from 'vitest';
import { dropSpeckles } from './speckles.js';

it('drops small islands, also those that differ in depth from what surrounds them, and keeps slopes whole', () => {
  const [width, height] = [40, 30];
  const data = new Float32Array(width * height);
  for (let y = 5; y < 25; y++) for (let x = 5; x < 25; x++) data[y * width + x] = 2 + 0.015 * x;
  for (let y = 10; y < 13; y++) for (let x = 10; x < 13; x++) data[y * width + x] = 1;
  for (let y = 2; y < 5; y++) for (let x = 33; x < 36; x++) data[y * width + x] = 2;
  const before = data.slice();
  const kept = dropSpeckles({ width, height, data });
  expect(kept).toBe(20 * 20 - 9);
  for (let i = 0; i < data.length; i++) {
    const [x, y] = [i % width, Math.floor(i / width)];
    const island = (x >= 10 && x < 13 && y >= 10 && y < 13) || x >= 33;
    expect(data[i]).toBe(island ? 0 : before[i]);
  }
});
