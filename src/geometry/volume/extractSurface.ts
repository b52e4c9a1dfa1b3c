import { PlinthError, throwIfCancelled } from '../../core/errors.js';
import type { Mesh } from '../../core/mesh.js';
import type { Gpu } from '../../gpu/runtime/gpu.js';
import { EXTRACTION_BYTES, RANK_WORDS, recordCount, recordEmit } from '../marchingCubes/marchingCubes.js';
import { BRICK_SAMPLES, FIELD_BYTES, type ObservedField } from './field.js';
import { brickLayer, brickTotal, packBrick } from './grid.js';

export interface ExtractOptions {
  /** Bytes that the brick pool may have. */
  memory: number;
  /** Most bytes of one binding. */
  bindingLimit: number;
  signal?: AbortSignal;
  progress?: (fraction: number) => void;
}

/** Bricks computed in one submission: short enough to cancel within a second. */
const STEP = 1024;
/** Output bytes read back at a time. */
const OUTPUT_BYTES = 32 * 1024 * 1024;

/**
 * The zero level of a field as a closed, oriented, manifold mesh: marching cubes over the bricks that the surface can
 * pass through. Bricks are computed in pages of whole layers, each with the next layer as a halo for the shared edges,
 * so memory is bounded and the order of vertices and triangles depends on nothing but the field.
 */
export async function extractSurface(
  gpu: Gpu,
  field: ObservedField,
  active: readonly number[],
  options: ExtractOptions,
): Promise<{ mesh: Mesh; pages: number }> {
  const { grid } = field;
  const pages = paginate(
    active.map((brick) => brickLayer(grid, brick)),
    capacityOf(options),
  );
  const largest = Math.max(...pages.map((p) => p.haloEnd - p.start));
  if (largest * BRICK_SAMPLES * 16 > options.bindingLimit) {
    throw new PlinthError('GPU_LIMIT_TOO_LOW', {
      found: `Two layers of the grid hold ${largest} bricks, more than a binding of ${options.bindingLimit} bytes`,
      remedy: 'Use a lower resolution',
    });
  }
  const buffers = {
    bricks: gpu.createBuffer(largest * 16, 'bricks'),
    field: gpu.createBuffer(largest * BRICK_SAMPLES * 8, 'field'),
    sums: gpu.createBuffer(largest * BRICK_SAMPLES * 16, 'sums'),
    ranks: gpu.createBuffer(largest * RANK_WORDS * 4, 'ranks'),
    counts: gpu.createBuffer(largest * 8, 'counts'),
    slots: gpu.createBuffer(brickTotal(grid) * 4, 'slots'),
  };
  const positions: Float32Array[] = [];
  const indices: Uint32Array[] = [];
  let vertices = 0;
  let triangles = 0;
  try {
    for (const page of pages) {
      const size = page.haloEnd - page.start;
      const info = new Uint32Array(size * 4);
      const slots = new Uint32Array(brickTotal(grid));
      for (let i = 0; i < size; i++) {
        info[i * 4] = packBrick(grid, active[page.start + i]);
        slots[active[page.start + i]] = i + 1;
      }
      gpu.write(buffers.bricks, info);
      gpu.write(buffers.slots, slots);
      for (let first = 0; first < size; first += STEP) {
        throwIfCancelled(options.signal);
        const count = Math.min(STEP, size - first);
        gpu.run((batch) => {
          field.evaluate(batch, buffers, first, count);
          recordCount(batch, grid, buffers, first, count);
        }, 'field');
        await gpu.sync();
        options.progress?.((page.start + Math.min(first + count, page.end - page.start)) / active.length);
      }

      const counts = await gpu.readUint32(buffers.counts, size * 2);
      let v = vertices;
      let t = triangles;
      for (let i = 0; i < size; i++) {
        info[i * 4 + 1] = v;
        info[i * 4 + 2] = t;
        v += counts[i * 2];
        t += counts[i * 2 + 1];
      }
      gpu.write(buffers.bricks, info);

      const own = page.end - page.start;
      for (let first = 0; first < own; ) {
        throwIfCancelled(options.signal);
        let end = first;
        let vs = 0;
        let ts = 0;
        while (
          end < own &&
          (end === first || Math.max(vs + counts[end * 2], ts + counts[end * 2 + 1]) * 12 <= OUTPUT_BYTES)
        ) {
          vs += counts[end * 2];
          ts += counts[end * 2 + 1];
          end++;
        }
        if (ts > 0) {
          const range = { first, count: end - first, vertexStart: vertices, triangleStart: triangles };
          const out = await emit(gpu, field, buffers, range, vs, ts);
          positions.push(out.positions);
          indices.push(out.indices);
          throwIfCancelled(options.signal);
        }
        vertices += vs;
        triangles += ts;
        first = end;
      }
    }
  } finally {
    for (const buffer of Object.values(buffers)) buffer.destroy();
  }
  const mesh = { positions: new Float32Array(vertices * 3), indices: new Uint32Array(triangles * 3) };
  join(mesh.positions, positions);
  join(mesh.indices, indices);
  return { mesh, pages: pages.length };
}

async function emit(
  gpu: Gpu,
  field: ObservedField,
  buffers: { bricks: GPUBuffer; field: GPUBuffer; ranks: GPUBuffer; slots: GPUBuffer },
  range: { first: number; count: number; vertexStart: number; triangleStart: number },
  vertices: number,
  triangles: number,
): Promise<{ positions: Float32Array; indices: Uint32Array }> {
  const positions = gpu.acquire(Math.max(1, vertices) * 12, 'positions');
  const indices = gpu.acquire(triangles * 12, 'indices');
  try {
    gpu.run((batch) => recordEmit(batch, field.grid, { ...buffers, positions, indices }, range), 'emit surface');
    const out = {
      positions: await gpu.readFloat32(positions, vertices * 3),
      indices: await gpu.readUint32(indices, triangles * 3),
    };
    if (out.indices.includes(0xffffffff)) {
      throw new PlinthError('INTERNAL', 'The surface leaves the bricks that were found for it');
    }
    return out;
  } finally {
    gpu.release(positions, indices);
  }
}

function join(whole: Float32Array | Uint32Array, parts: readonly (Float32Array | Uint32Array)[]): void {
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
}

const capacityOf = ({ memory, bindingLimit }: ExtractOptions): number =>
  Math.floor(Math.min(memory / (FIELD_BYTES + EXTRACTION_BYTES), bindingLimit / (BRICK_SAMPLES * 16)));

interface Page {
  /** First brick of the page in the list of active bricks. */
  start: number;
  /** After its last own brick. */
  end: number;
  /** After the last brick of the halo. */
  haloEnd: number;
}

/**
 * Cuts bricks, sorted by layer, into pages of whole layers that hold at most `capacity` bricks with their halo, or a
 * single layer.
 */
export function paginate(layers: readonly number[], capacity: number): Page[] {
  const starts: number[] = [];
  for (let i = 0; i < layers.length; i++) if (i === 0 || layers[i] !== layers[i - 1]) starts.push(i);
  const after = (k: number): number => starts[k] ?? layers.length;
  const pages: Page[] = [];
  for (let k = 0; k < starts.length; ) {
    let end = k + 1;
    while (end < starts.length && after(end + 2) - starts[k] <= capacity) end++;
    pages.push({ start: starts[k], end: after(end), haloEnd: after(end + 1) });
    k = end;
  }
  return pages;
}
