import { deserialize, serialize } from 'node:v8';
import { deflateSync, inflateSync } from 'node:zlib';
import type { CheckpointStore } from '../core/platform.js';

/**
 * Plain data that was made and kept before under a name, or else is made and kept now.
 *
 * @param name says all that the data depend on, such as a digest of it
 */
export async function kept<T>(store: CheckpointStore, name: string, make: () => Promise<T>): Promise<T> {
  const bytes = await store.read(name);
  if (bytes) {
    try {
      return deserialize(inflateSync(bytes)) as T;
    } catch {
      // Damaged, or written by another version of Node: made anew.
    }
  }
  const made = await make();
  await store.write(name, [deflateSync(serialize(made), { level: 3 })]);
  return made;
}
