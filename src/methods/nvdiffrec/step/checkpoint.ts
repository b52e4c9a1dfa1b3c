import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';

const FILE = 'nvdiffrec.checkpoint';
const MAGIC = 'PLINTH-NVDIFFREC-1\n';

/** Everything that a run needs to go on exactly where it was: parameters, moments of the optimiser, and how far it is. */
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
export const checkpointKey = (decisive: unknown): string =>
  createHash('sha256').update(JSON.stringify(decisive)).digest('hex');

/**
 * Writes a checkpoint into `folder`, aside and then renamed: an interrupted write leaves the last one whole.
 *
 * Format: a line of magic, the length of the header (u32, little-endian), the header as JSON, and the arrays one after the other.
 */
export async function writeCheckpoint(folder: string, checkpoint: Checkpoint): Promise<void> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, FILE);
  const entries = Object.entries(checkpoint.arrays);
  const header = Buffer.from(
    JSON.stringify({
      key: checkpoint.key,
      iteration: checkpoint.iteration,
      facts: checkpoint.facts,
      arrays: entries.map(([name, a]) => ({
        name,
        type: a instanceof Float32Array ? 'f32' : 'u32',
        length: a.length,
      })),
    }),
  );
  const length = Buffer.alloc(4);
  length.writeUInt32LE(header.length);
  const file = await open(`${path}.partial`, 'w');
  try {
    await file.writeFile(Buffer.concat([Buffer.from(MAGIC), length, header]));
    for (const [, a] of entries) await file.writeFile(Buffer.from(a.buffer, a.byteOffset, a.byteLength));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.partial`, path);
}

/** The checkpoint in `folder`, if there is a whole one of this key. */
export async function readCheckpoint(folder: string, key: string): Promise<Checkpoint | undefined> {
  const bytes = await readFile(join(folder, FILE)).catch(() => undefined);
  if (!bytes || bytes.subarray(0, MAGIC.length).toString() !== MAGIC) return undefined;
  const start = MAGIC.length + 4;
  const headerLength = bytes.length < start ? 0 : bytes.readUInt32LE(MAGIC.length);
  if (headerLength === 0 || bytes.length < start + headerLength) return undefined;
  const header = JSON.parse(bytes.subarray(start, start + headerLength).toString()) as Omit<Checkpoint, 'arrays'> & {
    arrays: { name: string; type: 'f32' | 'u32'; length: number }[];
  };
  const total = header.arrays.reduce((sum, a) => sum + a.length * 4, start + headerLength);
  if (header.key !== key || bytes.length !== total) return undefined;
  const arrays: Checkpoint['arrays'] = {};
  let at = start + headerLength;
  for (const { name, type, length } of header.arrays) {
    const copy = bytes.buffer.slice(bytes.byteOffset + at, bytes.byteOffset + at + length * 4) as ArrayBuffer;
    arrays[name] = type === 'f32' ? new Float32Array(copy) : new Uint32Array(copy);
    at += length * 4;
  }
  return { key, iteration: header.iteration, facts: header.facts, arrays };
}
