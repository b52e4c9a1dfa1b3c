import { chmod, chown, mkdir, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ownDataFolder } from './dataFolder.js';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'plinth-data-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

test('a new folder is for its user alone', async () => {
  await ownDataFolder(join(root, 'a', 'data'));
  expect(await modeOf(join(root, 'a', 'data'))).toBe(0o700);
});

test('an open one is closed with everything in it, and nothing outside', async () => {
  const data = join(root, 'data');
  const outside = join(root, 'outside');
  await mkdir(join(data, 'postgres'), { recursive: true });
  await writeFile(join(data, 'postgres', 'file'), '');
  await writeFile(outside, '');
  await symlink(outside, join(data, 'link'));
  for (const [path, mode] of [
    [data, 0o755],
    [join(data, 'postgres'), 0o775],
    [join(data, 'postgres', 'file'), 0o666],
    [outside, 0o644],
  ] as const)
    await chmod(path, mode);
  await ownDataFolder(data);
  expect(await modeOf(data)).toBe(0o700);
  expect(await modeOf(join(data, 'postgres'))).toBe(0o700);
  expect(await modeOf(join(data, 'postgres', 'file'))).toBe(0o600);
  expect(await modeOf(outside)).toBe(0o644);
});

// Only root can give a folder away.
test.skipIf(process.getuid?.() !== 0)('one of another user is refused', async () => {
  const data = join(root, 'data');
  await mkdir(data);
  await chown(data, 65_534, 65_534);
  await expect(ownDataFolder(data)).rejects.toMatchObject({ code: 'DATA_FOLDER_FOREIGN', kind: 'config' });
});
