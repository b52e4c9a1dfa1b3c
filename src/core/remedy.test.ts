import { expect, test } from 'vitest';
import { PlinthError } from './errors.js';
import {
  anyOf,
  command,
  LIBRARY_WORDS,
  methodOption,
  option,
  type RemedyWords,
  remedy,
  setting,
  step,
  wordRemedy,
} from './remedy.js';

const given = anyOf(step`add views`, step`lower ${option('holdout')}`, step`set ${option('masks', 'white')} now`);

test('steps are joined, the first with a capital', () => {
  expect(wordRemedy(given, LIBRARY_WORDS)).toBe('Add views, lower `holdout`, or set `masks: white` now');
  expect(wordRemedy(remedy`See ${command('methods')}`, LIBRARY_WORDS)).toBe('See `plinth methods`');
  expect(wordRemedy(remedy`${methodOption('imageSize')} and ${setting('limits.files', '9')}`, LIBRARY_WORDS)).toBe(
    '`imageSize` and `limits.files: 9`',
  );
});

test('a step that names what is not there is left out, and with it the remedy when none is left', () => {
  const none: RemedyWords = { ...LIBRARY_WORDS, option: (name) => (name === 'holdout' ? 'HOLD' : undefined) };
  expect(wordRemedy(given, none)).toBe('Add views, or lower HOLD');
  expect(wordRemedy(remedy`Set ${option('masks')}`, none)).toBeUndefined();
  expect(wordRemedy(undefined, none)).toBeUndefined();
  expect(wordRemedy('Plain words', none)).toBe('Plain words');
});

test('an error keeps its remedy as data and says it in words', () => {
  const error = new PlinthError('METHOD_REQUIREMENTS', { found: 'Too few', expected: 'More', remedy: given });
  expect(error.remedy).toEqual(JSON.parse(JSON.stringify(given)));
  expect(error.message).toBe('Too few. Expected: More. Add views, lower `holdout`, or set `masks: white` now.');
  expect(error.summary).toBe('Too few. Expected: More.');
  expect(error.toJSON()).toMatchObject({ remedy: 'Add views, lower `holdout`, or set `masks: white` now' });
});
