import { describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../core/errors.js';
import type { JobService } from '../../jobs/service.js';
import { DiskBudget } from '../../jobs/storage/diskBudget.js';
import type { AttemptEnd } from '../../jobs/worker/attempt.js';
import type { SlotState } from '../../jobs/worker/workerPool.js';
import { HealthMonitor } from './healthMonitor.js';
import { unknownHealth } from './healthSource.js';

const slot = (state: SlotState['state']): SlotState => ({ state, adapter: {}, restarts: 0 });

/**
 * A service whose own workers are `own`, of which other machines report `elsewhere`, and which keeps `reserve` bytes of
 * disk free.
 */
function monitor(own: SlotState[], elsewhere: SlotState[] = [], reserve = 0): HealthMonitor {
  const service = {
    store: { counts: async () => ({ queued: 0, running: 0, succeeded: 0, failed: 0, cancelled: 0 }) },
    db: {
      query: async () =>
        elsewhere.length === 0
          ? []
          : [{ id: 'other', host: 'elsewhere', version: '1', silent: 1, facts: { slots: elsewhere } }],
    },
    pool: {
      id: 'own',
      states: () => own,
      probe: async () => own.map((s) => (s.state === 'idle' ? { ok: true, seconds: 0.01 } : 'busy')),
    },
  } as unknown as JobService;
  Object.assign(service, { disk: new DiskBudget(['.'], reserve) });
  return new HealthMonitor(service, unknownHealth);
}

const end = (job: string, code?: ErrorCode): Pick<AttemptEnd, 'job' | 'state' | 'failure'> => ({
  job: { id: job } as AttemptEnd['job'],
  state: code ? 'queued' : 'succeeded',
  failure: code && { code, message: code },
});

describe('readiness', () => {
  test('waits for the first self-test of a worker that is starting', async () => {
    const own = [slot('starting')];
    const health = monitor(own);
    expect(await health.ready()).toMatchObject({ healthy: false, reasons: ['No self-test has been run yet'] });
    own[0] = slot('idle');
    expect(await health.ready()).toMatchObject({ healthy: true, reasons: [], selfTest: { ok: true } });
  });

  test('takes work that makes progress for a proof, and asks for none where no jobs are run', async () => {
    expect(await monitor([slot('busy')]).ready()).toMatchObject({ healthy: true });
    expect(await monitor([]).ready()).toMatchObject({ healthy: true });
  });
});

describe('health', () => {
  test('is gone when attempts at several jobs keep failing by the machine, though the self-test passes', async () => {
    const health = monitor([slot('idle')]);
    for (const job of ['a', 'a', 'b']) health.attempt(end(job, 'GPU_DEVICE_LOST'));
    expect(await health.ready()).toMatchObject({
      healthy: false,
      reasons: ['The last 3 attempts, at 2 jobs, failed by the machine: GPU_DEVICE_LOST'],
    });
    health.attempt(end('c'));
    expect(await health.ready()).toMatchObject({ healthy: true });
  });

  test('does not suspect the machine for one job, nor for faults of the input', async () => {
    const health = monitor([slot('idle')]);
    for (let i = 0; i < 5; i++) health.attempt(end('a', 'WORKER_LOST'));
    expect(await health.ready()).toMatchObject({ healthy: true });
    health.attempt(end('b', 'CAPTURE_VIEWS_DISAGREE'));
    for (const job of ['c', 'd']) health.attempt(end(job, 'WORKER_LOST'));
    expect(await health.ready()).toMatchObject({ healthy: true });
  });

  test('is gone when less disk is free than must stay free', async () => {
    expect((await monitor([slot('idle')], [], 2 ** 60).report()).reasons).toEqual([
      expect.stringMatching(/^Too little disk: \d+ MiB are free/),
    ]);
  });

  test('of an API without workers is gone when every worker elsewhere is broken', async () => {
    const elsewhere = [
      slot('stalled'),
      { ...slot('broken'), failure: { code: 'WORKER_LOST', message: 'gone' } as const },
    ];
    expect((await monitor([], elsewhere).report()).reasons).toEqual([
      expect.stringContaining('Every worker is broken or stalled'),
    ]);
    expect(await monitor([], [...elsewhere, slot('idle')]).report()).toMatchObject({ healthy: true });
  });
});
