import { createHash } from 'node:crypto';
import { deserialize, serialize } from 'node:v8';
import type { CheckpointStore } from '../core/platform.js';
import { checkpointFolder } from '../platform/checkpointFolder.js';
import type { PhotoFeatures } from './features/extractPhoto.js';

/** Changes where what is kept means something else than before. */
const VERSION = 1;

/**
 * Features and matches that are kept between runs, named by what they were made of: the photos' bytes, options and
 * seed. So work that was stopped goes on, and photos that come in addition cost only themselves.
 */
export class WorkCache {
  private readonly store: CheckpointStore | undefined;

  /** @param folder where they are kept; without one nothing is */
  constructor(folder?: string) {
    this.store = folder === undefined ? undefined : checkpointFolder(folder);
  }

  /** The kept features of these ingredients, or those that `find` finds. */
  async features(ingredients: unknown, find: () => Promise<PhotoFeatures>): Promise<PhotoFeatures> {
    const found = await this.of<PhotoFeatures>('features', ingredients, find);
    return {
      ...found,
      points: new Float32Array(shared(found.points)),
      sigmas: new Float32Array(shared(found.sigmas)),
      descriptors: new Uint8Array(shared(found.descriptors)),
      bySize: new Uint32Array(shared(found.bySize)),
      colors: new Uint8Array(shared(found.colors)),
    };
  }

  /** What is kept of these ingredients, or what `find` finds, which is then kept. Plain data. */
  async of<Value extends object>(kind: string, ingredients: unknown, find: () => Promise<Value>): Promise<Value> {
    if (!this.store) return find();
    const text = JSON.stringify([VERSION, kind, ingredients]);
    const name = `${kind}-${createHash('sha256').update(text).digest('hex').slice(0, 40)}`;
    const kept = await this.store.read(name);
    const value = kept && parse<Value>(kept);
    if (value) return value;
    const found = await find();
    const bytes = serialize(unshared(found));
    await this.store.write(name, [createHash('sha256').update(bytes).digest(), bytes]);
    return found;
  }
}

const DIGEST = 32;

/** What was written, unless it is not what was written. */
function parse<Value>(bytes: Uint8Array): Value | undefined {
  const body = bytes.subarray(DIGEST);
  if (!createHash('sha256').update(body).digest().equals(bytes.subarray(0, DIGEST))) return undefined;
  return deserialize(body) as Value;
}

/** Numbers in memory that threads share, which no serialiser takes, as ordinary ones. */
function unshared<Value extends object>(value: Value): Value {
  const entries = Object.entries(value).map(([key, item]: [string, unknown]) => [
    key,
    ArrayBuffer.isView(item) && item.buffer instanceof SharedArrayBuffer
      ? (item as Uint8Array | Uint32Array | Float32Array).slice()
      : item,
  ]);
  return Object.fromEntries(entries) as Value;
}

/** The bytes of numbers as memory that threads share. */
function shared(view: ArrayBufferView): SharedArrayBuffer {
  if (view.buffer instanceof SharedArrayBuffer) return view.buffer;
  const copy = new SharedArrayBuffer(view.byteLength);
  new Uint8Array(copy).set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
  return copy;
}
