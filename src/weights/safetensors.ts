import { PlinthError } from '../core/errors.js';
import { fromHalf } from '../core/halfFloat.js';

/** Kinds of number that a safetensors file may hold here, with the bytes of one. */
export const DTYPE_BYTES = { F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8, I32: 4, I16: 2, U8: 1, BOOL: 1 } as const;

/** One of the kinds of number. */
export type Dtype = keyof typeof DTYPE_BYTES;

/** Where the bytes of a file come from: a part of a file, an answer to a range request, a buffer. */
export interface ByteSource {
  /** For messages. */
  name: string;
  /** Bytes in all. */
  size: number;
  /** Exactly `length` bytes from `offset`. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** What a file's header says of one tensor. */
export interface TensorEntry {
  dtype: Dtype;
  shape: readonly number[];
  /** First byte, counted from the start of the file. */
  offset: number;
  bytes: number;
}

/** A tensor as the file holds it: little-endian numbers in C order. */
export interface StoredTensor {
  name: string;
  dtype: Dtype;
  shape: readonly number[];
  bytes: Uint8Array;
}

/** Tensors by name: a safetensors file, or a view of one under other names. */
export interface TensorFile {
  /** For messages: `owner/name/path`. */
  readonly name: string;
  readonly tensors: ReadonlyMap<string, Pick<TensorEntry, 'dtype' | 'shape'>>;
  /**
   * One tensor.
   * @throws `WEIGHTS_INVALID` where there is none of that name
   */
  read(name: string): Promise<StoredTensor>;
}

/** Headers beyond this are refused, as the format's own reader does. */
const HEADER_LIMIT = 100_000_000;

/**
 * A file in the safetensors format (huggingface/safetensors, README "Format"): 8 bytes with the length of the header, a
 * JSON header, and the tensors one after the other. Reading is strict: tensors fill the body without gap or overlap,
 * each has as many bytes as its shape and kind need, no name appears twice.
 */
export class Safetensors implements TensorFile {
  readonly name: string;
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  /** Free text by key. */
  readonly metadata: Readonly<Record<string, string>>;
  private readonly source: ByteSource;

  private constructor(source: ByteSource, tensors: Map<string, TensorEntry>, metadata: Record<string, string>) {
    this.source = source;
    this.name = source.name;
    this.tensors = tensors;
    this.metadata = metadata;
  }

  /**
   * Reads and checks the header.
   * @throws `WEIGHTS_INVALID` for anything that the format forbids, `WEIGHTS_UNSUPPORTED` for a kind of number that is
   * not in `DTYPE_BYTES`
   */
  static async open(source: ByteSource): Promise<Safetensors> {
    if (source.size < 8) throw invalid(source, `has ${source.size} bytes, too few for a header`);
    const head = await source.read(0, 8);
    const length = Number(new DataView(head.buffer, head.byteOffset, 8).getBigUint64(0, true));
    if (length > HEADER_LIMIT) throw invalid(source, `claims a header of ${length} bytes`, 'at most 100 MB');
    if (8 + length > source.size) {
      throw invalid(source, `has ${source.size} bytes, fewer than its header of ${length} bytes needs`);
    }
    const text = decode(source, await source.read(8, length));
    const { tensors, metadata } = readHeader(source, text, 8 + length);
    checkBody(source, tensors, 8 + length);
    return new Safetensors(source, tensors, metadata);
  }

  /**
   * One tensor as it is stored.
   * @throws `WEIGHTS_INVALID` where there is none of that name
   */
  async read(name: string): Promise<StoredTensor> {
    const entry = this.tensors.get(name);
    if (!entry) throw invalid(this.source, `has no tensor "${name}"`);
    const bytes = await this.source.read(entry.offset, entry.bytes);
    return { name, dtype: entry.dtype, shape: entry.shape, bytes };
  }
}

/** A file whose bytes are all in memory. */
export function bytesSource(name: string, bytes: Uint8Array): ByteSource {
  return {
    name,
    size: bytes.length,
    read: async (offset, length) => bytes.subarray(offset, offset + length),
  };
}

/** The numbers of a tensor as f32: halves and bfloats exactly, f64 rounded, whole numbers and booleans as they are. */
export function toFloat32(tensor: StoredTensor): Float32Array {
  const { dtype, bytes } = tensor;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = bytes.byteLength / DTYPE_BYTES[dtype];
  const result = new Float32Array(count);
  switch (dtype) {
    case 'F32':
      new Uint8Array(result.buffer).set(bytes);
      return result;
    case 'F16':
      for (let i = 0; i < count; i++) result[i] = fromHalf(view.getUint16(i * 2, true));
      return result;
    case 'BF16': {
      const words = new Uint32Array(result.buffer);
      for (let i = 0; i < count; i++) words[i] = view.getUint16(i * 2, true) << 16;
      return result;
    }
    case 'F64':
      for (let i = 0; i < count; i++) result[i] = view.getFloat64(i * 8, true);
      return result;
    case 'I64':
      for (let i = 0; i < count; i++) result[i] = Number(view.getBigInt64(i * 8, true));
      return result;
    case 'I32':
      for (let i = 0; i < count; i++) result[i] = view.getInt32(i * 4, true);
      return result;
    case 'I16':
      for (let i = 0; i < count; i++) result[i] = view.getInt16(i * 2, true);
      return result;
    case 'U8':
    case 'BOOL':
      return Float32Array.from(bytes);
  }
}

function invalid(source: ByteSource, found: string, expected?: string): PlinthError {
  return new PlinthError('WEIGHTS_INVALID', {
    found: `${source.name} ${found}`,
    expected,
    remedy: 'Fetch the file again; where it was made by a program of your own, see the safetensors format',
    subject: source.name,
  });
}

function decode(source: ByteSource, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw invalid(source, 'has a header that is no UTF-8 text');
  }
}

