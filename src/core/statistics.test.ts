import { expect, it } from 'vitest';
import { mean, median } from './statistics.js';

it('is of none 0, and leaves the order of the values alone', () => {
  expect([mean([]), median([])]).toEqual([0, 0]);
  const values = [9, 1, 4, 2];
  expect([mean(values), median(values), median([9, 1, 4])]).toEqual([4, 4, 4]);
  expect(values).toEqual([9, 1, 4, 2]);
});
