import { describe, expect, it } from 'vitest';
import type { RunProgress } from '../core/context.js';
import { ProgressTracker } from './progress.js';

const stages = [
  { name: 'a', title: 'A', weight: 1 },
  { name: 'b', title: 'B', weight: 3 },
];

function track(): { tracker: ProgressTracker; events: RunProgress[]; clock: { now: number } } {
  const clock = { now: 0 };
  const events: RunProgress[] = [];
  const tracker = new ProgressTracker(
    stages,
    (e) => events.push(e),
    () => clock.now,
  );
  return { tracker, events, clock };
}

describe('ProgressTracker', () => {
  it('weighs stages and estimates the remaining time', () => {
    const { tracker, events, clock } = track();
    clock.now = 2;
    tracker.report({ stage: 'a', title: 'A', fraction: 1 });
    clock.now = 5;
    tracker.report({ stage: 'b', title: 'B', fraction: 1 / 3 });
    expect(events.map((e) => e.overall)).toEqual([0.25, 0.5]);
    expect(events.map((e) => e.remainingSeconds)).toEqual([6, 5]);
  });

  it('never goes backwards and gives no estimate at the very start', () => {
    const { tracker, events, clock } = track();
    clock.now = 1;
    tracker.report({ stage: 'a', title: 'A', fraction: 0.1 });
    tracker.report({ stage: 'b', title: 'B', fraction: 0.5 });
    tracker.report({ stage: 'b', title: 'B', fraction: 0.2 });
    tracker.report({ stage: 'unknown', title: '?', fraction: 1 });
    expect(events[0].remainingSeconds).toBeUndefined();
    expect(events.map((e) => e.overall)).toEqual([0.025, 0.625, 0.625, 0.625]);
  });

  it('does not take what an earlier run did for speed', () => {
    const { tracker, events, clock } = track();
    clock.now = 2;
    tracker.report({ stage: 'b', title: 'B', fraction: 1 / 3, resumed: true });
    clock.now = 6;
    tracker.report({ stage: 'b', title: 'B', fraction: 2 / 3 });
    expect(events.map((e) => e.overall)).toEqual([0.5, 0.75]);
    expect(events.map((e) => e.remainingSeconds)).toEqual([undefined, 6]);
    expect(events[0]).not.toHaveProperty('resumed');
  });

  it('keeps the seconds of each stage', () => {
    const { tracker, clock } = track();
    tracker.report({ stage: 'a', title: 'A', fraction: 0 });
    clock.now = 2;
    tracker.report({ stage: 'b', title: 'B', fraction: 0 });
    clock.now = 5;
    tracker.report({ stage: 'a', title: 'A', fraction: 1 });
    clock.now = 6;
    tracker.finish();
    expect(tracker.timings).toEqual([
      { stage: 'a', seconds: 3 },
      { stage: 'b', seconds: 3 },
    ]);
  });
});
