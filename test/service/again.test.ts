/** What can be done with a job that is over: made again from the same pictures, renamed, taken away in parts. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiError, PlinthClient } from '../../src/api/client.js';
import type { Job } from '../../src/api/job.js';
import { createKey } from '../../src/server/access/apiKeys.js';
import { zipNames } from '../zip.js';
import { PIXEL } from './standInEngine.js';
import { startTestServer, type TestServer } from './testServer.js';

let server: TestServer;
let client: PlinthClient;
let job: Job;
beforeAll(async () => {
  server = await startTestServer();
  client = new PlinthClient({ url: server.url });
  const submitted = await server.submit(['plain'], { name: 'Blue vase' });
  job = await server.until(submitted.id, 'succeeded');
});
afterAll(() => server.destroy());

const codeOf = async (work: Promise<unknown>): Promise<string> =>
  await work.then(
    () => 'no error',
    (error) => (error as ApiError).code,
  );

describe('a job that is over', () => {
  test('is made again with other settings from its own pictures, which it keeps', async () => {
    const again = await client.submitStored({ again: job.id }, { method: 'fusion', preset: 'draft' });
    expect(again).toMatchObject({ name: 'Blue vase', input: job.input });
    expect(again.methods).toEqual([{ name: 'fusion', method: 'fusion', preset: 'draft', options: {} }]);
    await server.until(again.id, 'succeeded');
    // What the stand-in was told by the names of the pictures, it was told again: no live preview.
    expect(await client.previews(again.id)).toEqual([]);
    // Once the first is deleted, the second still has them.
    await client.delete(again.id);
    const third = await client.submitStored({ again: job.id }, { name: 'Third' });
    await server.until(third.id, 'succeeded');
    expect(third.input).toEqual(job.input);
  });

  test('is refused where there is none, where two sources are named, and to those who may not see it', async () => {
    const none = '00000000-0000-4000-8000-000000000000';
    expect(await codeOf(client.submitStored({ again: none }))).toBe('JOB_NOT_FOUND');
    const both = await server.ask('/v1/jobs', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ again: job.id, example: 'vase-six' }),
    });
    expect([both.status, await both.text()]).toEqual([400, expect.stringContaining('give one of')]);
    const secured = await startTestServer({ flags: { 'auth.mode': 'on' } });
    try {
      const by = { name: 'test' };
      const [mine, other] = await Promise.all(
        ['mine', 'other'].map((name) =>
          createKey(secured.service.db, { name, scope: 'submit', project: name }, by).then(
            ({ key }) => new PlinthClient({ url: secured.url, key }),
          ),
        ),
      );
      const theirs = await mine.submit([
        { name: 'transforms.json', data: new Blob(['{"frames": []}']) },
        { name: 'do-plain.png', data: new Blob([PIXEL]) },
      ]);
      expect(await codeOf(other.submitStored({ again: theirs.id }))).toBe('JOB_NOT_FOUND');
      expect(await codeOf(other.rename(theirs.id, 'Mine'))).toBe('JOB_NOT_FOUND');
      expect((await mine.rename(theirs.id, 'Cup')).name).toBe('Cup');
    } finally {
      await secured.destroy();
    }
  });

  test('takes another name, and no empty one', async () => {
    expect((await client.rename(job.id, '  Red vase ')).name).toBe('Red vase');
    expect((await client.get(job.id)).name).toBe('Red vase');
    expect((await client.list({ search: 'Red vase' })).jobs.map((j) => j.id)).toContain(job.id);
    expect(await codeOf(client.rename(job.id, ' '))).toBe('REQUEST_INVALID');
    await client.rename(job.id, 'Blue vase');
  });

  test('gives asset and evidence apart', async () => {
    const names = async (query: string): Promise<string[]> => {
      const answer = await server.ask(`/v1/jobs/${job.id}/download${query}`);
      expect(answer.status, query).toBe(200);
      return zipNames(Buffer.from(await answer.arrayBuffer())).sort();
    };
    const all = await names('');
    const asset = await names('?part=asset');
    const evidence = await names('?part=evidence');
    expect(asset).toEqual(['Blue_vase/asset.glb']);
    expect(evidence).toEqual(['Blue_vase/previews/front.png', 'Blue_vase/quality.json']);
    expect([...asset, ...evidence].sort()).toEqual(all);
    const none = await server.ask(`/v1/jobs/${job.id}/download?part=obj`);
    expect([none.status, ((await none.json()) as { code: string }).code]).toEqual([404, 'FILE_NOT_FOUND']);
  });

  test('lists that are long come compressed to who takes it, as they are to who does not', async () => {
    const ask = (encoding: string) => server.ask('/v1/methods', { headers: { 'accept-encoding': encoding } });
    const plain = await ask('identity');
    expect([plain.headers.get('content-encoding'), plain.headers.get('vary')]).toEqual([
      null,
      expect.stringContaining('accept-encoding'),
    ]);
    const whole = await plain.text();
    for (const [asked, encoding] of [
      ['gzip, br', 'br'],
      ['gzip', 'gzip'],
      ['br;q=0, gzip', 'gzip'],
    ]) {
      const answer = await ask(asked);
      expect([asked, answer.headers.get('content-encoding')]).toEqual([asked, encoding]);
      expect(await answer.text()).toBe(whole);
    }
  });
});
