// biome-ignore-all lint/suspicious/noTemplateCurlyInString: a compose file holds such
/**
 * The service on several machines as `compose.scaled.yaml` describes it, in little: an API and two workers against
 * PostgreSQL and S3, of which some are killed at work. `bench/service/scaled.ts` does it at length, with a real S3
 * server.
 */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Cluster } from './cluster.js';
import { replace } from './compose.js';
import { judge, type Sent, send, settled } from './ordeal.js';
import { type PrivatePostgres, postgresPrograms, startPostgres } from './postgres.js';
import { type StandInS3, startS3 } from './s3.js';

test('variables of a compose file are put in as Docker does it', () => {
  const variables = { A: '1', EMPTY: '' };
  expect(replace('x${A}y${B:-2}${EMPTY:-3}${C}$${D}', variables)).toBe('x1y23${D}');
  expect(() => replace('${B:?set it}', variables)).toThrow('B: set it');
});

describe.skipIf(!postgresPrograms())('several machines', () => {
  let postgres: PrivatePostgres;
  let s3: StandInS3;
  beforeAll(async () => {
    [postgres, s3] = await Promise.all([startPostgres(), startS3('plinth')]);
  });
  afterAll(async () => {
    await postgres?.stop();
    await s3?.stop();
  });

  test('lose nothing and double nothing when a worker, the API and PostgreSQL go down', async () => {
    // Without the look at the GPU, which costs every process seconds of processor time.
    const main = fileURLToPath(new URL('./serverMain.ts', import.meta.url));
    const cluster = await Cluster.start({
      postgres,
      storage: s3.url,
      apis: 1,
      workers: 2,
      plinth: ['--import', 'tsx', main],
      environment: { PLINTH_LIMITS_REQUESTS_PER_MINUTE: '1000000', PLINTH_RETENTION_MINIMUM_FREE_BYTES: '0' },
    });
    try {
      const sent: Sent[] = [];
      for (let i = 0; i < 6; i++) sent.push(await send(cluster, ['slow-2']));
      const atWork = async (): Promise<void> => {
        await expect
          .poll(async () => (await (await cluster.ask('/v1/jobs?state=running')).json()) as { jobs: unknown[] })
          .toMatchObject({ jobs: expect.arrayContaining([expect.anything()]) });
      };
      await atWork();
      expect(await cluster.down('worker-1', 'SIGKILL')).toBe('SIGKILL');
      await cluster.down('api-1', 'SIGKILL');
      await cluster.up('api-1');
      await atWork();
      await postgres.restart();
      // Stopped, not killed: it hands its job back, and says so with its exit code.
      expect(await cluster.down('worker-2', 'SIGTERM')).toBe(0);
      await Promise.all([cluster.up('worker-1'), cluster.up('worker-2')]);
      const jobs = await settled(cluster, sent);
      expect(await judge(cluster, sent, jobs, async () => [...s3.objects.keys()])).toEqual([]);
    } finally {
      expect(Object.values(await cluster.stop())).toEqual([0, 0, 0]);
    }
  });
});
