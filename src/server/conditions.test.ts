import { expect, test } from 'vitest';
import { judgeConditions, mayAnswerRange } from './conditions.js';

const validators = { etag: '"one"', modified: new Date('2026-11-28T06:27:53.700Z') };
const SAME = 'Sat, 28 Nov 2026 06:27:53 GMT';
const BEFORE = 'Sat, 28 Nov 2026 06:27:52 GMT';
const AFTER = 'Sat, 28 Nov 2026 06:27:54 GMT';

test.each<[string, Record<string, string>, 'go' | 304 | 412]>([
  ['nothing asked', {}, 'go'],
  ['its tag', { 'if-none-match': '"two", "one"' }, 304],
  ['its tag, weakly', { 'if-none-match': 'W/"one"' }, 304],
  ['any tag', { 'if-none-match': '*' }, 304],
  ['another tag', { 'if-none-match': '"two"' }, 'go'],
  ['the date', { 'if-modified-since': SAME }, 304],
  ['a later date', { 'if-modified-since': AFTER }, 304],
  ['an earlier date', { 'if-modified-since': BEFORE }, 'go'],
  ['no date', { 'if-modified-since': 'yesterday' }, 'go'],
  ['another tag, whatever the date', { 'if-none-match': '"two"', 'if-modified-since': SAME }, 'go'],
  ['its tag is wanted', { 'if-match': '"one"' }, 'go'],
  ['any is wanted', { 'if-match': '*' }, 'go'],
  ['another tag is wanted', { 'if-match': '"two"' }, 412],
  ['a weak tag is none to go on with', { 'if-match': 'W/"one"' }, 412],
  ['unchanged since', { 'if-unmodified-since': SAME }, 'go'],
  ['changed since', { 'if-unmodified-since': BEFORE }, 412],
  ['its tag is wanted, whatever the date', { 'if-match': '"one"', 'if-unmodified-since': BEFORE }, 'go'],
  ['wanted and had', { 'if-match': '"one"', 'if-none-match': '"one"' }, 304],
])('%s', (_, headers, answer) => expect(judgeConditions(headers, validators)).toBe(answer));

test.each([
  [undefined, true],
  ['"one"', true],
  ['"two"', false],
  ['W/"one"', false],
  [SAME, true],
  [BEFORE, false],
  [AFTER, false],
])('a range if it is still %s: %s', (given, may) =>
  expect(mayAnswerRange(given === undefined ? {} : { 'if-range': given }, validators)).toBe(may),
);
