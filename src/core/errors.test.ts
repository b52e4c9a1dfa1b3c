import { describe, expect, test } from 'vitest';
import {
  ERROR_CODES,
  ERROR_KINDS,
  isDiskFull,
  PlinthError,
  throwIfCancelled,
  toFailure,
  toPlinthError,
} from './errors.js';

const codeOf = (run: () => void): string | undefined => {
  try {
    run();
  } catch (error) {
    return (error as PlinthError).code;
  }
  return undefined;
};

describe('PlinthError', () => {
  const error = new PlinthError('CAPTURE_FILE_MISSING', {
    found: 'a.png is missing',
    expected: 'a picture for every frame',
    remedy: 'Add it',
    subject: 'a.png',
    cause: new Error('ENOENT'),
  });

  test('says what was found, what was expected and what to do, each as a sentence', () => {
    expect(error.message).toBe('a.png is missing. Expected: a picture for every frame. Add it.');
    expect(error.summary).toBe('a.png is missing. Expected: a picture for every frame.');
    expect(new PlinthError('CANCELLED', 'Stopped!').message).toBe('Stopped!');
  });

  test('carries code, kind and exit code, and its parts without the cause as JSON', () => {
    expect([error.code, error.kind, error.exitCode]).toEqual(['CAPTURE_FILE_MISSING', 'input', 2]);
    expect(JSON.parse(JSON.stringify(error))).toEqual({
      code: 'CAPTURE_FILE_MISSING',
      kind: 'input',
      message: error.message,
      found: 'a.png is missing',
      expected: 'a picture for every frame',
      remedy: 'Add it',
      subject: 'a.png',
    });
    expect((error.cause as Error).message).toBe('ENOENT');
  });

  test('every code has a known kind and a meaning that ends as a sentence', () => {
    for (const [code, [kind, meaning]] of Object.entries(ERROR_CODES)) {
      expect(ERROR_KINDS, code).toHaveProperty(kind);
      expect(meaning, code).toMatch(/\.$/);
    }
  });
});

describe('toPlinthError', () => {
  test('leaves coded errors alone, takes aborts for cancellations and the unknown for a defect', () => {
    const coded = new PlinthError('CANCELLED', 'x');
    expect(toPlinthError(coded)).toBe(coded);
    expect(toPlinthError(new DOMException('stop', 'AbortError')).code).toBe('CANCELLED');
    expect(toPlinthError(new Error('odd'))).toMatchObject({ code: 'INTERNAL', found: 'odd' });
    expect(toPlinthError('odd')).toMatchObject({ code: 'INTERNAL', found: 'odd' });
  });

  test('finds a full disk below other errors, in codes and in words', () => {
    const full = Object.assign(new Error('write'), { code: 'ENOSPC' });
    const wrapped = new Error('could not save', { cause: full });
    expect([isDiskFull(full), isDiskFull(wrapped)]).toEqual([true, true]);
    expect(isDiskFull(new Error('vips: No space left on device'))).toBe(true);
    expect(isDiskFull(new Error('no space for doubt'))).toBe(false);
    expect(toPlinthError(wrapped)).toMatchObject({ code: 'DISK_LOW', cause: wrapped });
  });
});

test('a failure keeps the remedy beside its message', () => {
  const failure = toFailure(new PlinthError('OPTION_INVALID', { found: 'x is 3', remedy: 'Give 2' }));
  expect(failure).toEqual({ code: 'OPTION_INVALID', message: 'x is 3.', remedy: 'Give 2' });
});

test('throwIfCancelled throws for an aborted signal alone', () => {
  expect(codeOf(() => throwIfCancelled())).toBeUndefined();
  expect(codeOf(() => throwIfCancelled(new AbortController().signal))).toBeUndefined();
  expect(codeOf(() => throwIfCancelled(AbortSignal.abort()))).toBe('CANCELLED');
});