function readHeader(
  source: ByteSource,
  text: string,
  bodyStart: number,
): { tensors: Map<string, TensorEntry>; metadata: Record<string, string> } {
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch {
    throw invalid(source, 'has a header that is no JSON');
  }
  if (!text.startsWith('{') || !isRecord(header)) throw invalid(source, 'has a header that is no JSON object');
  const twice = duplicateKey(text);
  if (twice !== undefined) throw invalid(source, `names the tensor "${twice}" twice`);
  const tensors = new Map<string, TensorEntry>();
  const metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(header)) {
    if (name === '__metadata__') Object.assign(metadata, readMetadata(source, value));
    else tensors.set(name, readEntry(source, name, value, bodyStart));
  }
  return { tensors, metadata };
}

function readMetadata(source: ByteSource, value: unknown): Record<string, string> {
  if (!isRecord(value) || Object.values(value).some((text) => typeof text !== 'string')) {
    throw invalid(source, 'has metadata that are no texts by key');
  }
  return value as Record<string, string>;
}

function readEntry(source: ByteSource, name: string, value: unknown, bodyStart: number): TensorEntry {
  if (!isRecord(value)) throw invalid(source, `describes the tensor "${name}" by no object`);
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== 'string' || !Object.hasOwn(DTYPE_BYTES, dtype)) {
    throw new PlinthError('WEIGHTS_UNSUPPORTED', {
      found: `${source.name} holds the tensor "${name}" as ${JSON.stringify(dtype)}`,
      expected: `one of ${Object.keys(DTYPE_BYTES).join(', ')}`,
      subject: source.name,
    });
  }
  if (!isCounts(shape)) throw invalid(source, `gives the tensor "${name}" the shape ${JSON.stringify(shape)}`);
  if (!isCounts(offsets) || offsets.length !== 2 || offsets[0] > offsets[1]) {
    throw invalid(source, `gives the tensor "${name}" the offsets ${JSON.stringify(offsets)}`);
  }
  const bytes = offsets[1] - offsets[0];
  const needed = shape.reduce((a, b) => a * b, DTYPE_BYTES[dtype as Dtype]);
  if (bytes !== needed) {
    throw invalid(source, `gives the tensor "${name}" ${bytes} bytes`, `${needed} for ${dtype} [${shape.join(', ')}]`);
  }
  return { dtype: dtype as Dtype, shape, offset: bodyStart + offsets[0], bytes };
}

/** Throws unless the tensors fill the body from its first to its last byte, each byte once. */
function checkBody(source: ByteSource, tensors: Map<string, TensorEntry>, bodyStart: number): void {
  let at = bodyStart;
  const inOrder = [...tensors].sort(([, a], [, b]) => a.offset - b.offset || a.bytes - b.bytes);
  for (const [name, { offset, bytes }] of inOrder) {
    if (offset < at) throw invalid(source, `holds the tensor "${name}" where another one is`);
    if (offset > at) throw invalid(source, `has ${offset - at} bytes before the tensor "${name}" that belong to none`);
    at = offset + bytes;
  }
  if (at > source.size) throw invalid(source, `has ${source.size} bytes`, `${at}, so that its tensors fit in`);
  if (at < source.size) throw invalid(source, `has ${source.size - at} bytes after its last tensor`);
}

/** The first name that an object on the outermost level of a valid JSON text has twice. */
function duplicateKey(text: string): string | undefined {
  const seen = new Set<string>();
  let depth = 0;
  const token = /"(?:[^"\\]|\\.)*"|[{}[\]]/gs;
  for (let match = token.exec(text); match; match = token.exec(text)) {
    if (match[0] === '{' || match[0] === '[') depth++;
    else if (match[0] === '}' || match[0] === ']') depth--;
    else if (depth === 1 && /^\s*:/.test(text.slice(token.lastIndex, token.lastIndex + 64))) {
      const key = JSON.parse(match[0]) as string;
      if (seen.has(key)) return key;
      seen.add(key);
    }
  }
  return undefined;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isCounts = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
