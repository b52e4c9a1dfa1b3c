import { mkdir, mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type JobFile, PlinthClient } from '../../src/api/client.js';
import { sha256 } from '../../src/core/digest.js';
import type { ArtifactStore } from '../../src/jobs/storage/artifactStore.js';
import { FolderStore } from '../../src/jobs/storage/folderStore.js';
import { S3Store } from '../../src/jobs/storage/s3Store.js';
import { type StandInS3, startS3 } from './s3.js';
import { startTestServer } from './testServer.js';

let scratch: string;
let s3: StandInS3;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'plinth-store-'));
  s3 = await startS3('bucket');
});
afterAll(async () => {
  await s3.stop();
  await rm(scratch, { recursive: true, force: true });
});

const choice = () => ({
  bucket: 'bucket',
  prefix: '/plinth/',
  endpoint: s3.url,
  region: 'us-east-1',
  accessKeyId: 'id',
  secretAccessKey: 'secret',
  forcePathStyle: true,
});

describe.each([
  ['folder', () => new FolderStore(join(scratch, 'store'))],
  ['S3', () => new S3Store(choice())],
] as const)('the artifact store (%s)', (_name, make) => {
  let store: ArtifactStore;
  beforeEach(async () => {
    store = make();
    await store.remove('jobs');
  });

  const folder = async (files: Record<string, string>): Promise<string> => {
    const path = await mkdtemp(join(scratch, 'in-'));
    for (const [name, text] of Object.entries(files)) {
      await mkdir(join(path, name, '..'), { recursive: true });
      await writeFile(join(path, name), text);
    }
    return path;
  };

  test('takes a folder over, lists, reads whole and in part, and removes it', async () => {
    await store.check();
    const local = await folder({ 'asset.glb': '0123456789', 'previews/a & b.png': 'png', 'previews/c.png': 'c' });
    await store.adopt(local, 'jobs/1/results/x');
    await expect(stat(local)).rejects.toThrow();
    expect(await store.list('jobs/1')).toEqual([
      'results/x/asset.glb',
      'results/x/previews/a & b.png',
      'results/x/previews/c.png',
    ]);
    expect(await store.children('jobs/1/results/x')).toEqual(['asset.glb', 'previews']);
    expect(await store.children('jobs/none')).toEqual([]);
    expect((await buffer(await store.read('jobs/1/results/x/asset.glb'))).toString()).toBe('0123456789');
    expect((await buffer(await store.read('jobs/1/results/x/asset.glb', { start: 2, end: 4 }))).toString()).toBe('234');
    expect(await store.stat('jobs/1/results/x/asset.glb')).toMatchObject({
      bytes: 10,
      etag: expect.stringMatching(/^[^"]+$/),
    });
    const copy = await store.local('jobs/1/results/x', await mkdtemp(join(scratch, 'out-')));
    expect(await readFile(join(copy, 'previews/a & b.png'), 'utf8')).toBe('png');
    await store.remove('jobs/1');
    expect(await store.list('jobs/1')).toEqual([]);
    await store.remove('jobs/1');
  });

  test('replaces what is there and tells what is not', async () => {
    await store.put('jobs/2/log.txt', Buffer.from('one'));
    const before = await store.stat('jobs/2/log.txt');
    await store.put('jobs/2/log.txt', Buffer.from('three'));
    expect((await store.stat('jobs/2/log.txt'))!.etag).not.toBe(before!.etag);
    await store.adopt(await folder({ a: '1' }), 'jobs/2/resume');
    await store.adopt(await folder({ a: '2' }), 'jobs/2/resume');
    expect((await buffer(await store.read('jobs/2/resume/a'))).toString()).toBe('2');
    expect(await store.stat('jobs/2/none')).toBeUndefined();
    await expect(store.read('jobs/2/none')).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
  });

  test('refuses keys that would leave it', async () => {
    for (const key of ['../secret', 'jobs/../../secret', '/etc/passwd', 'jobs//x', 'jobs\\..\\x', '']) {
      await expect(store.read(key), key).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    }
  });
});

describe('S3', () => {
  test('large files go in parts', async () => {
    const store = new S3Store(choice());
    const path = join(scratch, 'large');
    await writeFile(path, 'begin');
    await truncate(path, 130 * 2 ** 20);
    await store.adopt(path, 'jobs/3/large');
    expect(await store.stat('jobs/3/large')).toMatchObject({ bytes: 130 * 2 ** 20 });
    expect(s3.open.size).toBe(0);
    s3.objects.clear();
  });

  test('that does not answer is a coded error', async () => {
    s3.broken = true;
    try {
      await expect(new S3Store(choice()).check()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    } finally {
      s3.broken = false;
    }
  });

  test('holds the artifacts of the service by configuration', async () => {
    const flags = Object.fromEntries(
      Object.entries({ kind: 's3', ...choice() }).map(([name, value]) => [`storage.${name}`, value]),
    );
    const server = await startTestServer({ flags });
    try {
      const { id } = await server.until((await server.submit()).id, 'succeeded', 'failed');
      expect([...s3.objects.keys()].filter((k) => k.startsWith(`plinth/jobs/${id}/`)).length).toBeGreaterThan(5);
      const part = await server.ask(`/v1/jobs/${id}/files/asset.glb`, { headers: { range: 'bytes=0-5' } });
      expect([part.status, await part.text()]).toEqual([206, 'fusion']);
      expect((await (await server.ask(`/v1/jobs/${id}/download`)).arrayBuffer()).byteLength).toBeGreaterThan(100);
      await server.ask(`/v1/jobs/${id}`, { method: 'DELETE' });
      expect([...s3.objects.keys()].filter((k) => k.includes(id))).toEqual([]);
    } finally {
      await server.destroy();
    }
  });

  test('is fetched from by clients themselves where they reach it, by signed addresses', async () => {
    const chosen = Object.entries({ kind: 's3', ...choice(), publicEndpoint: s3.url });
    const server = await startTestServer({ flags: Object.fromEntries(chosen.map(([n, v]) => [`storage.${n}`, v])) });
    try {
      const { id } = await server.until((await server.submit()).id, 'succeeded', 'failed');
      const asked: string[] = [];
      const client = new PlinthClient({
        url: server.url,
        key: 'not for the storage',
        fetch: (url, init) => {
          asked.push(`${url} ${new Headers(init?.headers).get('authorization')}`);
          return fetch(url, init);
        },
      });
      const fetched = async (): Promise<Record<string, string>> => {
        asked.length = 0;
        const texts: Record<string, string> = {};
        for await (const { name, response } of client.fetchFiles(id)) texts[name] = await response.text();
        return texts;
      };
      const direct = await fetched();
      expect(Object.keys(direct)).toContain('asset.glb');
      const inStorage = asked.filter((url) => url.startsWith(s3.url));
      expect(inStorage).toHaveLength(Object.keys(direct).length);
      for (const url of inStorage) expect(url).toMatch(/X-Amz-Expires=900&.*X-Amz-Signature=\w{64}.* null$/);
      // With the storage out of the clients' reach, the service sends the same.
      const plain = await (await server.ask(`/v1/jobs/${id}/files`)).json();
      expect(JSON.stringify(plain)).not.toContain(s3.url);
      s3.unreachable = true;
      expect(await fetched()).toEqual(direct);
      expect(asked.filter((url) => url.includes(`/v1/jobs/${id}/files/`))).toHaveLength(Object.keys(direct).length);
      s3.unreachable = false;
      // What is not what it was in the storage is not given on: the service is asked, which says so.
      const [key, glb] = [...s3.objects].find(([name]) => name.includes(id) && name.endsWith('/asset.glb'))!;
      const listed = ((await (await server.ask(`/v1/jobs/${id}/files?direct=true`)).json()) as { files: JobFile[] })
        .files;
      expect(listed.find(({ name }) => name === 'asset.glb')!.sha256).toBe(await sha256(glb));
      s3.objects.set(key, Buffer.from(glb).fill(1, 5, 6));
      await expect(fetched()).rejects.toMatchObject({ code: 'RESULT_DAMAGED' });
      expect(asked.filter((url) => url.includes(`/v1/jobs/${id}/files/`))).toHaveLength(1);
    } finally {
      s3.unreachable = false;
      await server.destroy();
    }
  });
});
