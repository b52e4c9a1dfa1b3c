import { expect, it } from 'vitest';
import type { JobEvent } from '../../api.js';
import { nothingSeen, takeIn } from './watched.js';

const at = (seconds: number): string => new Date(seconds * 1000).toISOString();
const progress = (seconds: number, stage: string, run = 'fusion'): JobEvent =>
  ({
    id: seconds,
    at: at(seconds),
    type: 'progress',
    run,
    runs: 1,
    stage,
    title: stage,
    elapsedSeconds: seconds,
  }) as JobEvent;

it('counts to a stage all the time until the next begins, and to the last one all until the end', () => {
  const seen = nothingSeen();
  for (const event of [progress(10, 'read'), progress(20, 'read'), progress(300, 'fuse'), progress(310, 'fuse')])
    expect(takeIn(seen, event)).toBe(false);
  expect(takeIn(seen, { id: 5, at: at(400), type: 'state', state: 'succeeded' })).toBe(true);
  expect(seen.stages.map((s) => [s.stage, (s.end - s.begin) / 1000])).toEqual([
    ['read', 290],
    ['fuse', 100],
  ]);
});

it('counts a stage that is walked through once more from its last beginning', () => {
  const seen = nothingSeen();
  for (const event of [progress(10, 'read'), progress(20, 'fuse'), progress(50, 'read'), progress(60, 'fuse')])
    takeIn(seen, event);
  takeIn(seen, { id: 9, at: at(65), type: 'state', state: 'failed' });
  expect(seen.stages.map((s) => [s.stage, (s.end - s.begin) / 1000])).toEqual([
    ['read', 10],
    ['fuse', 5],
  ]);
});
