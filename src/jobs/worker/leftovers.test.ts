import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTicks } from '../database/folderLock.js';
import { endLeftovers, ProcessNotes } from './leftovers.js';

let data: string;
let child: ChildProcess;
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'plinth-left-'));
  child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
});
afterEach(async () => {
  child.kill('SIGKILL');
  await rm(data, { recursive: true, force: true });
});

const noted = async (): Promise<{ pid: number; children: { pid: number; startTicks?: string }[] }> =>
  JSON.parse(await readFile(join(data, 'processes', 'pool.json'), 'utf8'));
/** The note as a service left it that is gone. */
const asGone = async (change: object = {}): Promise<void> => {
  const note = { ...(await noted()), startTicks: '1', ...change };
  await writeFile(join(data, 'processes', 'pool.json'), JSON.stringify(note));
};

test.skipIf(process.platform !== 'linux')(
  'children of a service that is gone are ended, and its pool is told',
  async () => {
    const notes = await ProcessNotes.open(data, 'pool');
    await notes.note(child.pid!, true);
    // While the service runs, nothing happens.
    expect(await endLeftovers(data)).toEqual({ pools: [], ended: [] });
    await asGone();
    const ended = new Promise((resolve) => child.once('exit', (_code, signal) => resolve(signal)));
    expect(await endLeftovers(data)).toEqual({ pools: ['pool'], ended: [child.pid] });
    expect(await ended).toBe('SIGKILL');
    expect(await readdir(join(data, 'processes'))).toEqual([]);
  },
);

test('a process that merely has the id of a child is left alone, and so is everything of another host', async () => {
  const notes = await ProcessNotes.open(data, 'pool');
  await notes.note(child.pid!, true);
  await asGone({ children: [{ pid: child.pid, startTicks: '7' }, { pid: process.pid }] });
  expect(await endLeftovers(data)).toEqual({ pools: ['pool'], ended: [] });
  const other = await ProcessNotes.open(data, 'pool');
  await other.note(child.pid!, true);
  await asGone({ host: `not-${hostname()}` });
  expect(await endLeftovers(data)).toEqual({ pools: [], ended: [] });
  expect(child.exitCode ?? child.signalCode).toBeNull();
});

test('children that end are struck out, and a service that closed leaves no note, whatever ends after it', async () => {
  const notes = await ProcessNotes.open(data, 'pool');
  await notes.note(child.pid!, true);
  expect((await noted()).children).toEqual([{ pid: child.pid, startTicks: await startTicks(child.pid!) }]);
  await notes.note(child.pid!, false);
  expect((await noted()).children).toEqual([]);
  await notes.note(child.pid!, true);
  await notes.close();
  await notes.note(child.pid!, false);
  expect(await readdir(join(data, 'processes'))).toEqual([]);
});
