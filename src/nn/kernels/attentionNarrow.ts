import type { Batch } from '../../gpu/runtime/batch.js';
import { defineKernel, linear } from '../../gpu/runtime/kernel.js';
import { type DeviceAttention, type DeviceColumns, dispatches, headsInPage } from './attention.js';

/** Numbers of a head. */
const SIZE = 64;

/** Queries of a workgroup, and rows of a band. */
const BAND = 24;

/** Bytes of packed queries, keys or values at most: heads beyond take their turn. */
const PACKED_BYTES = 2 ** 25;

const pack = defineKernel({
  name: 'attention-narrow-pack',
  shader: new URL('./attentionPack.wgsl', import.meta.url),
  bindings: { params: 'uniform', x: 'read', result: 'read_write' },
  uniforms: {
    fours: 'u32',
    firstFour: 'u32',
    heads: 'u32',
    firstRow: 'u32',
    rows: 'u32',
    firstPacked: 'u32',
    packedRows: 'u32',
    headRows: 'u32',
    keysInFours: 'u32',
    scale: 'f32',
  },
});
const attend = defineKernel({
  name: 'attention-narrow',
  shader: new URL('./attentionNarrow.wgsl', import.meta.url),
  bindings: {
    params: 'uniform',
    queries: 'read',
    keys: 'read',
    values: 'read',
    segments: 'read',
    result: 'read_write',
  },
  uniforms: {
    segment: 'vec4u',
    listed: 'u32',
    contexts: 'u32',
    firstTile: 'u32',
    firstSegment: 'u32',
    queryRows: 'u32',
    keyRows: 'u32',
    resultFours: 'u32',
    firstHead: 'u32',
    firstRow: 'u32',
    rows: 'u32',
  },
});

/**
 * Records attention for devices whose subgroups have eight lanes (`isNarrow`) with heads of 64 numbers. There is no
 * matrix of scores, only copies of a few heads at a time.
 */
export function recordNarrowAttention(batch: Batch, attention: DeviceAttention): void {
  const { query, key, value, heads, contexts, segments, result, pageBytes } = attention;
  const keys = segments ? Math.ceil(key.rows / segments.count) : key.rows;
  const [queryRows, keyRows] = [query.rows, key.rows].map((rows) => Math.ceil(rows / BAND) * BAND);
  const together = headsInPage(Math.min(pageBytes, PACKED_BYTES), Math.max(queryRows, keyRows), SIZE, heads);
  const tiles = Math.ceil((segments?.longest ?? query.rows) / BAND);
  for (let firstHead = 0; firstHead < heads; firstHead += together) {
    const count = Math.min(together, heads - firstHead);
    const queries = packed(batch, query, firstHead, count, { scale: 1 / Math.sqrt(SIZE) });
    const packedKeys = packed(batch, key, firstHead, count, {});
    const values = packed(batch, value, firstHead, count, { keysInFours: true });
    for (const page of result) {
      const parts = dispatches(tiles, segments?.count ?? 1, BAND * keys * count * SIZE * 2);
      for (const { tiles: x, segments: z, ...first } of parts) {
        attend.dispatch(
          batch,
          { queries, keys: packedKeys, values, segments: segments?.buffer ?? queries, result: page.buffer },
          {
            segment: [0, query.rows, 0, key.rows],
            listed: segments ? 1 : 0,
            contexts,
            queryRows,
            keyRows,
            resultFours: (heads * SIZE) / 4,
            firstHead,
            firstRow: page.first,
            rows: page.rows,
            ...first,
          },
          [x, count, z],
        );
      }
    }
    // What is recorded runs in order, so that the next heads may have the same buffers.
    batch.gpu.release(queries, packedKeys, values);
  }
}

/** Heads of a tensor in the order in which the kernel reads them, in a buffer of the pool. */
function packed(
  batch: Batch,
  { pages, stride, column, rows }: DeviceColumns,
  firstHead: number,
  heads: number,
  { scale = 1, keysInFours = false },
): GPUBuffer {
  const headRows = Math.ceil(rows / BAND) * BAND;
  const buffer = batch.gpu.acquire(headRows * SIZE * heads * 4, 'heads');
  for (const page of pages) {
    const unit = keysInFours ? 4 : 1;
    // What lies beyond the last row is written too, as zeros.
    const end = page.first + page.rows === rows ? headRows : page.first + page.rows;
    const packedRows = (end - page.first) / unit;
    pack.dispatch(
      batch,
      { x: page.buffer, result: buffer },
      {
        fours: stride / 4,
        firstFour: column / 4 + (firstHead * SIZE) / 4,
        heads,
        firstRow: page.first,
        rows: page.rows,
        firstPacked: page.first / unit,
        packedRows,
        headRows,
        keysInFours: keysInFours ? 1 : 0,
        scale,
      },
      linear(packedRows * heads * (SIZE / 4), 64),
    );
  }
  return buffer;
}
