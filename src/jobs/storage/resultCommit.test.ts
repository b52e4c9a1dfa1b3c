import { mkdir, mkdtemp, open, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readResult, statResult } from './checkedRead.js';
import { FolderStore } from './folderStore.js';
import { describeFolder, isWhole } from './manifest.js';
import { findResult, storeResult, tidyJob } from './resultCommit.js';

let scratch: string;
let source: string;
let store: FolderStore;
beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'plinth-commit-'));
  source = join(scratch, 'source');
  store = new FolderStore(join(scratch, 'store'));
  await mkdir(join(source, 'previews'), { recursive: true });
  await writeFile(join(source, 'asset.glb'), 'a'.repeat(100_000));
  await writeFile(join(source, 'previews', 'front.png'), 'png');
});
afterEach(() => rm(scratch, { recursive: true, force: true }));

const stored = async (claim: string) => ({ claim, result: { runs: [], files: await describeFolder(source) } });
const inStore = (name: string): string => join(scratch, 'store', 'jobs/1', name);

test(
  'a stored result is found whole, the local one stays, and writing it anew changes nothing in the ' + 'store',
  async () => {
    const result = await stored('a');
    await storeResult(store, '1', result, source);
    expect(await isWhole(source, result.result.files)).toBe(true);
    await rm(join(source, 'asset.glb'));
    await writeFile(join(source, 'asset.glb'), 'other');
    expect(await findResult(store, '1')).toEqual(result);
  },
);

test.each([
  ['is damaged', (file: string) => writeFile(file, 'b'.repeat(100_000))],
  ['is cut', (file: string) => writeFile(file, 'a')],
  ['is missing', (file: string) => rm(file)],
])('a stored result of which a file %s is not adopted, another one is', async (_how, damage) => {
  await storeResult(store, '1', await stored('a'), source);
  await storeResult(store, '1', await stored('b'), source);
  await rm(inStore('results/a/asset.glb'));
  await writeFile(inStore('results/a/asset.glb'), 'a'.repeat(100_000));
  await damage(inStore('results/a/asset.glb'));
  expect(await findResult(store, '1')).toMatchObject({ claim: 'b' });
});

test('files without a manifest are no result', async () => {
  await store.keep(source, 'jobs/1/results/a', ['asset.glb', 'previews/front.png']);
  expect(await findResult(store, '1')).toBeUndefined();
});

test('tidying leaves the result of the job, its log and its input alone', async () => {
  await storeResult(store, '1', await stored('a'), source);
  await storeResult(store, '1', await stored('b'), source);
  await store.put('jobs/1/log.txt', Buffer.from('log'));
  await store.put('jobs/1/resume/x/state', Buffer.from('state'));
  await tidyJob(store, '1', 'b');
  expect(await store.list('jobs/1')).toEqual(['log.txt', 'results/b/asset.glb', 'results/b/previews/front.png']);
  await tidyJob(store, '1', null);
  expect(await store.list('jobs/1')).toEqual(['log.txt']);
});

test('a damaged file of a result is not sent: its last bytes are held back, and ranges are refused', async () => {
  const result = await stored('a');
  await storeResult(store, '1', result, source);
  const [file] = result.result.files;
  const key = 'jobs/1/results/a/asset.glb';
  const read = async (range?: { start: number; end: number }): Promise<string> => {
    const facts = await statResult(store, key, file);
    return (await buffer(await readResult(store, key, file, facts, range))).toString();
  };
  const DATE = new Date(1_700_000_000_000);
  await utimes(inStore('results/a/asset.glb'), DATE, DATE);
  expect(await read()).toBe('a'.repeat(100_000));
  expect(await read({ start: 1, end: 3 })).toBe('aaa');
  // Changed in place, with the date that it had.
  const { etag } = await statResult(store, key, file);
  const inPlace = await open(inStore('results/a/asset.glb'), 'r+');
  await inPlace.write('b', 2);
  await inPlace.utimes(DATE, DATE);
  await inPlace.close();
  await expect(read()).rejects.toMatchObject({ code: 'RESULT_DAMAGED' });
  await expect(read({ start: 1, end: 3 })).rejects.toMatchObject({ code: 'RESULT_DAMAGED' });
  await writeFile(inStore('results/a/asset.glb'), 'a'.repeat(100_000));
  await utimes(inStore('results/a/asset.glb'), DATE, DATE);
  expect((await statResult(store, key, file)).etag).toBe(etag);
  expect(await read({ start: 1, end: 3 })).toBe('aaa');
  await rm(inStore('results/a/asset.glb'));
  await writeFile(inStore('results/a/asset.glb'), 'b'.repeat(100_000));
  await expect(read()).rejects.toMatchObject({ code: 'RESULT_DAMAGED' });
  await expect(read({ start: 1, end: 3 })).rejects.toMatchObject({ code: 'RESULT_DAMAGED' });
  await writeFile(inStore('results/a/asset.glb'), 'short');
  await expect(read()).rejects.toMatchObject({ code: 'RESULT_DAMAGED', found: expect.stringContaining('5 bytes') });
  // A result of version 0.1 has no SHA-256.
  const old = { name: file.name, bytes: 5 };
  const facts = await statResult(store, key, old);
  expect((await buffer(await readResult(store, key, old, facts))).toString()).toBe('short');
});

test('what is adopted counts as new, and local files of another file system come along', async () => {
  const file = join(scratch, 'upload');
  await writeFile(file, 'picture');
  await store.adopt(file, 'jobs/1/input/picture.png');
  expect(Date.now() - (await store.newest('jobs/1'))!.getTime()).toBeLessThan(60_000);
  expect(await readFile(inStore('input/picture.png'), 'utf8')).toBe('picture');
  await expect(stat(file)).rejects.toThrow();
  expect(await store.newest('jobs/none')).toBeUndefined();
});
