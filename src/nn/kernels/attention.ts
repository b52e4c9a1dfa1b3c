import type { Batch } from '../../gpu/runtime/batch.js';
import { defineKernel } from '../../gpu/runtime/kernel.js';

/** Queries of a workgroup. */
const TILE = 64;

/** Work of one dispatch at most, in multiplications. */
const MULTIPLICATIONS = 2e10;

const define = (size: number) =>
  defineKernel({
    name: `attention-${size}`,
    shader: new URL('./attention.wgsl', import.meta.url),
    bindings: {
      params: 'uniform',
      queries: 'read',
      keys: 'read',
      values: 'read',
      segments: 'read',
      result: 'read_write',
    },
    uniforms: {
      queryStride: 'u32',
      keyStride: 'u32',
      valueStride: 'u32',
      resultStride: 'u32',
      queryColumn: 'u32',
      keyColumn: 'u32',
      valueColumn: 'u32',
      contexts: 'u32',
      segment: 'vec4u',
      listed: 'u32',
      firstTile: 'u32',
      firstSegment: 'u32',
    },
    defines: { SIZE: size },
  });
const variants: Record<number, ReturnType<typeof define>> = { 64: define(64), 128: define(128) };

/** Columns of a tensor on the device: its buffer, its columns in all, and the first one that counts. */
export interface DeviceColumns {
  buffer: GPUBuffer;
  stride: number;
  column: number;
  rows: number;
}

/** See `Ops.attention`. */
export interface DeviceAttention {
  query: DeviceColumns;
  key: DeviceColumns;
  value: DeviceColumns;
  heads: number;
  size: number;
  contexts: number;
  /** A list of segments with the greatest number of queries in one. */
  segments?: { buffer: GPUBuffer; count: number; longest: number };
  /** Query rows × heads · size. */
  result: GPUBuffer;
}

/** Records attention; columns and head size are multiples of 4. */
export function recordAttention(batch: Batch, attention: DeviceAttention): void {
  const { query, key, value, heads, size, contexts, segments, result } = attention;
  const kernel = variants[size];
  if (!kernel) throw new RangeError(`there is no attention for heads of ${size} numbers, only for 64 and 128`);
  if ([query, key, value].some(({ stride, column }) => stride % 4 !== 0 || column % 4 !== 0)) {
    throw new RangeError('attention needs columns in multiples of 4');
  }
  const args = {
    queries: query.buffer,
    keys: key.buffer,
    values: value.buffer,
    segments: segments?.buffer ?? query.buffer,
    result,
  };
  const common = {
    queryStride: query.stride,
    keyStride: key.stride,
    valueStride: value.stride,
    resultStride: heads * size,
    queryColumn: query.column,
    keyColumn: key.column,
    valueColumn: value.column,
    contexts,
    segment: [0, query.rows, 0, key.rows],
    listed: segments ? 1 : 0,
  };
  const tiles = Math.ceil((segments?.longest ?? query.rows) / TILE);
  const keys = segments ? Math.ceil(key.rows / segments.count) : key.rows;
  const inOne = Math.max(1, Math.floor(MULTIPLICATIONS / (TILE * keys * heads * size * 2)));
  const count = segments?.count ?? 1;
  for (let firstSegment = 0; firstSegment < count; firstSegment += inOne) {
    for (let firstTile = 0; firstTile < tiles; firstTile += inOne) {
      const groups = [Math.min(inOne, tiles - firstTile), heads, Math.min(inOne, count - firstSegment, 65535)] as const;
      kernel.dispatch(batch, args, { ...common, firstTile, firstSegment }, groups);
    }
  }
}
