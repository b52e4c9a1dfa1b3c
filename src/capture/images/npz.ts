import { inflateRawSync } from 'node:zlib';
import yauzl from 'yauzl';

/**
 * The only array of a NumPy archive, or the one that is named `depth`, `arr_0` or `data`.
 * Throws `Error` in plain words where it is no zip, has no or several other arrays, or unpacks to more than `maxBytes`.
 */
export async function readNpz(file: string, maxBytes: number): Promise<Buffer> {
  const zip = await yauzl.openPromise(file, { autoClose: false });
  try {
    const entries: yauzl.Entry[] = [];
    for await (const entry of zip.eachEntry()) if (/\.npy$/i.test(entry.fileName)) entries.push(entry);
    const named = ['depth.npy', 'arr_0.npy', 'data.npy'].map((name) => entries.find((e) => e.fileName === name));
    const entry = entries.length === 1 ? entries[0] : named.find((e) => e !== undefined);
    if (!entry) {
      const names = entries.map((e) => e.fileName.replace(/\.npy$/i, '')).join(', ');
      throw new Error(
        entries.length === 0 ? 'it holds no array' : `it holds several arrays (${names}), none of them "depth"`,
      );
    }
    if (entry.uncompressedSize > maxBytes) throw new Error(`it unpacks to ${entry.uncompressedSize} bytes`);
    const chunks: Buffer[] = [];
    for await (const chunk of await zip.openReadStreamPromise(entry)) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  } finally {
    zip.close();
  }
}

const END_RECORD = 0x06054b50;
const CENTRAL_RECORD = 0x02014b50;
/** More than the matrices of ten thousand cameras take. */
const MOST_BYTES = 2 ** 24;

/**
 * The small arrays of a NumPy archive in memory by name, as `.npy` files, unpacked when asked for. Throws `Error` in
 * plain words for what is no zip (PKWARE APPNOTE 6.3), and for an array that is no small one.
 */
export function npzArrays(bytes: Buffer): Map<string, () => Buffer> {
  let end = bytes.length - 22;
  while (end >= 0 && bytes.readUInt32LE(end) !== END_RECORD) end--;
  if (end < 0) throw new Error('it is no zip of NumPy arrays');
  const arrays = new Map<string, () => Buffer>();
  let at = bytes.readUInt32LE(end + 16);
  for (let i = bytes.readUInt16LE(end + 10); i > 0; i--) {
    if (at + 46 > bytes.length || bytes.readUInt32LE(at) !== CENTRAL_RECORD)
      throw new Error('its directory is damaged');
    const method = bytes.readUInt16LE(at + 10);
    const packed = bytes.readUInt32LE(at + 20);
    const [name, extra, comment] = [28, 30, 32].map((o) => bytes.readUInt16LE(at + o));
    const local = bytes.readUInt32LE(at + 42);
    const called = bytes.toString('utf8', at + 46, at + 46 + name).replace(/\.npy$/, '');
    arrays.set(called, () => unpack(bytes, local, packed, method));
    at += 46 + name + extra + comment;
  }
  return arrays;
}

function unpack(bytes: Buffer, local: number, packed: number, method: number): Buffer {
  if (local + 30 > bytes.length) throw new Error('its directory is damaged');
  const start = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
  const data = bytes.subarray(start, start + packed);
  if (method === 0) return data;
  if (method !== 8) throw new Error('its arrays are packed in a way that is not read');
  return inflateRawSync(data, { maxOutputLength: MOST_BYTES });
}
