import { createHash } from 'node:crypto';
import type { CheckpointStore } from '../core/platform.js';
import { VERSION } from '../core/version.js';
import { kept } from '../platform/kept.js';
import type { PhotoFeatures } from './features/extractPhoto.js';

/**
 * Features and matches that are kept between runs, named by what they were made of: the photos' bytes, options and
 * seed. So work that was stopped goes on, and photos that come in addition cost only themselves.
 */
export class WorkCache {
  /** @param store where they are kept; without one nothing is */
  constructor(private readonly store?: CheckpointStore) {}

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
  of<Value extends object>(kind: string, ingredients: unknown, find: () => Promise<Value>): Promise<Value> {
    if (!this.store) return find();
    const digest = createHash('sha256')
      .update(JSON.stringify([VERSION, ingredients]))
      .digest('hex');
    return kept(this.store, `${kind}-${digest.slice(0, 40)}`, async () => unshared(await find()));
  }
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
