import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { checkpointFolder } from './checkpointFolder.js';
import { previewFolder } from './previewFolder.js';
import { writeWhole } from './writeWhole.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plinth-platform-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('replaces a file by its parts, and leaves the old one and nothing beside it where that fails', async () => {
  const path = join(folder, 'whole', 'file');
  await mkdir(join(folder, 'whole'));
  await writeWhole(path, ['one']);
  await writeWhole(path, ['two', Uint8Array.of(51)]);
  expect(await readFile(path, 'utf8')).toBe('two3');
  await mkdir(join(folder, 'whole', 'taken', 'inner'), { recursive: true });
  await expect(writeWhole(join(folder, 'whole', 'taken'), ['x'])).rejects.toThrow();
  expect((await readdir(join(folder, 'whole'))).sort()).toEqual(['file', 'taken']);
});

it('keeps checkpoints by name in a folder that it makes', async () => {
  const store = checkpointFolder(join(folder, 'new', 'checkpoints'));
  expect(await store.read('a')).toBeUndefined();
  await store.write('a', [Uint8Array.of(1, 2), new Uint8Array(0), Uint8Array.of(0, 3, 0).subarray(1, 2)]);
  expect(await store.read('a')).toEqual(Uint8Array.of(1, 2, 3));
  expect(await store.read('b')).toBeUndefined();
});

it('writes live pictures to the value, alpha included', async () => {
  const show = previewFolder(join(folder, 'new', 'previews'));
  const data = Uint8ClampedArray.of(9, 9, 9, 9, 255, 0, 0, 255, 0, 128, 0, 128);
  const path = await show('step-1', { width: 2, height: 1, data: data.subarray(4) });
  expect(path).toBe(join(folder, 'new', 'previews', 'step-1.png'));
  const { data: read, info } = await sharp(path).raw().toBuffer({ resolveWithObject: true });
  expect([info.width, info.height, info.channels]).toEqual([2, 1, 4]);
  expect([...read]).toEqual([...data.subarray(4)]);
});
