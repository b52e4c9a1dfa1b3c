import { expect, test } from 'vitest';
import { type Health, healthSchema } from '../../api/health.js';
import { publicHealth } from './publicHealth.js';

const JOB = '5f0c1c8e-6d5b-4b0e-9a67-3b1d2c7f4e21';
const failure = { code: 'WORKER_LOST', message: `The worker of ${JOB} on gpu-1 ended` };
const health: Health = {
  status: 'unhealthy',
  reasons: [
    'The database does not answer: connect ECONNREFUSED db-1.internal:5432',
    `Worker 0 is stalled: job ${JOB} made no progress for 40 s`,
    `Worker 1 is broken: ${failure.message}`,
  ],
  version: '1.0.0',
  uptimeSeconds: 5,
  adapter: { device: 'RTX' },
  facts: { validation: [{ host: 'gpu-1' }] },
  gpus: [{ index: 0, name: 'RTX', vendor: 'nvidia', uuid: 'GPU-1', utilization: 0.5, error: 'gpu-1 failed' }],
  selfTest: { ok: false, seconds: 1, ageSeconds: 2, failure },
  queue: { depth: 3, running: 1, jobs: { queued: 3, running: 1, succeeded: 0, failed: 0, cancelled: 0 } },
  workers: [
    {
      id: JOB,
      host: 'gpu-1',
      version: '1.0.0',
      own: true,
      silentSeconds: 0,
      slots: [{ state: 'stalled', adapter: { device: 'RTX' }, job: JOB, silentSeconds: 40, restarts: 0, failure }],
    },
  ],
  disk: { freeBytes: 1, totalBytes: 2 },
};

test('states and numbers are left, names of hosts and ids of jobs are not', () => {
  const shown = healthSchema.parse(JSON.parse(JSON.stringify(publicHealth(health))));
  expect(JSON.stringify(shown)).not.toMatch(new RegExp(`gpu-1|db-1|${JOB}|GPU-1`));
  expect(shown).toMatchObject({
    status: 'unhealthy',
    reasons: ['The database does not answer', 'Worker 0 is stalled', 'Worker 1 is broken'],
    gpus: [{ utilization: 0.5 }],
    queue: { depth: 3 },
    workers: [{ slots: [{ state: 'stalled', silentSeconds: 40 }] }],
    selfTest: { ok: false, seconds: 1 },
  });
});
