/**
 * What version 0.1 kept goes on under this one, and what this one keeps can be saved and brought back, to another kind
 * of database and storage.
 */
import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { Job, JobFile } from '../../src/api/job.js';
import { backup } from '../../src/jobs/backup/backup.js';
import { restore } from '../../src/jobs/backup/restore.js';
import { SCHEMA_VERSION } from '../../src/jobs/database/migrations.js';
import { openDatabase } from '../../src/jobs/database/openDatabase.js';
import { openArtifacts, type StorageChoice } from '../../src/jobs/storage/openArtifacts.js';
import { errorOf } from '../captureScene.js';
import { plinth } from '../command.js';
import { onBothDatabases } from './databases.js';
import { startS3 } from './s3.js';
import { copyDatabase } from './template.js';
import { startTestServer, type TestServer } from './testServer.js';

const FIXTURE = new URL('./fixtures/v0.1/', import.meta.url);
const fixture = (name: string): Promise<string> => readFile(new URL(name, FIXTURE), 'utf8');
interface Facts extends Record<string, string> {
  key: string;
}

onBothDatabases('what is kept', (url) => {
  const folders: string[] = [];
  const servers: TestServer[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.destroy();
    for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
  });
  const newFolder = async (): Promise<string> => {
    folders.push(await mkdtemp(join(tmpdir(), 'plinth-kept-')));
    return folders.at(-1)!;
  };

  /** A data folder and database as version 0.1 left them. */
  async function old(): Promise<{ data: string; databaseUrl?: string; facts: Facts }> {
    const data = await newFolder();
    const databaseUrl = await url();
    if (!databaseUrl) await copyDatabase(data);
    const db = await openDatabase({ url: databaseUrl, folder: data });
    await db.query(await fixture('database.sql'));
    await db.close();
    for (const [key, content] of Object.entries(JSON.parse(await fixture('store.json')) as Record<string, string>)) {
      await mkdir(dirname(join(data, 'store', key)), { recursive: true });
      await writeFile(join(data, 'store', key), Buffer.from(content, 'base64'));
    }
    return { data, databaseUrl, facts: JSON.parse(await fixture('facts.json')) as Facts };
  }

  async function serve(data: string, databaseUrl?: string, flags: Record<string, unknown> = {}): Promise<TestServer> {
    const server = await startTestServer({ data, databaseUrl, flags: { 'auth.mode': 'on', ...flags } });
    servers.push(server);
    return server;
  }

  /** Asks with the key of version 0.1, until the job has ended where `states` are given. */
  const asker = (server: TestServer, key: string) => {
    const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
      server.ask(path, { ...init, headers: { authorization: `Bearer ${key}` } });
    const job = async (id: string, ...states: string[]): Promise<Job> => {
      let found: Job | undefined;
      await expect
        .poll(async () => {
          found = (await (await ask(`/v1/jobs/${id}`)).json()) as Job;
          return states.length === 0 || states.includes(found.state);
        })
        .toBe(true);
      return found!;
    };
    return { ask, job };
  };

  async function expectWhole(server: TestServer, facts: Facts): Promise<void> {
    const { ask, job } = asker(server, facts.key);
    expect(await job(facts.done)).toMatchObject({
      name: 'Done',
      state: 'succeeded',
      attempt: 1,
      result: { files: 3, thumbnail: 'previews/front.png' },
    });
    const { files } = (await (await ask(`/v1/jobs/${facts.done}/files`)).json()) as { files: JobFile[] };
    const store = JSON.parse(await fixture('store.json')) as Record<string, string>;
    expect(files.map((f) => f.name)).toContain('asset.glb');
    for (const file of files) {
      const bytes = Buffer.from(await (await ask(file.url)).arrayBuffer());
      const [, kept] = Object.entries(store).find(
        ([key]) => key.includes(`${facts.done}/results/`) && key.endsWith(file.name),
      )!;
      expect(bytes.equals(Buffer.from(kept, 'base64')), file.name).toBe(true);
    }
    expect(await (await ask(`/v1/jobs/${facts.done}/log`)).text()).toContain('stage');
    expect(await job(facts.failed)).toMatchObject({ state: 'failed', failure: { code: 'CAPTURE_VIEWS_DISAGREE' } });
    expect(await job(facts.cancelled)).toMatchObject({ state: 'cancelled' });
    // What waited and what ran is done now.
    expect(await job(facts.waiting, 'succeeded', 'failed')).toMatchObject({ state: 'succeeded', attempt: 1 });
    expect(await job(facts.running, 'succeeded', 'failed')).toMatchObject({ state: 'succeeded', attempt: 2 });
    const { jobs } = (await (await ask('/v1/jobs')).json()) as { jobs: Job[] };
    expect(jobs.map((j) => j.name)).toEqual(['Waiting', 'Cancelled', 'Running', 'Failed', 'Done']);
    expect((await ask(`/v1/jobs/${facts.cancelled}/retry`, { method: 'POST' })).status).toBe(202);
    expect(await job(facts.cancelled, 'succeeded', 'failed')).toMatchObject({ state: 'succeeded' });
  }

  test('goes on under this version where 0.1 left it', async () => {
    const { data, databaseUrl, facts } = await old();
    await expectWhole(await serve(data, databaseUrl), facts);
  });

  test(
    'comes back from a backup that was made before the upgrade, on the other kind of database and ' + 'storage',
    async () => {
      const { data, databaseUrl, facts } = await old();
      const output = join(await newFolder(), 'backup');
      const from = await openDatabase({ url: databaseUrl, folder: data });
      const made = await backup({ db: from, artifacts: await openArtifacts({ kind: 'folder' }, data), output });
      await from.close();
      expect(made.schemaVersion).toBe(1);
      expect(made.tables.find((t) => t.name === 'jobs')!.rows).toBe(5);
      // Hashes of keys and secrets of webhooks are nobody else's business.
      for (const path of [output, join(output, 'database'), join(output, 'database/api_keys.jsonl')])
        expect((await stat(path)).mode & 0o077, path).toBe(0);

      const s3 = await startS3('kept');
      const storage: StorageChoice = {
        kind: 's3',
        bucket: 'kept',
        endpoint: s3.url,
        region: 'us-east-1',
        accessKeyId: 'a',
        secretAccessKey: 'b',
        forcePathStyle: true,
      };
      const flags = Object.fromEntries(Object.entries(storage).map(([name, value]) => [`storage.${name}`, value]));
      try {
        const place = await newFolder();
        const otherUrl = databaseUrl ? undefined : await url();
        if (!otherUrl) await copyDatabase(place);
        const to = await openDatabase({ url: otherUrl, folder: place });
        const artifacts = await openArtifacts(storage, place);
        await restore({ db: to, artifacts, input: output });
        const [{ version }] = await to.query<{ version: number }>('SELECT version FROM plinth.version');
        expect(version).toBe(SCHEMA_VERSION);
        // Not twice: what is there would be lost.
        expect((await errorOf(restore({ db: to, artifacts, input: output }))).code).toBe('RESTORE_NOT_EMPTY');
        await to.close();
        const server = await serve(place, otherUrl, flags);
        await expectWhole(server, { ...facts });
        await server.destroy();
        servers.splice(servers.indexOf(server), 1);
      } finally {
        await s3.stop();
      }
    },
  );

  test('is refused by a restore where a byte of the backup is another, and nothing is written then', async () => {
    const { data, databaseUrl } = await old();
    const output = join(await newFolder(), 'backup');
    const db = await openDatabase({ url: databaseUrl, folder: data });
    await backup({ db, artifacts: await openArtifacts({ kind: 'folder' }, data), output });
    expect((await errorOf(backup({ db, artifacts: await openArtifacts({ kind: 'folder' }, data), output }))).code).toBe(
      'OUTPUT_EXISTS',
    );
    await db.close();
    const place = await newFolder();
    await copyDatabase(place);
    const empty = await openDatabase({ folder: place });
    const artifacts = await openArtifacts({ kind: 'folder' }, place);
    const names = ['backup.json', 'files.jsonl', 'database/jobs.jsonl'];
    const asset = (await readdir(output, { recursive: true })).map(String).find((n) => n.endsWith('asset.glb'))!;
    for (const name of [...names, asset]) {
      const damaged = join(await newFolder(), 'damaged');
      await cp(output, damaged, { recursive: true });
      const bytes = await readFile(join(damaged, name));
      bytes[bytes.length >> 1] ^= 1;
      await writeFile(join(damaged, name), bytes);
      const { code, found } = await errorOf(restore({ db: empty, artifacts, input: damaged }));
      expect(code, `${name}: ${found}`).toMatch(/BACKUP_INVALID|DATABASE_TOO_NEW/);
      await rm(join(damaged, name));
      expect((await errorOf(restore({ db: empty, artifacts, input: damaged }))).code).toBe('BACKUP_INVALID');
    }
    expect(await artifacts.list('jobs')).toEqual([]);
    const [{ there }] = await empty.query<{ there: boolean }>(`SELECT to_regclass('plinth.jobs') IS NOT NULL AS there`);
    expect(there).toBe(false);
    await empty.close();
  });

  test('is saved while the service runs and works, on PostgreSQL', async () => {
    const databaseUrl = await url();
    if (!databaseUrl) return;
    const data = await newFolder();
    const server = await startTestServer({ data, databaseUrl });
    servers.push(server);
    const before = await Promise.all(Array.from({ length: 6 }, () => server.submit(['slow-1'])));
    await server.until(before[0].id, 'running', 'succeeded');
    const output = join(await newFolder(), 'backup');
    const flags = ['--data', data, '--database-url', databaseUrl, '--json'];
    const made = await plinth('backup', output, ...flags);
    expect(made.stderr).toBe('');
    expect(made.code).toBe(0);
    for (const { id } of before) await server.until(id, 'succeeded');

    const place = await newFolder();
    const otherUrl = (await url())!;
    const back = await plinth('restore', output, '--data', place, '--database-url', otherUrl);
    expect(back.stderr).toBe('');
    expect(back.stdout).toMatch(/Restored from .*: 6 jobs, \d+ files/);
    const other = await startTestServer({ data: place, databaseUrl: otherUrl });
    servers.push(other);
    for (const { id } of before) {
      await other.until(id, 'succeeded');
      const glb = Buffer.from(await (await other.ask(`/v1/jobs/${id}/files/asset.glb`)).arrayBuffer());
      const same = Buffer.from(await (await server.ask(`/v1/jobs/${id}/files/asset.glb`)).arrayBuffer());
      expect(createHash('sha256').update(glb).digest('hex')).toBe(createHash('sha256').update(same).digest('hex'));
    }
  });
});

test('plinth backup makes no service where there is none', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'plinth-none-'));
  const { code, stderr } = await plinth('backup', join(folder, 'backup'), '--data', join(folder, 'data'));
  expect(code).toBe(3);
  expect(stderr).toContain('There is no service in the data folder');
  expect(await readdir(folder)).toEqual([]);
  await rm(folder, { recursive: true });
});
