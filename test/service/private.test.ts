/** What the service keeps to itself: its data folder, what it writes into the log, and how its owner reaches it. */
import { spawn } from 'node:child_process';
import { chown, lstat, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { PlinthClient } from '../../src/api/client.js';
import { plinth } from '../command.js';
import { startServerProcess } from './serverProcess.js';
import { captureForm } from './testServer.js';

let data: string;
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'plinth-private-'));
});
afterEach(() => rm(data, { recursive: true, force: true }));

/** Names below the data folder that others may read, write or enter. */
async function open(folder: string): Promise<string[]> {
  const names = ['.', ...(await readdir(folder, { recursive: true }))];
  const found: string[] = [];
  for (const name of names) {
    const facts = await lstat(join(folder, name)).catch(() => undefined);
    if (facts && (facts.mode & 0o077) !== 0) found.push(`${name} ${(facts.mode & 0o777).toString(8)}`);
  }
  return found;
}

test.skipIf(process.platform === 'win32')(
  'nothing in the data folder is open to others, whatever the umask',
  async () => {
    const umask = process.umask(0);
    const folder = join(data, 'data');
    const server = await startServerProcess(folder).finally(() => process.umask(umask));
    try {
      const client = new PlinthClient({ url: server.url });
      const form = captureForm();
      const answer = await fetch(`${server.url}/v1/jobs`, { method: 'POST', body: form });
      const { id } = (await answer.json()) as { id: string };
      await client.upload([{ name: 'a.png', data: new Blob(['abc']) }]);
      expect((await client.wait(id)).state).toBe('succeeded');
      const names = await readdir(folder, { recursive: true });
      for (const wanted of ['postgres/PG_VERSION', 'operator.json', 'plinth.lock']) expect(names).toContain(wanted);
      expect(names.some((n) => n.startsWith(`store/jobs/${id}/results/`))).toBe(true);
      expect(await open(folder)).toEqual([]);
    } finally {
      expect(await server.end('SIGTERM')).toBe(0);
    }
    expect(await open(folder)).toEqual([]);
    expect(await readdir(folder)).not.toContain('operator.json');
  },
);

test.skipIf(process.getuid?.() !== 0)('a data folder of another user is refused', async () => {
  const folder = join(data, 'data');
  await mkdir(folder);
  await chown(folder, 65_534, 65_534);
  const main = fileURLToPath(new URL('./serverMain.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', main, 'serve'], {
    env: { ...process.env, PLINTH_DATA: folder, PLINTH_PORT: '0', PLINTH_LOG_LEVEL: 'silent' },
  });
  let text = '';
  child.stdout.on('data', (part) => {
    text += part;
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  expect([code, text]).toEqual([3, expect.stringContaining('DATA_FOLDER_FOREIGN')]);
  expect(await readdir(folder)).toEqual([]);
});

test('secrets in a query reach neither log nor answer', async () => {
  const server = await startServerProcess(data, {
    environment: { PLINTH_LOG_LEVEL: 'debug', PLINTH_WEBHOOKS_ALLOW_PRIVATE: 'true' },
  });
  let log = '';
  server.process.stdout!.on('data', (part) => {
    log += part;
  });
  const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
  try {
    const webhook = JSON.stringify({ url: 'http://127.0.0.1:9/', secret });
    const query = new URLSearchParams({ webhook });
    const headers = { 'content-type': 'application/zip' };
    for (const path of ['/v1/jobs', '/v1/nothing', '/v1/jobs/%ff', '/v1/keys']) {
      const answer = await fetch(`${server.url}${path}?${query}`, { method: 'POST', body: 'no zip', headers });
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(await answer.text()).not.toMatch(/whsec|BwcHBwcH/);
    }
    // The address of a receiver is often all that one needs to write there.
    const url = 'http://127.0.0.1:9/services/BwcHBwcH';
    const body = captureForm(['input-error'], { webhook: JSON.stringify({ url, secret }) });
    expect((await fetch(`${server.url}/v1/jobs`, { method: 'POST', body })).status).toBe(202);
    await vi.waitUntil(() => log.includes('a webhook was not taken'), { timeout: 60_000, interval: 100 });
  } finally {
    await server.end('SIGTERM');
  }
  expect(log).toContain('"path":"/v1/jobs"');
  expect(log).not.toMatch(/whsec|BwcHBwcH/);
});

test('the first key is made on the machine while the service runs, and who made it is written down', async () => {
  const server = await startServerProcess(data, { environment: { PLINTH_AUTH_MODE: 'on' } });
  try {
    const made = await plinth(
      'keys',
      'create',
      '--name',
      'first',
      '--scope',
      'admin',
      '--project',
      'p',
      '--data',
      data,
    );
    expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/^plinth_[\w-]{43}\n$/) });
    const client = new PlinthClient({ url: server.url, key: made.stdout.trim() });
    expect(await client.keys()).toMatchObject([{ name: 'first', scope: 'admin', project: 'p' }]);
    const audit = await plinth('audit', '--json', '--data', data);
    expect(JSON.parse(audit.stdout.split('\n')[0])).toMatchObject({ action: 'createKey', name: 'operator' });
    const [{ id }] = await client.keys();
    const listed = await plinth('keys', 'list', '--data', data);
    expect(listed.stdout).toContain(id);
    expect((await plinth('keys', 'revoke', id, '--data', data)).code).toBe(0);
    await expect(client.keys()).rejects.toMatchObject({ status: 401 });
    expect(await plinth('keys', 'revoke', id, '--data', data)).toMatchObject({ code: 2 });
  } finally {
    await server.end('SIGTERM');
  }
});
