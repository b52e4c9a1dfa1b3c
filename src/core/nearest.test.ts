import { expect, test } from 'vitest';
import { isServiceLink } from './environment.js';
import { editDistance, nearest } from './nearest.js';

test('counts insertions, deletions and replacements', () => {
  expect(editDistance('', 'abc')).toBe(3);
  expect(editDistance('kitten', 'sitting')).toBe(3);
  expect(editDistance('PLINTH_PROT', 'PLINTH_PORT')).toBe(2);
  expect(editDistance('same', 'same')).toBe(0);
});

test('names the nearest of the known words', () => {
  expect(nearest('PLINTH_HOTS', ['PLINTH_PORT', 'PLINTH_HOST', 'PLINTH_DATA'])).toBe('PLINTH_HOST');
  expect(nearest('x', [])).toBeUndefined();
});

test('tells what Kubernetes sets for a Service from what somebody has mistyped', () => {
  for (const name of [
    'PLINTH_SERVICE_HOST',
    'PLINTH_SERVICE_PORT',
    'PLINTH_SERVICE_PORT_HTTP',
    'PLINTH_PORT_80_TCP',
    'PLINTH_PORT_80_TCP_ADDR',
    'PLINTH_API_SERVICE_HOST',
  ])
    expect(isServiceLink(name, '10.0.0.1')).toBe(true);
  expect(isServiceLink('PLINTH_PORT', 'tcp://10.0.0.1:80')).toBe(true);
  expect(isServiceLink('PLINTH_PORT', '7878')).toBe(false);
  expect(isServiceLink('PLINTH_HOTS', 'x')).toBe(false);
});
