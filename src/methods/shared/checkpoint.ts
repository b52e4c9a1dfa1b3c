import { sha256 } from '../../core/digest.js';
import type { CheckpointStore } from '../../core/platform.js';

/** First line of a checkpoint of that name. */
const magicOf = (name: string): string => `PLINTH-${name.toUpperCase()}-1\n`;

/** Everything that a run needs to go on exactly where it was, and how far it is. */
export interface Checkpoint {
  /** What the run was started with; see `checkpointKey`. */
  key: string;
  /** Steps done. */
  iteration: number;
  /** Small facts, JSON-serialisable. */
  facts: Record<string, unknown>;
  arrays: Record<string, Float32Array | Uint32Array>;
}

/** A digest of whatever decides the course of a run. A checkpoint of another key is of no use. */
export const checkpointKey = (decisive: unknown): Promise<string> => sha256(JSON.stringify(decisive));

interface Header extends Omit<Checkpoint, 'arrays'> {
  arrays: { name: string; type: 'f32' | 'u32'; length: number }[];
}

/**
 * Writes a checkpoint in place of the last one of that name, which says what it is of: `nvdiffrec`.
 *
 * Format: a line of magic, the length of the header (u32, little-endian), the header as JSON, and the arrays one after
 * the other.
 */
export async function writeCheckpoint(
  store: CheckpointStore,
  name: string,
  { arrays, ...rest }: Checkpoint,
): Promise<void> {
  const header: Header = {
    ...rest,
    arrays: Object.entries(arrays).map(([array, a]) => ({
      name: array,
      type: a instanceof Float32Array ? 'f32' : 'u32',
      length: a.length,
    })),
  };
  const text = new TextEncoder();
  const json = text.encode(JSON.stringify(header));
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, json.length, true);
  const bytes = Object.values(arrays).map((a) => new Uint8Array(a.buffer, a.byteOffset, a.byteLength));
  await store.write(name, [text.encode(magicOf(name)), length, json, ...bytes]);
}

/** The last checkpoint of that name, if there is a whole one of this key. */
export async function readCheckpoint(
  store: CheckpointStore,
  name: string,
  key: string,
): Promise<Checkpoint | undefined> {
  const bytes = await store.read(name);
  const text = new TextDecoder();
  const magic = magicOf(name);
  if (!bytes || text.decode(bytes.subarray(0, magic.length)) !== magic) return undefined;
  const start = magic.length + 4;
  if (bytes.length < start) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerLength = view.getUint32(magic.length, true);
  if (headerLength === 0 || bytes.length < start + headerLength) return undefined;
  const header = JSON.parse(text.decode(bytes.subarray(start, start + headerLength))) as Header;
  const total = header.arrays.reduce((sum, a) => sum + a.length * 4, start + headerLength);
  if (header.key !== key || bytes.length !== total) return undefined;
  const arrays: Checkpoint['arrays'] = {};
  let at = bytes.byteOffset + start + headerLength;
  for (const { name: array, type, length } of header.arrays) {
    const copy = bytes.buffer.slice(at, at + length * 4);
    arrays[array] = type === 'f32' ? new Float32Array(copy) : new Uint32Array(copy);
    at += length * 4;
  }
  return { key, iteration: header.iteration, facts: header.facts, arrays };
}
