/** Direct uploads on both databases, in a stand-in for S3 and in a real server that speaks its protocol. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DirectUpload, PlinthClient } from '../../src/api/client.js';
import type { Job } from '../../src/api/job.js';
import { captureZip } from './captureZip.js';
import { onBothDatabases } from './databases.js';
import { type Gateway, gatewayProgram, startGateway } from './gateway.js';
import { S3_SECRET, startS3 } from './s3.js';
import { startTestServer, type TestServer } from './testServer.js';

type Storage = Omit<Gateway, 'stop'> & { stop(): Promise<void> };

const standIn = async (): Promise<Storage> => {
  const { url, stop } = await startS3('bucket');
  return { url, bucket: 'bucket', accessKeyId: 'id', secretAccessKey: S3_SECRET, stop };
};
if (!gatewayProgram()) {
  console.warn(
    'direct uploads: versitygw is not installed (go install github.com/versity/versitygw/cmd/versitygw@v1.8.0), so ' +
      'they are tried in a stand-in for S3 only',
  );
}

onBothDatabases('direct uploads', (database) => {
  describe.each([
    ['a stand-in for S3', standIn, true],
    ['versitygw', startGateway, gatewayProgram() !== undefined],
  ] as const)('in %s', (_name, start, there) => {
    let storage: Storage;
    /** Two servers on one database where there can be two, else one. */
    let servers: TestServer[];
    beforeAll(async () => {
      if (!there) return;
      storage = await start();
      const databaseUrl = await database();
      const flags = {
        'storage.kind': 's3',
        'storage.bucket': storage.bucket,
        'storage.endpoint': storage.url,
        'storage.publicEndpoint': storage.url,
        'storage.accessKeyId': storage.accessKeyId,
        'storage.secretAccessKey': storage.secretAccessKey,
      };
      servers = await Promise.all((databaseUrl ? [1, 2] : [1]).map(() => startTestServer({ databaseUrl, flags })));
    });
    afterAll(async () => {
      if (!there) return;
      await Promise.all(servers.map((server) => server.destroy()));
      await storage.stop();
    });

    const upload = async (): Promise<DirectUpload> =>
      await new PlinthClient({ url: servers[0].url }).uploadDirect({
        name: 'vase.zip',
        data: new Blob([new Uint8Array(await captureZip(1000))]),
      });

    /** Six requests for a job of it, that all have found and copied it before the first is recorded. */
    async function submitAtOnce(id: string, key?: string): Promise<[number, Partial<Job> & { code?: string }][]> {
      const count = 6;
      let copied = 0;
      let go = (): void => {};
      const all = new Promise<void>((resolve) => {
        go = resolve;
      });
      const restore = servers.map(({ service: { artifacts } }) => {
        const direct = artifacts.direct!;
        const { copy } = direct;
        direct.copy = async (from, to) => {
          await copy(from, to);
          if (++copied === count) go();
          await all;
        };
        return () => {
          direct.copy = copy;
        };
      });
      const answers = await Promise.all(
        Array.from({ length: count }, async (_, i) => {
          const answer = await servers[i % servers.length].ask('/v1/jobs', {
            method: 'POST',
            headers: { 'content-type': 'application/json', ...(key && { 'idempotency-key': key }) },
            body: JSON.stringify({ upload: id }),
          });
          return [answer.status, await answer.json()] as [number, Partial<Job> & { code?: string }];
        }),
      );
      for (const put of restore) put();
      return answers;
    }

    const kept = async (): Promise<string[]> => await servers[0].service.artifacts.children('jobs');

    test.runIf(there)('many requests for a job of one at the same moment make one job', async () => {
      const before = await kept();
      const { id } = await upload();
      const answers = await submitAtOnce(id);
      const made = answers.filter(([status]) => status === 202).map(([, job]) => job.id!);
      expect(made).toHaveLength(1);
      const refused = answers.filter(([status]) => status !== 202).map(([status, { code }]) => [status, code]);
      expect(refused).toEqual(new Array(5).fill([404, 'UPLOAD_NOT_FOUND']));
      // Nothing stays of the copies that became no job, and the job has its own.
      expect((await kept()).filter((job) => !before.includes(job))).toEqual(made);
      expect(await servers[0].until(made[0], 'succeeded', 'failed')).toMatchObject({ state: 'succeeded' });
      // Its result is fetched from the storage itself, and is what it was.
      const asked: string[] = [];
      const client = new PlinthClient({
        url: servers[0].url,
        fetch: (url, init) => {
          asked.push(String(url));
          return fetch(url, init);
        },
      });
      for await (const { response, bytes } of client.fetchFiles(made[0]))
        expect((await response.arrayBuffer()).byteLength).toBe(bytes);
      expect(asked.length).toBeGreaterThan(1);
      expect(asked.filter((url) => !url.startsWith(storage.url))).toHaveLength(1);
    });

    test.runIf(there)('with one idempotency key all get that job', async () => {
      const before = await kept();
      const { id } = await upload();
      const answers = await submitAtOnce(id, 'once');
      expect(answers.map(([status]) => status)).toEqual(new Array(6).fill(202));
      const ids = [...new Set(answers.map(([, job]) => job.id!))];
      expect(ids).toHaveLength(1);
      expect((await kept()).filter((job) => !before.includes(job))).toEqual(ids);
      expect(await servers[0].until(ids[0], 'succeeded', 'failed')).toMatchObject({ state: 'succeeded' });
    });
  });
});
