import { inflateSync } from 'node:zlib';

/** One channel of an OpenEXR picture. */
export interface ExrChannel {
  width: number;
  height: number;
  data: Float32Array;
  /** Name in the file, such as `Z` or `ViewLayer.Depth.Z`. */
  name: string;
}

const MAGIC = 20000630;
const TILED = 0x200;
const DEEP_OR_PARTS = 0x1800;
/** Rows of a block by compression method; others (PIZ, PXR24, B44, DWA) are not read. */
const BLOCK_ROWS: Record<number, number> = { 0: 1, 1: 1, 2: 1, 3: 16 };
const METHODS = ['none', 'RLE', 'ZIPS', 'ZIP', 'PIZ', 'PXR24', 'B44', 'B44A', 'DWAA', 'DWAB'];

interface Header {
  channels: { name: string; type: number }[];
  compression: number;
  width: number;
  height: number;
  top: number;
}

/** Width and height of an OpenEXR file's data window. Throws `Error` with a reason. */
export function exrSize(file: Buffer): { width: number; height: number } {
  return readHeader(file).header;
}

/**
 * Reads the depth channel of an OpenEXR file (openexr.com, "OpenEXR File Layout"): single part, scan lines,
 * uncompressed, RLE, ZIPS or ZIP, which is what renderers write for depth. The channel is the first of `Z`, `….Z`, `V`,
 * `Y`, `R`, or the only one. Throws `Error` with a reason.
 */
export function readExrDepth(file: Buffer): ExrChannel {
  const { header, end } = readHeader(file);
  const { channels, width, height, top, compression } = header;
  const wanted = [/(^|\.)Z$/, /(^|\.)V$/, /(^|\.)Y$/, /(^|\.)R$/];
  const pattern = wanted.find((p) => channels.some(({ name }) => p.test(name)));
  const chosen = pattern ? channels.findIndex(({ name }) => pattern.test(name)) : channels.length === 1 ? 0 : -1;
  if (chosen < 0) throw new Error(`none of its channels ${channels.map(({ name }) => name).join(', ')} is depth`);
  const rows = BLOCK_ROWS[compression];
  if (rows === undefined)
    throw new Error(`its compression ${METHODS[compression] ?? compression} is not read (use ZIP)`);
  const sizes = channels.map(({ type }) => width * (type === 1 ? 2 : 4));
  const rowBytes = sizes.reduce((sum, size) => sum + size, 0);
  const skip = sizes.slice(0, chosen).reduce((sum, size) => sum + size, 0);
  const data = new Float32Array(width * height);
  const blocks = Math.ceil(height / rows);
  for (let block = 0; block < blocks; block++) {
    const offset = Number(file.readBigUInt64LE(end + block * 8));
    const first = file.readInt32LE(offset) - top;
    const size = file.readInt32LE(offset + 4);
    const count = Math.min(rows, height - first);
    if (first < 0 || count < 1 || size < 0 || offset + 8 + size > file.length)
      throw new Error('it is truncated or damaged');
    const bytes = unpack(file.subarray(offset + 8, offset + 8 + size), compression, rowBytes * count);
    for (let row = 0; row < count; row++) {
      copyRow(bytes, row * rowBytes + skip, channels[chosen].type, data, (first + row) * width, width);
    }
  }
  return { width, height, data, name: channels[chosen].name };
}

function copyRow(from: Buffer, at: number, type: number, to: Float32Array, start: number, count: number): void {
  for (let x = 0; x < count; x++) {
    to[start + x] =
      type === 1
        ? half(from.readUInt16LE(at + x * 2))
        : type === 2
          ? from.readFloatLE(at + x * 4)
          : from.readUInt32LE(at + x * 4);
  }
}

/** IEEE 754 half precision to a number. */
function half(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function unpack(packed: Buffer, compression: number, size: number): Buffer {
  // Blocks that would have grown are stored as they are.
  if (compression === 0 || packed.length === size) return packed;
  const bytes = compression === 1 ? unpackRuns(packed, size) : inflateSync(packed, { maxOutputLength: size });
  if (bytes.length !== size) throw new Error('it is truncated or damaged');
  // Undo the predictor, then join the two halves that hold every other byte.
  for (let i = 1; i < size; i++) bytes[i] = (bytes[i - 1] + bytes[i] - 128) & 255;
  const out = Buffer.alloc(size);
  const middle = (size + 1) >> 1;
  for (let i = 0; i < size; i++) out[i] = bytes[(i >> 1) + (i & 1 ? middle : 0)];
  return out;
}

function unpackRuns(packed: Buffer, size: number): Buffer {
  const out = Buffer.alloc(size);
  let at = 0;
  for (let i = 0; i < packed.length; ) {
    const count = packed.readInt8(i++);
    const length = count < 0 ? -count : count + 1;
    if (at + length > size) throw new Error('it is damaged');
    if (count < 0) {
      packed.copy(out, at, i, i + length);
      i += length;
    } else {
      out.fill(packed[i++], at, at + length);
    }
    at += length;
  }
  return out.subarray(0, at);
}

/** Reads the attributes; `end` is where the table of block offsets begins. */
function readHeader(file: Buffer): { header: Header; end: number } {
  if (file.length < 8 || file.readUInt32LE(0) !== MAGIC) throw new Error('it is not an OpenEXR file');
  const version = file.readUInt32LE(4);
  if (version & TILED) throw new Error('it is tiled (scan lines are read)');
  if (version & DEEP_OR_PARTS) throw new Error('it is deep or has several parts (single-part scan lines are read)');
  let at = 8;
  const text = (): string => {
    const stop = file.indexOf(0, at);
    if (stop < 0) throw new Error('it is truncated');
    const value = file.toString('latin1', at, stop);
    at = stop + 1;
    return value;
  };
  let channels: Header['channels'] | undefined;
  let compression: number | undefined;
  let window: number[] | undefined;
  for (let name = text(); name !== ''; name = text()) {
    text();
    const size = file.readInt32LE(at);
    at += 4;
    const next = at + size;
    if (size < 0 || next > file.length) throw new Error('it is truncated');
    if (name === 'channels') channels = readChannels(file.subarray(at, next));
    if (name === 'compression') compression = file[at];
    if (name === 'dataWindow') window = [0, 4, 8, 12].map((o) => file.readInt32LE(at + o));
    at = next;
  }
  if (!channels || compression === undefined || !window) throw new Error('its header is incomplete');
  const [left, top, right, bottom] = window;
  if (right < left || bottom < top) throw new Error('its data window is empty');
  return { header: { channels, compression, width: right - left + 1, height: bottom - top + 1, top }, end: at };
}

function readChannels(list: Buffer): Header['channels'] {
  const channels: Header['channels'] = [];
  for (let at = 0; at < list.length && list[at] !== 0; ) {
    const stop = list.indexOf(0, at);
    const name = list.toString('latin1', at, stop);
    const type = list.readInt32LE(stop + 1);
    if (type < 0 || type > 2) throw new Error(`channel ${name} has the unknown type ${type}`);
    if (list.readInt32LE(stop + 9) !== 1 || list.readInt32LE(stop + 13) !== 1)
      throw new Error(`channel ${name} is subsampled`);
    channels.push({ name, type });
    at = stop + 17;
  }
  return channels;
}
