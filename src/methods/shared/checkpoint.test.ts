import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { useFolders } from '../../../test/captureScene.js';
import { checkpointFolder } from '../../platform/checkpointFolder.js';
import { type Checkpoint, checkpointKey, readCheckpoint, writeCheckpoint } from './checkpoint.js';

const folder = useFolders();

const checkpoint: Checkpoint = {
  key: await checkpointKey({ a: 1 }),
  iteration: 120,
  facts: { start: { voxels: 3 }, curves: [[10, 0.5]] },
  arrays: {
    positions: Float32Array.of(1.5, -0, Number.NaN, 1e-40),
    empty: new Float32Array(0),
    indices: Uint32Array.of(0, 0xffffffff),
  },
};

test('a checkpoint comes back to the bit', async () => {
  const path = await folder();
  await writeCheckpoint(checkpointFolder(path), 'work', checkpoint);
  const back = await readCheckpoint(checkpointFolder(path), 'work', checkpoint.key);
  expect(back).toEqual(checkpoint);
  expect(new Uint32Array(back!.arrays.positions.buffer)).toEqual(
    new Uint32Array(checkpoint.arrays.positions.buffer as ArrayBuffer),
  );
});

test('a checkpoint of another run, a damaged one and none at all are no checkpoints', async () => {
  const path = await folder();
  expect(await readCheckpoint(checkpointFolder(path), 'work', checkpoint.key)).toBeUndefined();
  await writeCheckpoint(checkpointFolder(path), 'work', checkpoint);
  expect(await readCheckpoint(checkpointFolder(path), 'work', await checkpointKey({ a: 2 }))).toBeUndefined();
  const [name] = await readdir(path);
  const bytes = await readFile(join(path, name));
  for (const length of [0, 21, 40, bytes.length - 1]) {
    await writeFile(join(path, name), bytes.subarray(0, length));
    expect(await readCheckpoint(checkpointFolder(path), 'work', checkpoint.key)).toBeUndefined();
  }
});

test('checkpoints of different names stand beside each other', async () => {
  const path = await folder();
  await writeCheckpoint(checkpointFolder(path), 'work', checkpoint);
  await writeCheckpoint(checkpointFolder(path), 'other', { ...checkpoint, iteration: 7 });
  expect((await readCheckpoint(checkpointFolder(path), 'work', checkpoint.key))?.iteration).toBe(120);
  expect((await readCheckpoint(checkpointFolder(path), 'other', checkpoint.key))?.iteration).toBe(7);
});

test('writing anew replaces the last checkpoint and leaves nothing beside it', async () => {
  const path = await folder();
  await writeCheckpoint(checkpointFolder(path), 'work', checkpoint);
  await writeCheckpoint(checkpointFolder(path), 'work', { ...checkpoint, iteration: 130 });
  expect(await readdir(path)).toHaveLength(1);
  expect((await readCheckpoint(checkpointFolder(path), 'work', checkpoint.key))?.iteration).toBe(130);
});
