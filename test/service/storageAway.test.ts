/** S3 that is away while a job runs: at its start, at its end, and for the whole of it. */
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { onBothDatabases } from './databases.js';
import { S3_SECRET, type StandInS3, startS3 } from './s3.js';
import { startTestServer, type TestServer } from './testServer.js';

vi.setConfig({ testTimeout: 240_000 });

onBothDatabases('a storage that is away during an attempt', (database) => {
  let s3: StandInS3;
  let server: TestServer;
  beforeAll(async () => {
    s3 = await startS3('bucket');
    server = await startTestServer({
      databaseUrl: await database(),
      flags: {
        'storage.kind': 's3',
        'storage.bucket': 'bucket',
        'storage.endpoint': s3.url,
        'storage.accessKeyId': 'id',
        'storage.secretAccessKey': S3_SECRET,
      },
    });
  });
  afterEach(() => {
    s3.broken = false;
    s3.turnsAway = undefined;
  });
  afterAll(async () => {
    await server.destroy();
    await s3.stop();
  });

  /** Until the attempt has asked in vain for something of the kind. */
  const turnedAway = async (kind: RegExp): Promise<void> => {
    await expect
      .poll(() => s3.turnedAway.some((asked) => kind.test(asked)), { timeout: 120_000, interval: 20 })
      .toBe(true);
  };
  const away = (): void => {
    s3.turnedAway.length = 0;
    s3.broken = true;
  };
  /** The job has one whole result, of its first attempt, and nothing else is left of it. */
  const whole = async (id: string): Promise<void> => {
    const job = await server.until(id, 'succeeded', 'failed');
    expect(job).toMatchObject({ state: 'succeeded', attempt: 1, failure: null });
    const { files } = (await (await server.ask(`/v1/jobs/${id}/files`)).json()) as {
      files: { name: string; bytes: number; url: string }[];
    };
    expect(files.map((file) => file.name)).toContain('asset.glb');
    for (const { url, bytes } of files) {
      const answer = await server.ask(url);
      expect([answer.status, (await answer.arrayBuffer()).byteLength]).toEqual([200, bytes]);
    }
    await expect
      .poll(() => [...s3.objects.keys()].filter((key) => key.startsWith(`jobs/${id}/pending/`)), { timeout: 60_000 })
      .toEqual([]);
    const claims = [...s3.objects.keys()].flatMap((key) => /^jobs\/([^/]+)\/results\/([^/]+)/.exec(key) ?? []);
    expect(new Set(claims.filter((_, i) => i % 3 === 2 && claims[i - 1] === id)).size).toBe(1);
  };

  test('at its end: the finished work waits, and is stored when the storage is back', async () => {
    const { id } = await server.submit(['slow-2']);
    // It has its input, and works.
    await expect
      .poll(async () => (await (await server.ask(`/v1/jobs/${id}`)).json()) as unknown, {
        timeout: 60_000,
        interval: 20,
      })
      .toMatchObject({ progress: { stage: 'fuse' } });
    away();
    await turnedAway(new RegExp(`^PUT .*${id}/results/`));
    // What is there is told meanwhile, and what would need the storage is refused as what it is.
    const job = (await (await server.ask(`/v1/jobs/${id}`)).json()) as { state: string };
    expect(job.state).toBe('running');
    const refused = await server.ask('/v1/jobs', {
      method: 'POST',
      body: '{"example": "vase-six"}',
      headers: { 'content-type': 'application/json' },
    });
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([503, 'STORAGE_UNAVAILABLE']);
    expect(refused.headers.get('retry-after')).not.toBeNull();
    s3.broken = false;
    await whole(id);
  });

  test('at its beginning: the job waits for its input', async () => {
    const first = await server.submit(['slow-100']);
    await server.until(first.id, 'running');
    const { id } = await server.submit();
    away();
    await server.ask(`/v1/jobs/${first.id}/cancel`, { method: 'POST' });
    await turnedAway(new RegExp(`^(GET|HEAD) .*${id}`));
    expect(((await (await server.ask(`/v1/jobs/${id}`)).json()) as { state: string }).state).toBe('running');
    s3.broken = false;
    await whole(id);
  });

  test('at any moment between: no request that fails costs an attempt', async () => {
    const requests = async (from: number): Promise<number> => {
      let count = 0;
      let turned = 0;
      // What takes the job in is the client's to send again.
      const { id } = await server.submit(['slow-1']);
      // Of the attempt's requests one is turned away, and the times that it is tried again at once.
      s3.turnsAway = () => ++count > from && turned++ < 4;
      await server.until(id, 'succeeded', 'failed');
      s3.turnsAway = undefined;
      await whole(id);
      return count;
    };
    const all = await requests(Number.POSITIVE_INFINITY);
    expect(all).toBeGreaterThan(10);
    for (let from = 0; from < all; from += 5) await requests(from);
  });
});
