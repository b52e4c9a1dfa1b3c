import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FolderStore } from './folderStore.js';
import { WorkFolder } from './workFolder.js';

let scratch: string;
let store: FolderStore;
beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'plinth-work-'));
  store = new FolderStore(join(scratch, 'store'));
});
afterEach(() => rm(scratch, { recursive: true, force: true }));

const open = (claim: string, machine = 'here'): Promise<WorkFolder> =>
  WorkFolder.open(join(scratch, machine), store, '1', claim);
const reached = async (folder: WorkFolder): Promise<string> =>
  await readFile(join(folder.checkpoint, 'state'), 'utf8').catch(() => 'nothing');
const reach = (folder: WorkFolder, state: string): Promise<void> => writeFile(join(folder.checkpoint, 'state'), state);

test('the next attempt takes the folder of the last one over', async () => {
  await reach(await open('a'), 'half');
  expect(await reached(await open('b'))).toBe('half');
  expect(await readdir(join(scratch, 'here', '1'))).toEqual(['b']);
});

test(
  'what was saved is taken up on another machine, and on the same one only while nothing newer is ' + 'there',
  async () => {
    const first = await open('a');
    await reach(first, 'one');
    await first.save();
    const second = await open('b', 'elsewhere');
    expect(await reached(second)).toBe('one');
    await reach(second, 'two');
    // Killed there, and begun again there: what is in the store is older.
    const third = await open('c', 'elsewhere');
    expect(await reached(third)).toBe('two');
    await third.save();
    expect(await reached(await open('d'))).toBe('two');
    expect(await store.children('jobs/1/resume')).toEqual(['c', 'c.json']);
  },
);

test('what was saved in part only is no point to go on from', async () => {
  await mkdir(join(scratch, 'part'));
  await writeFile(join(scratch, 'part', 'state'), 'half');
  await store.keep(join(scratch, 'part'), 'jobs/1/resume/a/checkpoint', ['state']);
  expect(await reached(await open('b'))).toBe('nothing');
  const folder = await open('c');
  await reach(folder, 'whole');
  await folder.save();
  await rm(join(scratch, 'store/jobs/1/resume/c/checkpoint/state'));
  expect(await reached(await open('d'))).toBe('nothing');
});
