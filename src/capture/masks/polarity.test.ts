import { expect, test } from 'vitest';
import { borderShare, looksInverted } from './polarity.js';

const SIZE = 40;
const draw = (inside: (x: number, y: number) => boolean): Uint8Array =>
  Uint8Array.from({ length: SIZE * SIZE }, (_, i) => Number(inside(i % SIZE, Math.floor(i / SIZE))));
const judge = (mask: Uint8Array): boolean =>
  looksInverted(borderShare(mask, SIZE, SIZE), mask.reduce((sum, v) => sum + v, 0) / mask.length);
const ball = (x: number, y: number, cx = 20, cy = 20, r = 12): boolean => Math.hypot(x - cx, y - cy) < r;

test('all but a ball in the middle is the wrong way round; the ball is not', () => {
  expect(judge(draw((x, y) => !ball(x, y)))).toBe(true);
  expect(judge(draw((x, y) => ball(x, y)))).toBe(false);
});

test('an object that fills the frame, or stands over one edge, or has a hole, is not', () => {
  expect(judge(draw(() => true))).toBe(false);
  expect(judge(draw((x, y) => ball(x, y, 20, 36, 15)))).toBe(false);
  expect(judge(draw((x, y) => ball(x, y, 20, 20, 19) && !ball(x, y, 20, 20, 6)))).toBe(false);
});

test('the border counts every side once', () => {
  expect(
    borderShare(
      draw((_, y) => y === 0),
      SIZE,
      SIZE,
    ),
  ).toBeCloseTo((SIZE + 2) / (4 * SIZE));
  expect(
    borderShare(
      draw(() => true),
      SIZE,
      SIZE,
    ),
  ).toBe(1);
});
