import type { Batch } from '../../gpu/runtime/batch.js';
import { defineKernel, linear } from '../../gpu/runtime/kernel.js';
import type { GpuResources } from '../../gpu/runtime/resources.js';
import type { HostMatrix } from '../ops.js';
import type { Gemm } from './gemm.js';

/** Rows of a band, and columns of a workgroup. */
const BAND = 24;

/** Products of fewer multiplications are not worth the bands, nor the kernel's compilation. */
const LEAST = 2 ** 25;

const pack = defineKernel({
  name: 'gemm-narrow-pack',
  shader: new URL('./pack.wgsl', import.meta.url),
  bindings: { params: 'uniform', x: 'read', neighbours: 'read', result: 'read_write' },
  uniforms: { rows: 'u32', columns: 'u32', fours: 'u32', bands: 'u32', channels: 'u32', gather: 'u32' },
});
const define = (halves: number) =>
  defineKernel({
    name: `gemm-narrow-${halves ? 'f16' : 'f32'}`,
    shader: new URL('./gemmNarrow.wgsl', import.meta.url),
    bindings: {
      params: 'uniform',
      x: 'read',
      weight: 'read',
      bias: 'read',
      gate: 'read',
      residual: 'read',
      result: 'read_write',
    },
    uniforms: {
      rows: 'u32',
      outputs: 'u32',
      fours: 'u32',
      bands: 'u32',
      activation: 'u32',
      parts: 'u32',
      gateColumn: 'u32',
    },
    constants: { HALVES: halves },
  });
const variants = [define(0), define(1)];

/** Whether the device has subgroups of eight lanes, no more and no fewer. */
export function isNarrow(gpu: GpuResources): boolean {
  const { subgroupMinSize, subgroupMaxSize } = gpu.device.adapterInfo ?? {};
  return gpu.has('subgroups') && subgroupMinSize === 8 && subgroupMaxSize === 8;
}

/** Whether products with such a weight may be worth its bands. */
export const isWorthBands = (rows: number, columns: number): boolean => rows * columns * 1024 >= LEAST;

/** A weight in bands: halves as they are, all else as f32. */
export function bandsOf({ rows, columns, dtype, data }: HostMatrix): Float32Array | Uint16Array {
  const fours = Math.ceil(columns / 4);
  const bands = Math.ceil(rows / BAND);
  const result =
    dtype === 'F16' ? new Uint16Array(bands * fours * BAND * 4) : new Float32Array(bands * fours * BAND * 4);
  const words = new Uint32Array(result.buffer, 0, dtype === 'BF16' ? result.length : 0);
  for (let row = 0; row < rows; row++) {
    const first = (Math.floor(row / BAND) * fours * BAND + (row % BAND)) * 4;
    for (let column = 0; column < columns; column++) {
      const to = first + (column >> 2) * BAND * 4 + (column & 3);
      if (dtype === 'BF16') words[to] = data[row * columns + column] << 16;
      else result[to] = data[row * columns + column];
    }
  }
  return result;
}

/** Whether a product is large enough for the bands, where there is another way. */
export const isWorthNarrow = ({ rows, inputs, outputs }: Pick<Gemm, 'rows' | 'inputs' | 'outputs'>): boolean =>
  rows * inputs * outputs >= LEAST;

/** Rows of that many inputs whose bands are no larger than so many bytes, a multiple of 64. */
export const narrowRows = (bytes: number, inputs: number): number =>
  Math.max(1, Math.floor(bytes / (Math.ceil(inputs / 4) * 16) / (8 * BAND))) * 8 * BAND;

/** Records the product from bands. */
export function recordNarrowGemm(batch: Batch, gemm: Omit<Gemm, 'weight'>, bands: GPUBuffer): void {
  const { x, weightKind, rows, inputs, outputs, neighbours, bias, gate, residual, activation, result } = gemm;
  const fours = Math.ceil(inputs / 4);
  const count = Math.ceil(rows / BAND);
  const packed = batch.gpu.acquire(count * fours * BAND * 16, 'bands');
  const channels = neighbours ? inputs / 27 : inputs;
  pack.dispatch(
    batch,
    { x, neighbours: neighbours ?? x, result: packed },
    { rows, columns: inputs, fours, bands: count, channels, gather: neighbours ? 1 : 0 },
    linear(count * fours * BAND, 64),
  );
  variants[weightKind === 'F16' ? 1 : 0].dispatch(
    batch,
    {
      x: packed,
      weight: bands,
      bias: bias ?? bands,
      gate: gate?.buffer ?? bands,
      residual: residual ?? bands,
      result,
    },
    {
      rows,
      outputs,
      fours,
      bands: count,
      activation,
      parts: (bias ? 1 : 0) | (gate ? 2 : 0) | (residual ? 4 : 0),
      gateColumn: gate?.column ?? 0,
    },
    [Math.ceil(count / 4), Math.ceil(outputs / BAND)],
  );
  // What is recorded runs in order, so that the next product may have the same buffer.
  batch.gpu.release(packed);
}
