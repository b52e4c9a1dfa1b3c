/** Weights are fetched from real servers on loopback: interrupted, without ranges, with wrong bytes, refused. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdir, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { useFolders } from '../../test/captureScene.js';
import { COMMIT, SMALL, smallFiles, tensorFile, useWeightHub } from '../../test/weightHub.js';
import { type DownloadOptions, downloadWeights } from './download.js';
import { findWeights, readNotes, verifyWeights } from './folder.js';
import { Hub } from './hub.js';
import { openWeights } from './openWeights.js';

const newFolder = useFolders();
const startHub = useWeightHub();
const A = 'some/flow/ckpts/a.safetensors';

async function setUp(files = smallFiles()) {
  const hub = await startHub(files);
  const folder = join(await newFolder(), 'weights');
  const download = (options: Partial<DownloadOptions> = {}) =>
    downloadWeights(SMALL, folder, {
      ...{ hub: new Hub({ endpoint: hub.endpoint }), acceptLicences: true, optional: false },
      ...options,
    });
  const partial = join(folder, `${A}.partial`);
  return { ...hub, files, folder, download, partial };
}

const isWhole = (folder: string, files: Record<string, Buffer>, name: string) =>
  readFileSync(join(folder, name)).equals(files[name]);

describe('a download of weights', () => {
  it('brings what the method needs, each file as the server has it, and no more the second time', async () => {
    const { download, folder, files, asked } = await setUp();
    const seen: [number, number][] = [];
    const names = await download({ report: ({ done, total }) => void seen.push([done, total]) });
    expect(names).toEqual(['some/flow/pipeline.json', A, 'other/eyes/model.safetensors']);
    for (const name of names) expect(isWhole(folder, files, name), name).toBe(true);
    const total = names.reduce((sum, name) => sum + files[name].length, 0);
    expect(seen.at(-1)).toEqual([total, total]);
    expect(existsSync(join(folder, 'some/flow/ckpts/b.safetensors'))).toBe(false);
    // What was stated is of one commit, and so is what is fetched.
    expect(asked.filter(({ server, method }) => server === 'hub' && method === 'GET')).toHaveLength(3);
    for (const { server, method, url } of asked) {
      if (server === 'hub' && method === 'GET') expect(url).toContain(`/resolve/${COMMIT}/`);
    }
    const { files: noted } = await readNotes(folder);
    expect(noted[A]).toMatchObject({ size: files[A].length, stated: true, revision: COMMIT });
    expect(noted['some/flow/pipeline.json']).toMatchObject({ stated: false });

    asked.length = 0;
    expect(await download()).toEqual([]);
    expect(asked.every(({ method }) => method === 'HEAD')).toBe(true);
    expect(await download({ optional: true })).toEqual(['some/flow/ckpts/b.safetensors']);
  });

  it('goes on where it was interrupted', async () => {
    const { download, folder, files, faults, partial, asked } = await setUp();
    faults.cutAfter = 120_000;
    await expect(download()).rejects.toMatchObject({
      code: 'WEIGHTS_DOWNLOAD_FAILED',
      message: expect.stringMatching(/broke off .*a\.safetensors.*plinth weights download.*where it stopped/),
    });
    expect(existsSync(join(folder, A))).toBe(false);
    const arrived = statSync(partial).size;
    expect(arrived).toBe(120_000);
    asked.length = 0;
    expect(await download()).toContain(A);
    expect(asked.find(({ url, server }) => server === 'store' && url.includes(A))?.range).toBe(`bytes=${arrived}-`);
    expect(isWhole(folder, files, A)).toBe(true);
    expect(existsSync(partial)).toBe(false);
  });

  it('begins anew where the server gives no parts', async () => {
    const { download, folder, files, faults, asked } = await setUp();
    faults.cutAfter = 120_000;
    await expect(download()).rejects.toMatchObject({ code: 'WEIGHTS_DOWNLOAD_FAILED' });
    faults.noRanges = true;
    asked.length = 0;
    await download();
    expect(asked.some(({ range }) => range === 'bytes=120000-')).toBe(true);
    expect(isWhole(folder, files, A)).toBe(true);
  });

  it('begins anew where what had arrived is of another file, and takes what is whole already', async () => {
    const { download, folder, files, partial, asked } = await setUp();
    const reads = () => asked.filter(({ server, url }) => server === 'store' && url.includes(A));
    await mkdir(join(folder, 'some/flow/ckpts'), { recursive: true });
    await writeFile(partial, tensorFile(300_000, 7).subarray(0, 50_000));
    await download();
    expect(reads().map(({ range }) => range)).toEqual(['bytes=50000-', undefined]);
    expect(isWhole(folder, files, A)).toBe(true);

    // Longer than the file is, then as long as it is and right.
    for (const [beginning, ranges] of [
      [Buffer.alloc(400_000), [undefined]],
      [files[A], []],
    ] as const) {
      await truncate(join(folder, A), 10);
      await writeFile(partial, beginning);
      asked.length = 0;
      expect(await download()).toEqual([A]);
      expect(reads().map(({ range }) => range)).toEqual(ranges);
      expect(isWhole(folder, files, A)).toBe(true);
    }
  });

  it('fetches a file again whose bytes are not those that the server states', async () => {
    const { download, folder, files } = await setUp();
    await download();
    const path = join(folder, A);
    const wrong = Buffer.from(files[A]);
    wrong[wrong.length - 1] ^= 1;
    await writeFile(path, wrong);
    expect(await download()).toEqual([A]);
    expect(isWhole(folder, files, A)).toBe(true);
  });

  it('keeps no file whose hash, length or form is wrong', async () => {
    const cases = [
      [{ stated: 'ab'.repeat(32) }, 'WEIGHTS_INVALID', /arrived with the SHA-256 [\da-f]{64}.*abab/, false],
      [{ longer: 5 }, 'WEIGHTS_DOWNLOAD_FAILED', /sends more of some\/flow\/ckpts\/a/, false],
      [{ longer: -5 }, 'WEIGHTS_DOWNLOAD_FAILED', /sent \d+ bytes of some\/flow\/ckpts\/a\S*, of \d+/, true],
    ] as const;
    for (const [fault, code, words, keeps] of cases) {
      const { download, folder, faults, partial } = await setUp();
      Object.assign(faults, fault);
      await expect(download()).rejects.toMatchObject({ code, message: expect.stringMatching(words) });
      expect(existsSync(join(folder, A))).toBe(false);
      expect(existsSync(partial) && statSync(partial).size > 0).toBe(keeps);
    }
    for (const [name, bytes, code] of [
      [A, Buffer.concat([tensorFile(9), Buffer.alloc(1)]), 'WEIGHTS_INVALID'],
      [A, tensorFile(9, 1, 'F8_E4M3'), 'WEIGHTS_UNSUPPORTED'],
      ['some/flow/pipeline.json', Buffer.from('<html>'), 'WEIGHTS_INVALID'],
    ] as const) {
      const { download, folder } = await setUp({ ...smallFiles(), [name]: bytes });
      await expect(download()).rejects.toMatchObject({ code, subject: name });
      expect(existsSync(join(folder, name))).toBe(false);
      expect(existsSync(join(folder, `${name}.partial`))).toBe(false);
    }
  });

  it('holds to pinned sizes and hashes, whatever the server states', async () => {
    const { endpoint, folder, files } = await setUp();
    const [flow] = SMALL.repositories;
    const pinned = { path: 'ckpts/a.safetensors', size: files[A].length, sha256: 'cd'.repeat(32) };
    const manifest = { ...SMALL, repositories: [{ ...flow, files: [pinned] }] };
    const options = { hub: new Hub({ endpoint }), acceptLicences: true, optional: false };
    await expect(downloadWeights(manifest, folder, options)).rejects.toMatchObject({
      code: 'WEIGHTS_INVALID',
      expected: pinned.sha256,
    });
  });

  it('asks a server that states nothing for whole files, and says in verify that nothing proves them', async () => {
    const { download, folder, files, faults, partial, asked } = await setUp();
    faults.plain = true;
    await mkdir(join(folder, 'some/flow/ckpts'), { recursive: true });
    await writeFile(partial, files[A].subarray(0, 100));
    await download();
    expect(asked.every(({ range }) => range === undefined)).toBe(true);
    expect(isWhole(folder, files, A)).toBe(true);
    const states = await verifyWeights(SMALL, folder);
    expect(states.map(({ state }) => state)).toEqual(['unproven', 'unproven', 'missing', 'unproven']);
  });

  it('asks nobody before the licences are accepted, which the folder then remembers', async () => {
    const { download, folder, asked } = await setUp();
    await expect(download({ acceptLicences: false })).rejects.toMatchObject({
      code: 'WEIGHTS_LICENCE',
      exitCode: 3,
      message: expect.stringMatching(/some\/flow, other\/eyes.*example\.org\/flow.*--accept-licences/),
    });
    expect(asked).toEqual([]);
    expect(existsSync(folder)).toBe(false);
    await download();
    expect(await download({ acceptLicences: false })).toEqual([]);
    const [flow, eyes] = SMALL.repositories;
    const changed = { ...SMALL, repositories: [{ ...flow, licence: { ...flow.licence, terms: 'other' } }, eyes] };
    const hub = new Hub({ endpoint: 'http://127.0.0.1:1' });
    await expect(
      downloadWeights(changed, folder, { hub, acceptLicences: false, optional: false }),
    ).rejects.toMatchObject({ code: 'WEIGHTS_LICENCE', subject: 'some/flow' });
  });

  it('fetches nothing where the disk is too small for what lacks', async () => {
    const { download, folder, files } = await setUp();
    const needed =
      files['some/flow/pipeline.json'].length + files[A].length + files['other/eyes/model.safetensors'].length;
    const free = (bytes: number) => ({ freeBytes: async () => bytes });
    await expect(download(free(needed - 1))).rejects.toMatchObject({
      code: 'DISK_LOW',
      found: expect.stringContaining(`${needed - 1} bytes are free`),
      expected: expect.stringContaining(`${needed} bytes`),
    });
    expect(readdirSync(folder)).toEqual(['plinth-weights.json']);
    expect(await download(free(needed))).toHaveLength(3);
  });

  it('says so where the disk becomes full on the way, and goes on once it has room', async (test) => {
    // Writes to this device fail as on a full disk; not every system has it.
    if (!existsSync('/dev/full')) test.skip();
    const { download, folder, files, partial } = await setUp();
    await mkdir(join(folder, 'some/flow/ckpts'), { recursive: true });
    await symlink('/dev/full', partial);
    await expect(download()).rejects.toMatchObject({
      code: 'DISK_LOW',
      subject: folder,
      message: expect.stringMatching(/became full.*more room.*goes on where it stopped/),
    });
    expect(existsSync(join(folder, A))).toBe(false);
    expect(isWhole(folder, files, 'some/flow/pipeline.json')).toBe(true);
    await rm(partial);
    expect(await download()).toEqual([A, 'other/eyes/model.safetensors']);
    expect(isWhole(folder, files, A)).toBe(true);
  });

  it('says what a server that refuses, is away, is silent or redirects for ever means', async () => {
    const { download, faults, endpoint } = await setUp();
    const token = 'hf_verySecret';
    for (const [status, words] of [
      [
        401,
        /answers 401 .*pipeline\.json at revision main.*Accept the terms at https:\/\/example\.org\/flow.*set HF_TOKEN/,
      ],
      [403, /answers 403/],
      [404, /answers 404 .*whether the file was moved, and at HF_ENDPOINT/],
      [429, /answers 429.*again/],
      [503, /answers 503.*again/],
    ] as const) {
      faults.status = status;
      const refused = { code: 'WEIGHTS_DOWNLOAD_FAILED', exitCode: 4, message: expect.stringMatching(words) };
      await expect(download()).rejects.toMatchObject(refused);
    }
    faults.status = 401;
    await expect(download({ hub: new Hub({ endpoint, token }) })).rejects.toMatchObject({
      message: expect.stringMatching(/^(?!.*hf_very).*let HF_TOKEN be a token that may read it/),
    });
    faults.status = undefined;
    faults.circle = true;
    await expect(download()).rejects.toMatchObject({ message: expect.stringMatching(/redirects 6 times/) });
    faults.circle = false;
    faults.silent = true;
    const hub = new Hub({ endpoint, patienceSeconds: 0.2 });
    await expect(download({ hub })).rejects.toMatchObject({
      code: 'WEIGHTS_DOWNLOAD_FAILED',
      message: expect.stringMatching(/sent nothing for 0\.2 s/),
    });
    await expect(download({ hub: new Hub({ endpoint: 'http://127.0.0.1:1' }) })).rejects.toMatchObject({
      code: 'WEIGHTS_DOWNLOAD_FAILED',
      message: expect.stringMatching(/cannot be reached .*HF_ENDPOINT/),
    });
  });

  it('stops when asked, and goes on later', async () => {
    const { download, files, folder } = await setUp();
    const controller = new AbortController();
    const stopping = download({
      signal: controller.signal,
      report: ({ name, done }) => name === A && done > 0 && controller.abort(),
    });
    await expect(stopping).rejects.toMatchObject({ name: 'AbortError' });
    expect(existsSync(join(folder, A))).toBe(false);
    await download();
    expect(isWhole(folder, files, A)).toBe(true);
  });

  it('refuses a folder that is a file', async () => {
    const { download, folder } = await setUp();
    await writeFile(folder, '');
    await expect(download()).rejects.toMatchObject({ code: 'OUTPUT_NOT_WRITABLE', subject: folder });
  });
});

describe('a token', () => {
  it('goes to the endpoint and to no host that it redirects to', async () => {
    const { download, endpoint, asked } = await setUp();
    await download({ hub: new Hub({ endpoint, token: ' hf_verySecret\n' }) });
    const sent = (server: string) => new Set(asked.filter((a) => a.server === server).map((a) => a.authorization));
    expect(sent('hub')).toEqual(new Set(['Bearer hf_verySecret']));
    expect(sent('store')).toEqual(new Set([undefined]));
  });

  it('is in no message, and neither is a password in the address', () => {
    for (const options of [
      { token: 'hf_very\nSecret' },
      { endpoint: 'https://me:Secret@mirror.example' },
      { endpoint: 'ftp://Secret' },
      { endpoint: 'Secret' },
    ]) {
      expect(() => new Hub(options)).toThrow(
        expect.objectContaining({ code: 'SETTINGS_INVALID', message: expect.not.stringContaining('Secret') }),
      );
    }
  });
});

describe('verify', () => {
  it('finds every file that is missing, damaged, or of a wrong form', async () => {
    const { download, folder, files } = await setUp();
    await download({ optional: true });
    const states = async () => (await verifyWeights(SMALL, folder)).map(({ state }) => state);
    // The server states no hash of small files.
    expect(await states()).toEqual(['unproven', 'good', 'good', 'good']);

    const header = (change: (bytes: Buffer) => Buffer) => change(Buffer.from(files[A]));
    const flipped = header((bytes) => bytes.fill(bytes[99_999] ^ 1, 99_999, 100_000));
    for (const [bytes, words] of [
      [files[A].subarray(0, -1), /has 3000\d\d bytes. Expected: 3000\d\d/],
      [flipped, /has the SHA-256 [\da-f]{64}. Expected: [\da-f]{64}/],
      [header((b) => b.fill('X', 9, 10)), /JSON/],
      [header((b) => Buffer.from(b.toString('latin1').replace('"U8"', '"U9"'), 'latin1')), /"U9"/],
      [header((b) => Buffer.from(b.toString('latin1').replace('[300000]', '[300001]'), 'latin1')), /300001 for U8/],
    ] as const) {
      await writeFile(join(folder, A), bytes);
      const [, found] = await verifyWeights(SMALL, folder);
      expect(found).toMatchObject({ state: 'invalid', error: { message: expect.stringMatching(words) } });
      expect(await states()).toEqual(['unproven', 'invalid', 'good', 'good']);
    }
  });

  it('holds files that were put there by hand against their form alone', async () => {
    const { folder, files } = await setUp();
    await mkdir(join(folder, 'some/flow/ckpts'), { recursive: true });
    await writeFile(join(folder, A), files[A]);
    const states = async () => (await verifyWeights(SMALL, folder)).map(({ state }) => state);
    expect(await states()).toEqual(['missing', 'unproven', 'missing', 'missing']);
    await truncate(join(folder, A), 200_000);
    expect(await states()).toEqual(['missing', 'invalid', 'missing', 'missing']);
  });

  it('tells of files that are there and cannot be read', async () => {
    const { folder, files } = await setUp();
    await mkdir(join(folder, 'some/flow/ckpts'), { recursive: true });
    await symlink('a.safetensors', join(folder, A));
    await writeFile(join(folder, 'some/flow/pipeline.json'), files['some/flow/pipeline.json']);
    const unread = { code: 'WEIGHTS_INVALID', subject: A, message: expect.stringMatching(/cannot be read \(ELOOP\)/) };
    const states = await verifyWeights(SMALL, folder);
    expect(states.map(({ state }) => state)).toEqual(['unproven', 'invalid', 'missing', 'missing']);
    expect(states[1].error).toMatchObject(unread);
    await expect(findWeights(SMALL, folder)).rejects.toMatchObject(unread);
    await expect(openWeights(SMALL, folder).tensors('some/flow', 'ckpts/a.safetensors')).rejects.toMatchObject(unread);
    await rm(join(folder, 'plinth-weights.json'), { force: true });
    await mkdir(join(folder, 'plinth-weights.json'));
    await expect(readNotes(folder)).rejects.toMatchObject({ code: 'WEIGHTS_INVALID', subject: 'plinth-weights.json' });
  });
});
