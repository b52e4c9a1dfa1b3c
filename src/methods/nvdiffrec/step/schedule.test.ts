import { expect, test } from 'vitest';
import { decayed, epochBatches, locate, planLevels } from './schedule.js';

test('an epoch shows every view once, in batches of one group', () => {
  const batches = epochBatches([5, 3], 2, 7, 0);
  const seen = batches.flatMap(({ group, views }) => views.map((v) => `${group}:${v}`));
  expect(seen.toSorted()).toEqual(['0:0', '0:1', '0:2', '0:3', '0:4', '1:0', '1:1', '1:2']);
  expect(batches.every(({ views }) => views.length >= 1 && views.length <= 2)).toBe(true);
  expect(batches).toHaveLength(5);
});

test('order depends on seed and epoch and on nothing else', () => {
  expect(epochBatches([20], 4, 1, 3)).toEqual(epochBatches([20], 4, 1, 3));
  expect(epochBatches([20], 4, 1, 3)).not.toEqual(epochBatches([20], 4, 1, 4));
  expect(epochBatches([20], 4, 1, 3)).not.toEqual(epochBatches([20], 4, 2, 3));
});

test('levels go from coarse to fine and have all iterations, none with pictures of a few pixels', () => {
  const levels = planLevels(101, 512);
  expect(levels.map((l) => l.divisor)).toEqual([4, 2, 1]);
  expect(levels.reduce((sum, l) => sum + l.iterations, 0)).toBe(101);
  expect(planLevels(100, 128).map((l) => l.divisor)).toEqual([2, 1]);
  expect(planLevels(100, 40)).toEqual([{ divisor: 1, iterations: 100 }]);
});

test('an iteration is found in its level, and none beyond the end', () => {
  const levels = [
    { divisor: 2, iterations: 3 },
    { divisor: 1, iterations: 2 },
  ];
  expect(locate(levels, 0)).toEqual({ level: 0, within: 0 });
  expect(locate(levels, 3)).toEqual({ level: 1, within: 0 });
  expect(locate(levels, 4)).toEqual({ level: 1, within: 1 });
  expect(locate(levels, 5)).toBeUndefined();
});

test('rates fall from the first to the last share', () => {
  expect(decayed(2, 0.1, 0, 11)).toBe(2);
  expect(decayed(2, 0.1, 10, 11)).toBeCloseTo(0.2, 12);
  expect(decayed(2, 0.1, 5, 11)).toBeCloseTo(2 * Math.sqrt(0.1), 12);
  expect(decayed(2, 0.1, 0, 1)).toBe(2);
});
