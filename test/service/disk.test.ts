import { mkdir, mkdtemp, readdir, rm, statfs, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PlinthClient } from '../../src/api/client.js';
import { captureZip } from './captureZip.js';
import { mountSmallDisk, type SmallDisk } from './smallDisk.js';
import { copyDatabase } from './template.js';
import { captureForm, startTestServer, type TestServer } from './testServer.js';

const MiB = 2 ** 20;
const probe = mountSmallDisk(1);
probe?.remove();
if (!probe) console.warn('a full disk: no file system can be mounted here (it takes root), so its tests are left out');

/** The data folder keeps its database on the large disk: what fills up is where pictures and results go. */
describe.skipIf(!probe)('a disk that fills up', () => {
  const SIZE = 160;
  const RESERVE = 30;
  let disk: SmallDisk;
  let server: TestServer;
  let client: PlinthClient;
  let data: string;
  const start = async (folder: string): Promise<TestServer> =>
    await startTestServer({
      data: folder,
      flags: {
        'retention.minimumFreeBytes': RESERVE * MiB,
        'limits.bodyBytes': 300 * MiB,
        'limits.unpackedBytes': 1000 * MiB,
      },
    });
  beforeAll(async () => {
    data = await mkdtemp(join(tmpdir(), 'plinth-full-'));
    disk = mountSmallDisk(SIZE)!;
    server = await start(await onSmallDisk());
    client = new PlinthClient({ url: server.url });
  });
  afterAll(async () => {
    await server.close();
    disk.remove();
    await rm(data, { recursive: true, force: true });
  });

  /** Everything but the database lies on the small disk. */
  async function onSmallDisk(): Promise<string> {
    const folder = await mkdtemp(join(data, 'server-'));
    await copyDatabase(folder);
    for (const name of ['incoming', 'work', 'store']) {
      await mkdir(join(disk.folder, name));
      await symlink(join(disk.folder, name), join(folder, name));
    }
    return folder;
  }

  const free = async (): Promise<number> => {
    const { bavail, bsize } = await statfs(disk.folder);
    return (bavail * bsize) / MiB;
  };

  async function refused(response: Response): Promise<void> {
    const body = (await response.json()) as { code: string; detail: string };
    expect([response.status, body.code], body.detail).toEqual([507, 'DISK_LOW']);
    expect(response.headers.get('retry-after')).not.toBeNull();
  }

  const begin = (mebibytes: number): Promise<Response> =>
    server.ask('/v1/tus', {
      method: 'POST',
      headers: { 'tus-resumable': '1.0.0', 'upload-length': String(mebibytes * MiB) },
    });

  test('resumable uploads get no more room than there is, and none of the reserve', async () => {
    const first = await begin(90);
    expect(first.status).toBe(201);
    await refused(await begin(90));
    const second = await begin(30);
    expect(second.status).toBe(201);
    // Both are sent whole at the same time; a job's room is still there.
    const send = (url: string, mebibytes: number): Promise<Response> =>
      server.ask(url, {
        method: 'PATCH',
        body: new Uint8Array(mebibytes * MiB),
        headers: { 'content-type': 'application/offset+octet-stream', 'upload-offset': '0', 'tus-resumable': '1.0.0' },
      });
    const [one, two] = [first, second].map((r) => r.headers.get('location')!);
    expect((await Promise.all([send(one, 90), send(two, 30)])).map((r) => r.status)).toEqual([204, 204]);
    expect(await free()).toBeGreaterThanOrEqual(RESERVE);
    await refused(await begin(15));
    await refused(await server.ask('/v1/jobs', { method: 'POST', body: bigForm(15) }));
    await server.ask(one, { method: 'DELETE' });
    const third = await begin(15);
    expect(third.status).toBe(201);
    for (const url of [two, third.headers.get('location')!]) await server.ask(url, { method: 'DELETE' });
  });

  test('an archive that unpacks to more than there is room for is the disk’s fault, not the client’s', async () => {
    const zip = await captureZip(2 * MiB, 250 * MiB);
    expect(zip.length).toBeLessThan(3 * MiB);
    const before = await free();
    const send = (): Promise<Response> =>
      server.ask('/v1/jobs', {
        method: 'POST',
        body: new Uint8Array(zip),
        headers: { 'content-type': 'application/zip' },
      });
    await refused(await send());
    expect(await free()).toBeCloseTo(before, 0);
    expect(await readdir(join(disk.folder, 'incoming'))).toEqual([]);
    const small = await captureZip(MiB, 20 * MiB);
    const uploaded = await client.upload([{ name: 'capture.zip', data: new Blob([new Uint8Array(small)]) }]);
    await server.until((await client.submitStored({ upload: uploaded.id })).id, 'succeeded');
  });

  test('a full disk shows in health, holds up new jobs and is no end of a running one', async () => {
    expect((await server.ask('/health')).status).toBe(200);
    const running = await server.submit(['slow-5', 'fill-disk-1']);
    await server.until(running.id, 'running');
    // The first attempt fills the disk at its second stage; its room comes back with what it had written.
    const done = await server.until(running.id, 'succeeded', 'failed');
    expect([done.state, done.attempt, done.failure]).toEqual(['succeeded', 2, null]);
    const events = [];
    for await (const event of client.watch(running.id)) events.push(event);
    expect(events).toContainEqual(
      expect.objectContaining({
        type: 'state',
        state: 'queued',
        failure: expect.objectContaining({ code: 'DISK_LOW' }),
      }),
    );

    const waits = await server.submit(['slow-20']);
    await server.until(waits.id, 'running');
    const queued = await server.submit([]);
    const filler = join(disk.folder, 'somebody-else');
    await writeFile(filler, Buffer.alloc(Math.floor(((await free()) - RESERVE + 5) * MiB)));
    const health = await client.health();
    expect(health.status).toBe('unhealthy');
    expect(health.reasons.join()).toContain('Too little disk');
    expect((await server.ask('/health/ready')).status).toBe(503);
    await refused(await server.ask('/v1/jobs', { method: 'POST', body: captureForm() }));
    // What runs ends within the reserve; what waits goes on waiting.
    await server.until(waits.id, 'succeeded');
    expect((await client.get(queued.id)).state).toBe('queued');
    await rm(filler);
    await server.until(queued.id, 'succeeded');
  });

  test('room is promised anew for what an earlier process took in part', async () => {
    await begin(100);
    const { data: folder } = server.settings;
    await server.close();
    server = await start(folder);
    await refused(await begin(50));
    expect((await begin(20)).status).toBe(201);
  });

  function bigForm(mebibytes: number): FormData {
    const form = captureForm();
    form.append('files', new Blob([new Uint8Array(mebibytes * MiB)]), 'large.png');
    return form;
  }
});
