import { expect, it } from 'vitest';
import { assignDefaults } from './options.js';

interface Options {
  size?: number;
  name?: string;
  depth: boolean;
}

it('fills in what is left open or undefined, and keeps what is given, also 0, empty and false', () => {
  const defaults = { size: 4, name: 'x' };
  const given: Options = { size: undefined, depth: false };
  const filled = assignDefaults(defaults, given);
  const size: number = filled.size;
  expect(size).toBe(4);
  expect(filled).toEqual({ size: 4, name: 'x', depth: false });
  expect(assignDefaults(defaults, { size: 0, name: '', depth: true } as Options)).toEqual({
    size: 0,
    name: '',
    depth: true,
  });
  expect(defaults).toEqual({ size: 4, name: 'x' });
  expect(given).toEqual({ size: undefined, depth: false });
});
