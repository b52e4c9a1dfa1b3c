import { fromHalf } from '../../core/halfFloat.js';
import type { FloatImage } from '../../core/image.js';

/**
 * Maps of numbers in NumPy's format (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html), as depth
 * is stored by nerfstudio's and many people's own scripts.
 */

const MAGIC = '\x93NUMPY';

export interface NpyMap {
  width: number;
  height: number;
  /** Row by row. */
  values: ArrayLike<number>;
  isFloat: boolean;
}

interface Header {
  /** Where the numbers begin. */
  start: number;
  kind: 'f' | 'u' | 'i';
  bytes: number;
  littleEndian: boolean;
  fortran: boolean;
  shape: number[];
}

/** Reads the header: what a file holds is known before it is decoded. Throws `Error` in plain words. */
export function npySize(file: Buffer): { width: number; height: number } {
  const [height, width] = mapShape(parseHeader(file).shape);
  return { width, height };
}

/**
 * Decodes an array of two dimensions, or of three of which one is 1: floats of 2, 4 or 8 bytes, integers of 1, 2, 4 or
 * 8. Throws `Error` in plain words for anything else and for a truncated file.
 */
export function decodeNpy(file: Buffer): NpyMap {
  const { start, kind, bytes, littleEndian, fortran, shape } = parseHeader(file);
  const [height, width] = mapShape(shape);
  const count = width * height;
  if (file.length < start + count * bytes) {
    throw new Error(`it ends after ${file.length} bytes where ${start + count * bytes} are stated`);
  }
  const view = new DataView(file.buffer, file.byteOffset + start, count * bytes);
  const read = reader(view, kind, bytes, littleEndian);
  const values = new Float64Array(count);
  for (let i = 0; i < count; i++)
    values[i] = read((fortran ? (i % width) * height + Math.floor(i / width) : i) * bytes);
  return { width, height, values, isFloat: kind === 'f' };
}

/** A map of floats as version 1.0, little-endian, row by row. */
export function encodeNpy({ width, height, data }: FloatImage): Buffer {
  const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${height}, ${width}), }`;
  // Magic, version and length take 10 bytes; the whole ends at a multiple of 64 with a line break.
  const padded = `${header}${' '.repeat(63 - ((10 + header.length) % 64))}\n`;
  const out = Buffer.alloc(10 + padded.length + 4 * data.length);
  out.write(`${MAGIC}\x01\x00`, 0, 'latin1');
  out.writeUInt16LE(padded.length, 8);
  out.write(padded, 10, 'latin1');
  for (let i = 0, at = 10 + padded.length; i < data.length; i++, at += 4) out.writeFloatLE(data[i], at);
  return out;
}

function parseHeader(file: Buffer): Header {
  if (file.length < 12 || file.toString('latin1', 0, 6) !== MAGIC) throw new Error('it is no NumPy file');
  const long = file[6] >= 2;
  const from = long ? 12 : 10;
  const start = from + (long ? file.readUInt32LE(8) : file.readUInt16LE(8));
  if (start > file.length) throw new Error('its header is cut off');
  const text = file.toString('latin1', from, start);
  const type = /'descr':\s*'([<>|=])([fui])(\d)'/.exec(text);
  const shape = /'shape':\s*\(([\d,\s]*)\)/.exec(text);
  if (!type || !shape) throw new Error(`its numbers are of a kind without a reader: ${text.trim().slice(0, 80)}`);
  return {
    start,
    kind: type[2] as Header['kind'],
    bytes: Number(type[3]),
    littleEndian: type[1] !== '>',
    fortran: /'fortran_order':\s*True/.test(text),
    shape: shape[1].split(',').flatMap((n) => (n.trim() === '' ? [] : [Number(n)])),
  };
}

/** Height and width. Of three dimensions one may be 1, as (1, h, w) and (h, w, 1) are written by tensor libraries. */
function mapShape(shape: readonly number[]): [number, number] {
  const sides =
    shape.length === 3 && shape.includes(1) ? shape.toSpliced(shape[2] === 1 ? 2 : shape.indexOf(1), 1) : shape;
  if (sides.length !== 2 || !sides.every((n) => n > 0)) throw new Error(`its shape is (${shape.join(', ')})`);
  return [sides[0], sides[1]];
}

function reader(view: DataView, kind: Header['kind'], bytes: number, le: boolean): (at: number) => number {
  switch (`${kind}${bytes}`) {
    case 'f2':
      return (at) => fromHalf(view.getUint16(at, le));
    case 'f4':
      return (at) => view.getFloat32(at, le);
    case 'f8':
      return (at) => view.getFloat64(at, le);
    case 'u1':
      return (at) => view.getUint8(at);
    case 'u2':
      return (at) => view.getUint16(at, le);
    case 'u4':
      return (at) => view.getUint32(at, le);
    case 'u8':
      return (at) => Number(view.getBigUint64(at, le));
    case 'i1':
      return (at) => view.getInt8(at);
    case 'i2':
      return (at) => view.getInt16(at, le);
    case 'i4':
      return (at) => view.getInt32(at, le);
    case 'i8':
      return (at) => Number(view.getBigInt64(at, le));
    default:
      throw new Error(`its numbers are of a kind without a reader: ${kind}${bytes}`);
  }
}
