/** The embedded database on a disk that fills up: tables, its log, all of it. */
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { PlinthClient } from '../../src/api/client.js';
import { mountSmallDisk, type SmallDisk } from './smallDisk.js';
import { copyDatabase } from './template.js';
import { startTestServer } from './testServer.js';

vi.setConfig({ testTimeout: 300_000 });
const probe = mountSmallDisk(1);
probe?.remove();
if (!probe) console.warn('a full disk: no file system can be mounted here (it takes root), so its test is left out');

/** Takes every byte that is free. */
function fill({ folder }: SmallDisk): void {
  const file = openSync(join(folder, 'somebody-else'), 'a');
  for (const bytes of [2 ** 20, 4096]) {
    try {
      for (;;) writeSync(file, Buffer.alloc(bytes));
    } catch {
      // Full.
    }
  }
  closeSync(file);
}
const empty = ({ folder }: SmallDisk): void => rmSync(join(folder, 'somebody-else'), { force: true });

test.runIf(probe)('the embedded database on a full disk refuses, says so, loses nothing and goes on', async () => {
  const disk = mountSmallDisk(220)!;
  const data = join(disk.folder, 'data');
  mkdirSync(data);
  await copyDatabase(data);
  let server = await startTestServer({ data });
  try {
    const client = (): PlinthClient => new PlinthClient({ url: server.url });
    const { db } = server.service;
    /** Writes until the database cannot. */
    const until = async (statement: string, values?: unknown[]): Promise<unknown> => {
      for (;;) {
        try {
          await db.query(statement, values);
        } catch (error) {
          return (error as { code?: string }).code;
        }
      }
    };
    const codeOf = async (answer: Response): Promise<unknown[]> => [
      answer.status,
      ((await answer.json()) as { code?: string }).code,
    ];
    const done = await server.submit();
    await server.until(done.id, 'succeeded');
    const running = await server.submit(['slow-20']);
    await server.until(running.id, 'running');
    const queued = await server.submit();

    fill(disk);
    expect(await until('INSERT INTO plinth.audit (name, action) VALUES ($1, $1)', ['x'.repeat(4000)])).toBe('53100');
    const refused = await server.ask('/v1/jobs', {
      method: 'POST',
      body: '{"example": "vase-six"}',
      headers: { 'content-type': 'application/json' },
    });
    expect(refused.headers.get('retry-after')).not.toBeNull();
    expect(await codeOf(refused)).toEqual([507, 'DISK_LOW']);
    expect((await client().get(done.id)).state).toBe('succeeded');
    await expect
      .poll(async () => (await client().health()).reasons.join(), { timeout: 20_000 })
      .toContain('Too little disk');
    expect((await server.ask('/health')).status).toBe(503);

    // Its log cannot grow: once it turned in a circle then, and nothing was answered any more.
    expect(await until(`SELECT pg_logical_emit_message(true, 'x', repeat('x', 500000))`)).toBe('DATABASE_UNAVAILABLE');
    for (const [method, path] of [
      ['GET', `/v1/jobs/${done.id}`],
      ['POST', `/v1/jobs/${queued.id}/cancel`],
    ]) {
      const away = await server.ask(path, { method });
      expect(Number(away.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(await codeOf(away)).toEqual([503, 'DATABASE_UNAVAILABLE']);
    }
    expect((await server.ask('/health')).status).toBe(503);
    expect((await server.ask('/health/live')).status).toBe(200);

    // With room again it goes on by itself: what was taken is there, and ends.
    empty(disk);
    await expect.poll(async () => (await server.ask('/v1/jobs')).status, { timeout: 60_000 }).toBe(200);
    for (const { id } of [done, running, queued]) {
      expect(await server.until(id, 'succeeded', 'failed', 'cancelled')).toMatchObject({ state: 'succeeded' });
      expect((await server.ask(`/v1/jobs/${id}/files/asset.glb`)).status).toBe(200);
    }
    await server.until((await server.submit()).id, 'succeeded');
    await expect.poll(async () => (await client().health()).status, { timeout: 60_000 }).toBe('healthy');

    // Started on a full disk, it may refuse, and harms nothing.
    await server.close();
    fill(disk);
    const started = await startTestServer({ data }).catch((error: { code?: string }) => error);
    if ('close' in started) await started.close();
    else expect(['DATABASE_UNAVAILABLE', 'DISK_LOW', 'ENOSPC']).toContain(started.code);
    empty(disk);
    server = await startTestServer({ data });
    expect((await client().list()).jobs.map((job) => job.state)).toEqual(new Array(4).fill('succeeded'));
    // Every row and every index is whole.
    const tables = await server.service.db.query<{ name: string }>(
      `SELECT relname AS name FROM pg_class WHERE relnamespace = 'plinth'::regnamespace AND relkind = 'r'`,
    );
    for (const { name } of tables) {
      await server.service.db.query(`SELECT count(t::text) FROM plinth.${name} t`);
      await server.service.db.query(`REINDEX TABLE plinth.${name}`);
    }
  } finally {
    await server.close();
    disk.remove();
  }
});
