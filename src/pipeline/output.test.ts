import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listFiles, OutputFolder, RESULT_MARK } from './output.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'plinth-output-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const result = (path: string, content: string): void => {
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, RESULT_MARK), JSON.stringify({ schemaVersion: 1 }));
  writeFileSync(join(path, 'asset.glb'), content);
};

/** The id of a process that has ended. */
const deadPid = (): number => spawnSync(process.execPath, ['-e', '']).pid!;

describe('OutputFolder', () => {
  it('shows nothing at the place of the result until it is committed', async () => {
    const path = join(folder, 'new', 'out');
    const out = await OutputFolder.open(path, true);
    writeFileSync(join(out.partial, 'asset.glb'), 'x');
    expect(existsSync(path)).toBe(false);
    await out.commit();
    expect(readFileSync(join(path, 'asset.glb'), 'utf8')).toBe('x');
    expect(readdirSync(join(folder, 'new'))).toEqual(['out']);
  });

  it('replaces an earlier result as a whole', async () => {
    const path = join(folder, 'out');
    result(path, 'old');
    writeFileSync(join(path, 'left-over.txt'), '');
    const out = await OutputFolder.open(path, true);
    expect(readFileSync(join(path, 'asset.glb'), 'utf8')).toBe('old');
    writeFileSync(join(out.partial, 'asset.glb'), 'new');
    await out.commit();
    expect(readdirSync(path)).toEqual(['asset.glb']);
    expect(readFileSync(join(path, 'asset.glb'), 'utf8')).toBe('new');
    expect(readdirSync(folder)).toEqual(['out']);
  });

  it('keeps the earlier result where the new one is discarded', async () => {
    const path = join(folder, 'out');
    result(path, 'old');
    const out = await OutputFolder.open(path, true);
    await out.discard();
    expect(readdirSync(folder)).toEqual(['out']);
    expect(readFileSync(join(path, 'asset.glb'), 'utf8')).toBe('old');
  });

  it('never touches a folder that is no Plinth result', async () => {
    const path = join(folder, 'photos');
    mkdirSync(path);
    writeFileSync(join(path, 'me.jpg'), '');
    await expect(OutputFolder.open(path, true)).rejects.toMatchObject({ code: 'OUTPUT_EXISTS' });
    writeFileSync(join(path, RESULT_MARK), '[]');
    await expect(OutputFolder.open(path, true)).rejects.toMatchObject({ code: 'OUTPUT_EXISTS' });
    expect(readdirSync(path).sort()).toEqual(['me.jpg', RESULT_MARK]);
  });

  it('refuses to overwrite where that is not allowed, and a file in the place of the folder', async () => {
    const path = join(folder, 'out');
    result(path, 'old');
    await expect(OutputFolder.open(path, false)).rejects.toMatchObject({ code: 'OUTPUT_EXISTS' });
    await expect(OutputFolder.open(join(path, 'asset.glb'), true)).rejects.toMatchObject({ code: 'OUTPUT_EXISTS' });
  });

  it('removes what a killed process left, and restores a result it had put aside', async () => {
    const pid = deadPid();
    mkdirSync(join(folder, `.out.partial-${pid}`));
    result(join(folder, `.out.partial-${pid}-old`), 'old');
    mkdirSync(join(folder, '.out.partial-kept'));
    mkdirSync(join(folder, `.other.partial-${pid}`));
    const out = await OutputFolder.open(join(folder, 'out'), true);
    await out.discard();
    expect(readdirSync(folder).sort()).toEqual([`.other.partial-${pid}`, '.out.partial-kept', 'out']);
    expect(readFileSync(join(folder, 'out', 'asset.glb'), 'utf8')).toBe('old');
  });

  it('leaves the partial folder of a living process alone', async () => {
    const path = join(folder, `.out.partial-${process.ppid}`);
    mkdirSync(path);
    await (await OutputFolder.open(join(folder, 'out'), true)).discard();
    expect(existsSync(path)).toBe(true);
  });
});

describe('listFiles', () => {
  it('lists files of all levels, sorted, with forward slashes', async () => {
    mkdirSync(join(folder, 'b/c'), { recursive: true });
    for (const f of ['b/c/2.png', 'b/1.png', 'a.txt']) writeFileSync(join(folder, f), '');
    expect(await listFiles(folder)).toEqual(['a.txt', 'b/1.png', 'b/c/2.png']);
  });
});
