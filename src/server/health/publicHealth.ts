import type { Health } from '../../api/health.js';

/**
 * What anybody may know of a service that asks for keys: states and numbers. Names of hosts and devices' serial
 * numbers, ids of jobs, and messages, which may hold either, are left out.
 */
export function publicHealth(health: Health): Health {
  return {
    ...health,
    // What is wrong stands before the colon, how behind it.
    reasons: health.reasons.map((reason) => reason.split(':')[0]),
    facts: {},
    gpus: health.gpus.map(({ uuid: _, error, ...gpu }) => ({ ...gpu, error: error && 'A query failed' })),
    selfTest: health.selfTest && { ...health.selfTest, failure: undefined },
    workers: health.workers.map(({ version, own, silentSeconds, slots }) => ({
      version,
      own,
      silentSeconds,
      slots: slots.map(({ state, adapter, silentSeconds, restarts }) => ({ state, adapter, silentSeconds, restarts })),
    })),
  };
}
