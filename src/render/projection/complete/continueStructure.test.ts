import { expect, test } from 'vitest';
import { continueStructure } from './continueStructure.js';

const SIZE = 96;

/** A chart of a pattern; `hidden` texels are in-painted grey, what lies outside of `inside` belongs to no chart. */
function chart(
  pattern: (x: number, y: number) => number,
  hidden: (x: number, y: number) => boolean,
  inside: (x: number, y: number) => boolean = () => true,
): Uint8Array {
  const pixels = new Uint8Array(SIZE * SIZE * 4);
  for (let y = 0; y < SIZE; y++) {
    for (let x = 0; x < SIZE; x++) {
      if (!inside(x, y)) continue;
      const value = hidden(x, y) ? 128 : pattern(x, y);
      pixels.set([value, 255 - value, value, hidden(x, y) ? 2 : 3], (y * SIZE + x) * 4);
    }
  }
  return pixels;
}

/** Mean difference of the hidden texels to the pattern. */
function error(
  pixels: Uint8Array,
  pattern: (x: number, y: number) => number,
  hidden: (x: number, y: number) => boolean,
) {
  let [sum, n] = [0, 0];
  for (let y = 0; y < SIZE; y++) {
    for (let x = 0; x < SIZE; x++) {
      if (!hidden(x, y)) continue;
      sum += Math.abs(pixels[(y * SIZE + x) * 4] - pattern(x, y));
      n++;
    }
  }
  return sum / n;
}

const strip = (x: number) => x >= 40 && x < 60;
const soft = (t: number) => 128 + 100 * Math.max(-1, Math.min(1, 4 * Math.sin(t)));

test.each([
  ['straight across', (_x: number, y: number) => soft(y / 3)],
  ['aslant', (x: number, y: number) => soft((y + 0.5 * x) / 3)],
  ['in arcs', (x: number, y: number) => soft(Math.hypot(x - 20, y + 40) / 4)],
])('stripes %s go on through a hidden strip', async (_name, pattern) => {
  const pixels = chart(pattern, strip);
  const before = error(pixels, pattern, strip);
  await continueStructure(pixels, SIZE, SIZE, 48);
  expect(before).toBeGreaterThan(60);
  expect(error(pixels, pattern, strip)).toBeLessThan(0.35 * before);
});

test('far from what was seen the colours stay, and outside of charts everything does', async () => {
  const hidden = (x: number) => x >= 20;
  const inside = (_x: number, y: number) => y >= 10;
  const pixels = chart((_x, y) => soft(y / 3), hidden, inside);
  await continueStructure(pixels, SIZE, SIZE, 24);
  for (let y = 0; y < SIZE; y++) {
    const at = (y * SIZE + 60) * 4;
    expect([...pixels.subarray(at, at + 4)]).toEqual(y < 10 ? [0, 0, 0, 0] : [128, 127, 128, 2]);
  }
});

test('colours do not cross from one chart into another', async () => {
  // Two charts with two empty columns between; the left one is unseen next to them.
  const pixels = chart(
    (x) => (x < 48 ? 40 : 220),
    (x) => x >= 30 && x < 47,
    (x) => x < 47 || x > 48,
  );
  await continueStructure(pixels, SIZE, SIZE, 48);
  for (let x = 30; x < 47; x++) expect(pixels[(50 * SIZE + x) * 4]).toBe(40);
});

test('an abort ends it', async () => {
  const abort = new AbortController();
  abort.abort();
  const large = new Uint8Array(400 * 400 * 4).fill(2);
  for (let i = 0; i < 400 * 10; i++) large[i * 4 + 3] = 3;
  await expect(continueStructure(large, 400, 400, 200, abort.signal)).rejects.toMatchObject({ code: 'CANCELLED' });
});
