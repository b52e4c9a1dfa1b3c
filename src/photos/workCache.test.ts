import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { useFolders } from '../../test/captureScene.js';
import { checkpointFolder } from '../platform/checkpointFolder.js';
import type { PhotoFeatures } from './features/extractPhoto.js';
import { WorkCache } from './workCache.js';

const folder = useFolders();
const shared = (values: number[]): Float32Array => {
  const out = new Float32Array(new SharedArrayBuffer(4 * values.length));
  out.set(values);
  return out;
};
const FEATURES: PhotoFeatures = {
  count: 2,
  points: shared([1, 2, 3, 4]),
  sigmas: shared([5, 6]),
  descriptors: Uint8Array.of(7, 8),
  bySize: Uint32Array.of(1, 0),
  colors: Uint8Array.of(1, 2, 3, 4, 5, 6),
  sharpness: 0.4,
};

describe('WorkCache', () => {
  it('gives back what was made of the same, and makes what was made of something else or is damaged', async () => {
    const root = await folder();
    const cache = new WorkCache(checkpointFolder(root));
    let made = 0;
    const find = async (): Promise<PhotoFeatures> => {
      made++;
      return FEATURES;
    };
    const first = await cache.features(['abc', 3200], find);
    const again = await new WorkCache(checkpointFolder(root)).features(['abc', 3200], find);
    expect(made).toBe(1);
    expect(again).toEqual(first);
    expect(again.points.buffer).toBeInstanceOf(SharedArrayBuffer);
    await cache.features(['abc', 1600], find);
    await cache.features(['abd', 3200], find);
    expect(made).toBe(3);
    for (const name of await readdir(root)) {
      const bytes = await readFile(join(root, name));
      bytes[bytes.length - 1] ^= 1;
      await writeFile(join(root, name), bytes);
    }
    expect(await cache.features(['abc', 3200], find)).toEqual(first);
    expect(made).toBe(4);
    await new WorkCache().features(['abc', 3200], find);
    expect(made).toBe(5);
  });
});
