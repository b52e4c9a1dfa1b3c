import { expect, test } from 'vitest';
import type { RunResult } from '../jobRecord.js';
import { compareRuns } from './compareRuns.js';

const run = (name: string, quality?: RunResult['quality'], seconds = 10): RunResult => ({
  name,
  method: name,
  preset: 'draft',
  seconds,
  quality,
  warnings: [],
  stages: [],
  failure: quality ? undefined : { code: 'SURFACE_EMPTY', message: 'There is no surface.' },
});
const normal = (psnr: number) => ({ status: 'normal', psnr, ssim: 0.9 }) as const;

test('runs are ranked by status, then PSNR, then time; failed ones last', () => {
  const { best, ranking, summary } = compareRuns([
    run('failed'),
    run('doubtful', { status: 'warning', psnr: 40, ssim: 0.9 }),
    run('slow', normal(30), 20),
    run('quick', normal(30), 10),
    run('good', normal(31), 30),
  ]);
  expect(ranking.map((r) => r.name)).toEqual(['good', 'quick', 'slow', 'doubtful', 'failed']);
  expect(ranking.at(-1)).toMatchObject({ failure: 'SURFACE_EMPTY', psnr: undefined });
  expect(best).toBe('good');
  expect(summary).toBe('good is the best: 31.0 dB in 30 s; quick reached 30.0 dB (−1.0) in 10 s.');
});

test('a lone success and none at all are said so', () => {
  expect(compareRuns([run('a', normal(25)), run('b')]).summary).toBe(
    'a is the best: 25.0 dB in 10 s; no other run succeeded.',
  );
  const none = compareRuns([run('a'), run('b')]);
  expect(none.best).toBeUndefined();
  expect(none.summary).toBe('No run succeeded.');
});
