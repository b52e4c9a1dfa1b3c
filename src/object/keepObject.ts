import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Capture, SparsePoints } from '../capture/capture.js';
import { throwIfCancelled } from '../core/errors.js';
import type { CheckpointStore } from '../core/platform.js';
import { VERSION } from '../core/version.js';
import { kept } from '../platform/kept.js';
import { type FindObjectOptions, type FoundObject, findObject } from './findObject.js';

/**
 * The object of a capture, as it was found before for the same pictures, cameras and options, or found now and kept.
 */
export async function keptObject(
  store: CheckpointStore | undefined,
  { views, points }: Capture,
  options: FindObjectOptions,
): Promise<FoundObject> {
  const sparse: SparsePoints = points ?? { positions: new Float64Array(0) };
  const key = store && (await objectKey(views, sparse, options));
  if (!store || !key) return findObject(views, sparse, options);
  return kept(store, `object-${key}`, () => findObject(views, sparse, options));
}

/** Counts what is kept in another way, or found by another rule, within one version. */
const FORMAT = 3;

/** Undefined for pictures that are no files: their content is not known before they are loaded. */
async function objectKey(
  views: Capture['views'],
  { positions }: SparsePoints,
  { seed, hints, level, signal }: FindObjectOptions,
): Promise<string | undefined> {
  const key = createHash('sha256').update(JSON.stringify([VERSION, FORMAT, seed ?? 0, level ?? false, hints ?? {}]));
  key.update(new Uint8Array(positions.buffer, positions.byteOffset, positions.byteLength));
  for (const { name, source, split, camera } of views) {
    throwIfCancelled(signal);
    const bytes = await readFile(source).catch(() => undefined);
    if (!bytes) return undefined;
    const digest = createHash('sha256').update(bytes).digest('hex');
    key.update(JSON.stringify([name, split, camera, digest]));
  }
  return key.digest('hex').slice(0, 24);
}
