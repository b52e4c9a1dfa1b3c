import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { plinth } from '../command.js';

const folder = mkdtempSync(join(tmpdir(), 'plinth-commands-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Setting {
  path: string;
  value: unknown;
  origin: string;
}
const lines = <T>(text: string): T[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as T);

describe('plinth config', () => {
  it('prints every setting with its value and where that comes from, secrets hidden', async () => {
    const file = join(folder, 'settings.json');
    writeFileSync(
      file,
      JSON.stringify({ limits: { files: 7 }, database: { url: 'postgres://someone:secret@host/db' } }),
    );
    const { code, stdout } = await plinth(
      'config',
      '--json',
      '--config',
      file,
      '--gpu-policy',
      'off',
      '--auth-allow-open',
    );
    expect(code).toBe(0);
    expect(stdout).not.toContain('secret@');
    const settings = Object.fromEntries(lines<Setting>(stdout).map((s) => [s.path, s]));
    expect(settings['limits.files']).toMatchObject({ value: 7, origin: `file ${file}` });
    expect(settings['gpu.policy']).toMatchObject({ value: 'off', origin: 'flag --gpu-policy' });
    expect(settings['auth.allowOpen']).toMatchObject({ value: true, origin: 'flag --auth-allow-open' });
    expect(settings['limits.pixels']).toMatchObject({ origin: 'default' });
  });

  it('names a setting that is wrong, and where it came from', async () => {
    const { code, stderr } = await plinth('config', '--port', 'high');
    expect(code).toBe(3);
    expect(stderr).toMatch(/SETTINGS_INVALID[\s\S]*port is "high" \(flag --port\)/);
  });
});

describe('plinth serve', () => {
  it('refuses to serve others without keys before it looks at the GPU', async () => {
    const { code, stderr } = await plinth('serve', '--host', '0.0.0.0', '--auth-mode', 'off', '--data', folder);
    expect(code).toBe(3);
    expect(stderr).toContain('AUTHENTICATION_REQUIRED');
    expect(stderr).not.toContain('GPU');
  });

  it('ends with a code of its own and one message where the vendor asked for is not there', async () => {
    const args = ['--gpu-policy', 'required', '--gpu-vendors', 'nobody', '--data', folder, '--log-level', 'silent'];
    const { code, stdout, stderr } = await plinth('serve', ...args);
    // 10 on a machine without a GPU, 12 on one whose GPU is another vendor's.
    expect([10, 12]).toContain(code);
    expect(stderr).toMatch(/^\nplinth: GPU_(REQUIRED_MISSING|VENDOR_REFUSED)\n/);
    expect(stdout).toBe('');
  });
});

describe('plinth worker', () => {
  it('asks for a database that several processes can share', async () => {
    const { code, stderr } = await plinth('worker', '--data', folder);
    expect(code).toBe(3);
    expect(stderr).toContain('database.url');
  });
});

describe('plinth keys', () => {
  it('makes a key that is shown once, lists and revokes it', async () => {
    const data = join(folder, 'keys');
    const made = await plinth('keys', 'create', '--name', 'one', '--scope', 'admin', '--data', data);
    expect(made.code).toBe(0);
    expect(made.stdout).toMatch(/^plinth_[\w-]{43}\n$/);
    const listed = await plinth('keys', 'list', '--json', '--data', data);
    const [key] = lines<{ id: string; scope: string; name: string; revokedAt: string | null }>(listed.stdout);
    expect(key).toMatchObject({ name: 'one', scope: 'admin', revokedAt: null });
    expect(listed.stdout).not.toContain(made.stdout.trim());
    expect((await plinth('keys', 'revoke', key.id, '--data', data)).code).toBe(0);
    const again = await plinth('keys', 'revoke', key.id, '--data', data);
    expect(again.code).toBe(2);
    expect(again.stderr).toContain(key.id);
  });
});
