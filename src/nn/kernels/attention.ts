import type { Batch } from '../../gpu/runtime/batch.js';
import { defineKernel } from '../../gpu/runtime/kernel.js';
import { recordRows } from './rows.js';

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
      resultColumn: 'u32',
      segment: 'vec4u',
      listed: 'u32',
      contexts: 'u32',
      firstTile: 'u32',
      firstSegment: 'u32',
      firstRow: 'u32',
      rows: 'u32',
      parts: 'u32',
    },
    defines: { SIZE: size },
  });
const variants: Record<number, ReturnType<typeof define>> = { 64: define(64), 128: define(128) };

/** Rows of a tensor that lie in one buffer. */
interface DevicePage {
  buffer: GPUBuffer;
  first: number;
  rows: number;
}

/** Columns of a tensor on the device: its pages, its columns in all, and the first one that counts. */
export interface DeviceColumns {
  pages: readonly DevicePage[];
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
  result: readonly DevicePage[];
  /** Bytes of a buffer at most. */
  pageBytes: number;
}

/** Tiles of queries and segments of one dispatch at most, so that none takes long; `perTile` in multiplications. */
export function* dispatches(
  tiles: number,
  segments: number,
  perTile: number,
): Generator<{ firstTile: number; firstSegment: number; tiles: number; segments: number }> {
  const inOne = Math.max(1, Math.floor(MULTIPLICATIONS / perTile));
  for (let firstSegment = 0; firstSegment < segments; firstSegment += inOne) {
    for (let firstTile = 0; firstTile < tiles; firstTile += inOne) {
      yield {
        firstTile,
        firstSegment,
        tiles: Math.min(inOne, tiles - firstTile),
        segments: Math.min(inOne, segments - firstSegment, 65535),
      };
    }
  }
}

/** Heads that a buffer of so many bytes holds of that many rows, at most all. */
export const headsInPage = (pageBytes: number, rows: number, size: number, heads: number): number =>
  Math.min(heads, Math.max(1, Math.floor(pageBytes / (rows * size * 4))));

/** Records attention; columns and head size are multiples of 4. */
export function recordAttention(batch: Batch, attention: DeviceAttention): void {
  const { query, key, value, heads, size, contexts, segments, result, pageBytes } = attention;
  const kernel = variants[size];
  if (!kernel) throw new RangeError(`there is no attention for heads of ${size} numbers, only for 64 and 128`);
  const tiles = Math.ceil((segments?.longest ?? query.rows) / TILE);
  const keys = segments ? Math.ceil(key.rows / segments.count) : key.rows;
  const inPages = [query, key, value].some(({ pages }) => pages.length > 1);
  const together = inPages ? headsInPage(pageBytes, Math.max(query.rows, key.rows), size, heads) : heads;
  for (let head = 0; head < heads; head += together) {
    const count = Math.min(together, heads - head);
    const taken = [query, key, value].map((columns) => taking(batch, columns, head * size, count * size));
    const [queries, keysTaken, values] = taken;
    for (const page of result) {
      for (const { tiles: x, segments: z, ...first } of dispatches(
        tiles,
        segments?.count ?? 1,
        TILE * keys * count * size * 2,
      )) {
        kernel.dispatch(
          batch,
          {
            queries: queries.buffer,
            keys: keysTaken.buffer,
            values: values.buffer,
            segments: segments?.buffer ?? queries.buffer,
            result: page.buffer,
          },
          {
            queryStride: queries.stride,
            keyStride: keysTaken.stride,
            valueStride: values.stride,
            resultStride: heads * size,
            queryColumn: queries.column,
            keyColumn: keysTaken.column,
            valueColumn: values.column,
            resultColumn: head * size,
            contexts,
            segment: [0, query.rows, 0, key.rows],
            listed: segments ? 1 : 0,
            firstRow: page.first,
            rows: page.rows,
            parts: size / 4,
            ...first,
          },
          [x, count, z],
        );
      }
    }
    for (const { release } of taken) release?.();
  }
}

/** Columns from `first` on in one buffer: the tensor's own where it has but one, else one that they are copied to. */
function taking(batch: Batch, { pages, stride, column, rows }: DeviceColumns, first: number, count: number) {
  if (pages.length === 1) return { buffer: pages[0].buffer, stride, column: column + first };
  const buffer = batch.gpu.acquire(rows * count * 4, 'heads');
  for (const page of pages) {
    recordRows(batch, {
      operation: 'placeColumns',
      x: { buffer: page.buffer },
      result: { buffer, offset: page.first * count * 4 },
      count: page.rows * count,
      columns: count,
      fromColumns: stride,
      fromColumn: column + first,
      placed: count,
    });
  }
  // What is recorded runs in order, so the buffer can be handed out again once it has been used.
  return { buffer, stride: count, column: 0, release: () => batch.gpu.release(buffer) };
}
