/** A file of a capture: on the user's disk, or within a zip. */
export interface Entry {
  name: string;
  bytes: number;
  blob(): Promise<Blob>;
}

const END_RECORD = 0x06054b50;
const CENTRAL_RECORD = 0x02014b50;
/** The end record and the longest comment. */
const TAIL_BYTES = 22 + 65_535;
/** A central directory this large belongs to no capture. */
const DIRECTORY_BYTES = 64 * 2 ** 20;

/**
 * Lists a zip (PKWARE APPNOTE 6.3) from its central directory; contents are read when asked for. Zip64 is not read,
 * since browsers that hold 4 GB in one drop are rare: the service reads it.
 * @throws `Error` in words where this is no zip that can be listed
 */
export async function readZip(file: Blob): Promise<Entry[]> {
  const tailStart = Math.max(0, file.size - TAIL_BYTES);
  const tail = new DataView(await file.slice(tailStart).arrayBuffer());
  let end = -1;
  for (let at = tail.byteLength - 22; at >= 0; at--) {
    if (tail.getUint32(at, true) === END_RECORD) {
      end = at;
      break;
    }
  }
  if (end < 0) throw new Error('The zip has no directory: it is incomplete or no zip.');
  const count = tail.getUint16(end + 10, true);
  const size = tail.getUint32(end + 12, true);
  const start = tail.getUint32(end + 16, true);
  if (start === 0xffffffff || count === 0xffff) throw new Error('The zip is larger than this page can look into.');
  if (size > DIRECTORY_BYTES || start + size > file.size)
    throw new Error('The zip is damaged: its directory lies outside.');
  const directory = new DataView(await file.slice(start, start + size).arrayBuffer());
  const entries: Entry[] = [];
  const decoder = new TextDecoder();
  for (let at = 0, i = 0; i < count; i++) {
    if (at + 46 > directory.byteLength || directory.getUint32(at, true) !== CENTRAL_RECORD)
      throw new Error('The zip is damaged.');
    const method = directory.getUint16(at + 10, true);
    const packed = directory.getUint32(at + 20, true);
    const bytes = directory.getUint32(at + 24, true);
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((o) => directory.getUint16(at + o, true));
    const local = directory.getUint32(at + 42, true);
    const name = decoder.decode(new Uint8Array(directory.buffer, at + 46, nameLength));
    at += 46 + nameLength + extraLength + commentLength;
    if (name.endsWith('/')) continue;
    entries.push({ name, bytes, blob: () => unpack(file, local, packed, method) });
  }
  return entries;
}

async function unpack(file: Blob, local: number, packed: number, method: number): Promise<Blob> {
  const head = new DataView(await file.slice(local, local + 30).arrayBuffer());
  const start = local + 30 + head.getUint16(26, true) + head.getUint16(28, true);
  const data = file.slice(start, start + packed);
  if (method === 0) return data;
  if (method !== 8) throw new Error('The zip uses a packing that this page cannot undo.');
  return await new Response(data.stream().pipeThrough(new DecompressionStream('deflate-raw'))).blob();
}
