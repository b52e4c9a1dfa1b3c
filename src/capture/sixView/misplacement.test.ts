import { expect, test } from 'vitest';
import { misplacementOf } from './misplacement.js';

test('views of one object are not misplaced by what rounding and the fit leave', () => {
  for (const distance of [undefined, 0, 0.012, 0.036]) expect(misplacementOf(distance)).toBe(0);
});

test('views that were drawn one by one are, by what is beyond', () => {
  expect(misplacementOf(0.21)).toBeCloseTo(0.0017, 6);
});
