import { expect, test } from 'vitest';
import { counted, duration, named, percent, significant, size, viewsNamed } from './words.js';

const plain = (text: string) => text.replace(/[\u00a0\u202f]/g, ' ');

test('writes numbers for people', () => {
  expect(plain(counted(1, 'triangle'))).toBe('1 triangle');
  expect(plain(counted(1234567, 'triangle'))).toBe('1 234 567 triangles');
  expect(plain(percent(0.0123))).toBe('1.2 %');
  expect(plain(percent(0.995))).toBe('100 %');
  expect(plain(percent(0))).toBe('0 %');
  expect([0, 0.0012345, 12.345, 1234.5, 2e-7].map(significant)).toEqual(['0', '0.00123', '12.3', '1230', '2.00e-7']);
  expect([3.12, 59.4, 59.96, 125, 3725].map((s) => plain(duration(s)))).toEqual([
    '3.1 s',
    '59 s',
    '1 min 0 s',
    '2 min 5 s',
    '1 h 2 min',
  ]);
  expect([999, 1500, 2_345_678, 1.5e9].map((b) => plain(size(b)))).toEqual(['999 bytes', '1.5 kB', '2.3 MB', '1.5 GB']);
});

test('writes lists for people', () => {
  expect(named(['a'])).toBe('a');
  expect(named(['a', 'b', 'c'])).toBe('a, b and c');
  expect(named(['a', 'b', 'c', 'd', 'e'])).toBe('a, b, c and 2 more');
  expect(viewsNamed(['front'])).toBe('view front');
  expect(viewsNamed(['front', 'top'])).toBe('views front and top');
});
