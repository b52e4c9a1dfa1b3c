/** What can be done with a job that is over: made again from the same pictures, renamed, taken away in parts. */
import { rm } from 'node:fs/promises';
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

  test('is not made of fewer pictures than it had, nor where it is deleted meanwhile', async () => {
    const small = await server.submit(['plain'], { holdout: '3', scale: '{"meanDistance": 2}' });
    await server.until(small.id, 'succeeded');
    const again = await client.submitStored({ again: small.id });
    const { request } = await server.service.store.get(again.id);
    // What was said of the pictures is said of them again.
    expect(request).toMatchObject({ holdout: 3, scale: { meanDistance: 2 } });
    await server.until(again.id, 'succeeded');
    const folder = await server.service.artifacts.local(`jobs/${small.id}/input`, 'unused');
    for (const scale of ['{"meanDistance": 1e308}', '{"meanDistance": 0}', '{"between": ["a", "a"], "distance": 1}'])
      await expect(server.submit(['plain'], { scale })).rejects.toThrow('REQUEST_INVALID');
    const before = (await client.list()).jobs.length;
    await rm(`${folder}/do-plain.png`);
    expect(await codeOf(client.submitStored({ again: small.id }))).toBe('RESULT_DAMAGED');
    await rm(folder, { recursive: true });
    expect(await codeOf(client.submitStored({ again: small.id }))).toBe('RESULT_DAMAGED');
    const local = server.service.artifacts.local.bind(server.service.artifacts);
    server.service.artifacts.local = async (...where) => {
      server.service.artifacts.local = local;
      await client.delete(small.id);
      return await local(...where);
    };
    expect(await codeOf(client.submitStored({ again: small.id }))).toBe('JOB_NOT_FOUND');
    expect((await client.list()).jobs.length).toBe(before - 1);
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
    const flags = { 'auth.mode': 'on', 'quotas.storedBytes': 2500, 'limits.uploads': 1 };
    const secured = await startTestServer({ flags });
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
        { name: 'notes.txt', data: new Blob(['x'.repeat(800)]) },
      ]);
      expect(await codeOf(other.submitStored({ again: theirs.id }))).toBe('JOB_NOT_FOUND');
      expect(await codeOf(other.rename(theirs.id, 'Mine'))).toBe('JOB_NOT_FOUND');
      expect((await mine.rename(theirs.id, 'Cup')).name).toBe('Cup');
      // Copying counts as sending does: so many at once, and what a key may keep is asked before anything is copied.
      const { artifacts, incoming } = secured.service;
      const local = artifacts.local.bind(artifacts);
      let copies = 0;
      let goOn = (): void => {};
      const held = new Promise<void>((resolve) => {
        goOn = resolve;
      });
      artifacts.local = async (prefix, into) => {
        // Workers ask for pictures, too.
        if (!into.startsWith(incoming)) return await local(prefix, into);
        copies++;
        await held;
        return await local(prefix, into);
      };
      const second = mine.submitStored({ again: theirs.id });
      await expect.poll(() => copies).toBe(1);
      expect(await codeOf(mine.submitStored({ again: theirs.id }))).toBe('TOO_MANY_UPLOADS');
      goOn();
      await second;
      expect(await codeOf(mine.submitStored({ again: theirs.id }))).toBe('QUOTA_STORAGE');
      expect(copies).toBe(1);
    } finally {
      await secured.destroy();
    }
  });

  test('takes another name, and no empty one', async () => {
    expect((await client.rename(job.id, '  Red vase ')).name).toBe('Red vase');
    expect((await client.get(job.id)).name).toBe('Red vase');
    expect((await client.list({ search: 'Red vase' })).jobs.map((j) => j.id)).toContain(job.id);
    for (const name of [' ', '\u200b\u2060', '\ud800', 'a\0b', 'x'.repeat(201)])
      expect([name, await codeOf(client.rename(job.id, name))]).toEqual([name, 'REQUEST_INVALID']);
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
    // A run that it has not is not taken for all it has.
    const run = await server.ask(`/v1/jobs/${job.id}/download?run=poisson`);
    expect([run.status, await run.text()]).toEqual([400, expect.stringContaining('none of the runs')]);
    const head = await server.ask(`/v1/jobs/${job.id}/download`, { method: 'HEAD' });
    const told = ['content-type', 'content-length'].map((header) => head.headers.get(header));
    expect([head.status, ...told]).toEqual([200, 'application/zip', null]);
  });

  test('is called in its download what people call it, whatever that is', async () => {
    const called = async (name: string) => {
      await client.rename(job.id, name);
      const answer = await server.ask(`/v1/jobs/${job.id}/download?part=evidence`);
      const [folder] = zipNames(Buffer.from(await answer.arrayBuffer()))[0].split('/');
      return [answer.headers.get('content-disposition'), folder];
    };
    expect(await called("Anna's 花瓶")).toEqual([
      `attachment; filename="Anna_s_evidence.zip"; filename*=UTF-8''Anna%27s%20%E8%8A%B1%E7%93%B6%20evidence.zip`,
      'Anna_s_',
    ]);
    expect(await called('..')).toEqual([
      `attachment; filename="evidence.zip"; filename*=UTF-8''evidence.zip`,
      'result',
    ]);
    expect(await called('a"\r\nset-cookie: x=1\u202e')).toEqual([
      `attachment; filename="a_set-cookie_x_1_evidence.zip"; filename*=UTF-8''a%20set-cookie%20x%3D1%20evidence.zip`,
      'a_set-cookie_x_1_',
    ]);
    await client.rename(job.id, 'Blue vase');
  });

  test('gives its pictures smaller, in the widths there are, under conditions, and no error for a year', async () => {
    const path = `/v1/jobs/${job.id}/files/previews/front.png`;
    for (const width of ['0', '-1', '1e9', 'NaN', '', '120&width=240', '121'])
      expect([width, (await server.ask(`${path}?width=${width}`)).status]).toEqual([width, 400]);
    for (const query of ['widht=120', 'cutOut=false'])
      expect([query, (await server.ask(`${path}?${query}`)).status]).toEqual([query, 400]);
    const small = await server.ask(`${path}?width=120`);
    expect([small.status, small.headers.get('content-type')]).toEqual([200, 'image/webp']);
    const etag = small.headers.get('etag')!;
    const status = async (headers: Record<string, string>): Promise<number> =>
      (await server.ask(`${path}?width=120`, { headers })).status;
    expect(await status({ 'if-none-match': `"other", W/${etag}` })).toBe(304);
    expect(await status({ 'if-none-match': '"other"' })).toBe(200);
    expect(await status({ 'if-match': '"other"' })).toBe(412);
    for (const refused of [
      await server.ask(path, { headers: { range: 'bytes=99999999-' } }),
      await server.ask(path, { headers: { 'if-match': '"other"' } }),
      await server.ask(`/v1/jobs/${job.id}/files/none.png`),
    ])
      expect([refused.headers.get('cache-control'), refused.headers.get('repr-digest')]).toEqual(['no-store', null]);
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
      const head = await server.ask('/v1/methods', { method: 'HEAD', headers: { 'accept-encoding': asked } });
      for (const header of ['content-encoding', 'vary', 'content-length'])
        expect([header, head.headers.get(header)]).toEqual([header, answer.headers.get(header)]);
    }
  });
});
