import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { errorOf, put, useFolders } from '../../../test/captureScene.js';
import { type ZipEntry, zip } from '../../../test/zip.js';
import { type ReadOptions, resolveReadOptions } from '../options.js';
import { unpackArchive } from './archive.js';

const folder = useFolders();
const data = Buffer.from('content');

/** Unpacks into a folder of its own; `left` tells what is in it afterwards. */
async function attempt(bytes: Buffer, options: ReadOptions = {}) {
  const root = await folder();
  const tempFolder = await folder();
  const file = await put(root, 'capture.zip', bytes);
  const work = unpackArchive(file, resolveReadOptions({ ...options, tempFolder }));
  return { work, left: () => readdir(tempFolder) };
}

async function refused(entries: readonly ZipEntry[] | Buffer, options?: ReadOptions) {
  const { work, left } = await attempt(Buffer.isBuffer(entries) ? entries : zip(entries), options);
  const error = await errorOf(work);
  expect(await left()).toEqual([]);
  expect(error.message).toContain('capture.zip');
  return error;
}

describe('unpackArchive', () => {
  it('unpacks folders and files, stored and deflated, and removes them when told, twice if need be', async () => {
    const noise = randomBytes(100_000);
    const { work, left } = await attempt(
      zip([{ name: 'a/' }, { name: 'a/transforms.json', data }, { name: 'a/images/1.png', data: noise, store: true }]),
    );
    const { folder: unpacked, remove } = await work;
    expect(await readFile(join(unpacked, 'a/transforms.json'), 'utf8')).toBe('content');
    expect(await readFile(join(unpacked, 'a/images/1.png'))).toEqual(noise);
    await remove();
    await remove();
    expect(await left()).toEqual([]);
  });

  it('leaves archives within the archive, programs and desktop rubbish packed', async () => {
    const names = ['a.json', 'inner.zip', 'run.sh', '__MACOSX/a.json', '.DS_Store', 'sub/._b.json', 'b.tar.gz'];
    const { work } = await attempt(zip(names.map((name) => ({ name, data }))));
    const { folder: unpacked, remove } = await work;
    expect(await readdir(unpacked)).toEqual(['a.json']);
    await remove();
  });

  it('takes names that begin with ./ for what they are, twice too', async () => {
    const { work } = await attempt(zip([{ name: './' }, { name: './a.json', data }]));
    const { folder: unpacked, remove } = await work;
    expect(await readdir(unpacked)).toEqual(['a.json']);
    await remove();
    expect(
      (
        await refused([
          { name: './a.json', data },
          { name: 'a.json', data },
        ])
      ).code,
    ).toBe('ARCHIVE_INVALID');
  });

  it('refuses what is not what was packed, though sizes fit', async () => {
    const bytes = zip([{ name: 'a.json', data, store: true }]);
    bytes[bytes.indexOf(data)] ^= 1;
    const error = await refused(bytes);
    expect([error.code, error.message]).toEqual(['ARCHIVE_INVALID', expect.stringContaining('CRC-32')]);
  });

  it('keeps names in any script, in composed form', async () => {
    const { work } = await attempt(
      zip([
        { name: 'Фото/花 瓶.png', data },
        { name: 'cafe\u0301.json', data },
      ]),
    );
    const { folder: unpacked, remove } = await work;
    expect(await readFile(join(unpacked, 'Фото', '花 瓶.png'), 'utf8')).toBe('content');
    expect(await readdir(unpacked)).toContain('caf\u00e9.json');
    await remove();
  });

  it.each([
    '../evil.json',
    'a/../../evil.json',
    '/etc/evil.json',
    'C:/evil.json',
    '..\\evil.json',
    'C:\\evil.json',
    'a\nb.json',
  ])('refuses the name %j', async (name) => {
    expect(
      (
        await refused([
          { name: 'ok.json', data },
          { name, data },
        ])
      ).code,
    ).toBe('ARCHIVE_UNSAFE_PATH');
  });

  it('refuses names that no file system takes', async () => {
    expect((await refused([{ name: `${'x'.repeat(300)}.json`, data }])).code).toBe('ARCHIVE_UNSAFE_PATH');
  });

  it('refuses symbolic links and devices', async () => {
    for (const mode of [0o120777, 0o020666, 0o010644]) {
      const error = await refused([{ name: 'link.json', data: Buffer.from('/etc/passwd'), mode }]);
      expect(error.code).toBe('ARCHIVE_UNSAFE_PATH');
      expect(error.subject).toBe('link.json');
    }
  });

  it('refuses encrypted entries, saying so', async () => {
    const error = await refused([{ name: 'a.png', data, encrypted: true }]);
    expect([error.code, error.message.includes('encrypted')]).toEqual(['ARCHIVE_INVALID', true]);
  });

  it('refuses a name that is there twice, or twice but for case', async () => {
    expect(
      (
        await refused([
          { name: 'a.png', data },
          { name: 'a.png', data },
        ])
      ).code,
    ).toBe('ARCHIVE_INVALID');
    const error = await refused([
      { name: 'A/x.png', data },
      { name: 'a/X.png', data },
    ]);
    expect(error.message).toMatch(/A\/x\.png.*a\/X\.png.*case/);
  });

  it('refuses by the declared size, before anything is unpacked', async () => {
    const error = await refused([{ name: 'a.json', data, declaredSize: 3e9 }], { maxArchiveBytes: 1e9 });
    expect(error.code).toBe('ARCHIVE_TOO_LARGE');
  });

  it('refuses by the ratio: 64 MiB of zeros in 64 kB, whole or in many pieces', async () => {
    const zeros = new Uint8Array(16 * 2 ** 20);
    const bomb = await refused([{ name: 'a.json', data: new Uint8Array(64 * 2 ** 20) }]);
    expect(bomb.code).toBe('ARCHIVE_TOO_LARGE');
    const pieces = [0, 1, 2, 3].map((i) => ({ name: `${i}.json`, data: zeros }));
    expect((await refused(pieces)).code).toBe('ARCHIVE_TOO_LARGE');
    const { work } = await attempt(zip(pieces), { maxArchiveRatio: 2000 });
    await (await work).remove();
  });

  it('stops when more bytes come than were declared', async () => {
    const liar = [{ name: 'a.json', data: new Uint8Array(2 ** 20), declaredSize: 100 }];
    expect(['ARCHIVE_INVALID', 'ARCHIVE_TOO_LARGE']).toContain((await refused(liar)).code);
  });

  it('refuses entries that share their data', async () => {
    const block = randomBytes(2000);
    const entries: ZipEntry[] = [{ name: '0.json', data: block }];
    for (let i = 1; i < 20; i++)
      entries.push({ name: `${i}.json`, overlaps: 0, data: block, declaredSize: block.length });
    expect((await refused(entries)).code).toBe('ARCHIVE_INVALID');
  });

  it('refuses too many entries', async () => {
    const many = Array.from({ length: 300 }, (_, i) => ({ name: `${i}.json` }));
    expect((await refused(many, { maxArchiveEntries: 299 })).code).toBe('ARCHIVE_TOO_LARGE');
    const million = Array.from({ length: 60_000 }, (_, i) => ({ name: `${i}.json`, store: true }));
    expect((await refused(million)).code).toBe('ARCHIVE_TOO_LARGE');
  });

  it('refuses what is no zip, or only part of one', async () => {
    const whole = zip([{ name: 'a.json', data: randomBytes(5000) }]);
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.from('Rar!'),
      whole.subarray(0, 3000),
      Buffer.concat([whole.subarray(0, 100), whole.subarray(300)]),
    ]) {
      expect((await refused(bytes)).code).toBe('ARCHIVE_INVALID');
    }
  });

  it('stops on an abort and leaves nothing', async () => {
    const controller = new AbortController();
    controller.abort();
    const { work, left } = await attempt(zip([{ name: 'a.json', data }]), { signal: controller.signal });
    expect((await errorOf(work)).code).toBe('CANCELLED');
    expect(await left()).toEqual([]);
  });
});
