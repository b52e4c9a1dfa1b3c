import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyRequest } from 'fastify';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { DiskBudget } from '../../jobs/storage/diskBudget.js';
import { receive } from './receive.js';

/** A call of the file system that is held until it is let go, by name: what a busy disk does. */
const held = vi.hoisted(() => ({ call: '', reached: () => {}, letGo: Promise.resolve() }));
vi.mock('node:fs/promises', async (load) => {
  const real = await load<typeof import('node:fs/promises')>();
  const hold = async (call: string): Promise<void> => {
    if (held.call !== call) return;
    held.reached();
    await held.letGo;
  };
  return {
    ...real,
    mkdir: async (...args: Parameters<typeof real.mkdir>) => hold('mkdir').then(() => real.mkdir(...args)),
    open: async (...args: Parameters<typeof real.open>) => hold('open').then(() => real.open(...args)),
  };
});

const LIMITS = {
  bodyBytes: 1e6,
  files: 10,
  stallSeconds: 10,
  minimumBytesPerSecond: 1,
};
let incoming: string;
const target = () => ({ incoming, disk: new DiskBudget([incoming], 0) });
beforeEach(async () => {
  incoming = await mkdtemp(join(tmpdir(), 'plinth-receive-'));
});
afterEach(async () => {
  held.call = '';
  await rm(incoming, { recursive: true, force: true });
});

/** A raw upload that promises 1,000 bytes. */
function upload(body: PassThrough): FastifyRequest {
  const raw = Object.assign(body, { complete: false, socket: { bytesRead: 0 } });
  body.once('end', () => {
    raw.complete = true;
  });
  return {
    raw,
    headers: { 'content-type': 'application/zip', 'content-length': '1000' },
    query: {},
    isMultipart: () => false,
  } as unknown as FastifyRequest;
}

test('a whole body is on disk, and gone when it is discarded', async () => {
  const body = new PassThrough();
  const bytes = Buffer.alloc(1000, 'PK');
  body.end(bytes);
  const received = await receive(upload(body), target(), LIMITS);
  expect(await readFile(join(received.folder, 'capture.zip'))).toEqual(bytes);
  expect(received).toMatchObject({ name: 'capture.zip', fields: {} });
  await received.discard();
  expect(await readdir(incoming)).toEqual([]);
});

test.each(['mkdir', 'open'])('a client that leaves while %s runs leaves nothing on disk', async (call) => {
  const body = new PassThrough();
  body.write('PK');
  let letGo = (): void => {};
  const reached = new Promise<void>((resolve) => {
    held.call = call;
    held.reached = resolve;
  });
  held.letGo = new Promise((resolve) => {
    letGo = resolve;
  });
  // Attached at once, so that a rejection is never unhandled.
  const outcome = expect(receive(upload(body), target(), LIMITS)).rejects.toMatchObject({ code: 'UPLOAD_TRUNCATED' });
  await reached;
  body.destroy();
  // Time for a removal that does not wait for the call.
  await sleep(50);
  letGo();
  await outcome;
  expect(await readdir(incoming)).toEqual([]);
  await sleep(50);
  expect(await readdir(incoming)).toEqual([]);
});
