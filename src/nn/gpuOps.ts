import { throwIfCancelled } from '../core/errors.js';
import type { Batch } from '../gpu/runtime/batch.js';
import type { Gpu } from '../gpu/runtime/gpu.js';
import type { TypedArray } from '../gpu/runtime/resources.js';
import { type DeviceColumns, recordAttention } from './kernels/attention.js';
import { type Gemm, recordGemm, type WEIGHT_KINDS } from './kernels/gemm.js';
import { bandsOf, isNarrow, isWorthBands, recordNarrowGemm } from './kernels/gemmNarrow.js';
import { type DeviceHeads, recordHeadLayerNorm, recordHeadRms, recordRope2d } from './kernels/heads.js';
import { recordGroupNorm, recordLayerNorm } from './kernels/norms.js';
import { type RowWork, recordRows } from './kernels/rows.js';
import {
  ACTIVATIONS,
  type Activation,
  type Affine,
  type Attention,
  type Columns,
  type Dims,
  type Epilogue,
  type Heads,
  type HostMatrix,
  type Index,
  type LayerNorm,
  type Linear,
  type Ops,
  type Tensor,
  type Weight,
} from './ops.js';

/** Submissions under way at most: the next is recorded while one runs, and a cancellation waits for no more. */
const IN_FLIGHT = 2;

interface Held {
  buffer: GPUBuffer;
  /** Whether the buffer is of the pool; others were written to, and are destroyed. */
  pooled: boolean;
  freed?: boolean;
}
interface DeviceTensor extends Tensor, Held {}
interface DeviceWeight extends Weight, Held {
  kind: keyof typeof WEIGHT_KINDS;
  /** The numbers once more in bands, where subgroups are narrow. */
  bands?: GPUBuffer;
}
interface DeviceIndex extends Index, Held {
  /** Greatest number of queries in a segment, where the list is one of segments. */
  longest: number;
}

/**
 * The operations on a device. They are recorded, and sent off by `flush` or `read`. Weights in 16 bits stay so and are
 * widened as they are read, which needs no optional feature; everything else is f32.
 */
export class GpuOps implements Ops {
  readonly gpu: Gpu;
  private batch: Batch | undefined;
  private readonly stretches: Held[][] = [];
  private readonly underWay: Promise<void>[] = [];

  private readonly narrow: boolean;

  constructor(gpu: Gpu) {
    this.gpu = gpu;
    this.narrow = isNarrow(gpu);
  }

  private get recording(): Batch {
    this.batch ??= this.gpu.batch('network');
    return this.batch;
  }

  private held<T extends Held>(item: T): T {
    this.stretches.at(-1)?.push(item);
    return item;
  }

  private make(rows: number, columns: number): DeviceTensor {
    return this.held({ rows, columns, buffer: this.gpu.acquire(rows * columns * 4, 'tensor'), pooled: true });
  }

  private upload(data: TypedArray): GPUBuffer {
    // Not from the pool: writes go ahead of what is recorded, which may still read a buffer that was given back.
    return this.gpu.upload(data, 'network');
  }

  tensor(data: Float32Array, rows: number, columns: number): Tensor {
    if (data.length !== rows * columns) throw new RangeError(`${data.length} numbers are not ${rows} × ${columns}`);
    return this.held<DeviceTensor>({ rows, columns, buffer: this.upload(data), pooled: false });
  }

  weight(matrix: HostMatrix): Weight {
    const { rows, columns, dtype, data } = matrix;
    if (data.length !== rows * columns) throw new RangeError(`${data.length} numbers are not ${rows} × ${columns}`);
    const bands = this.narrow && isWorthBands(rows, columns) ? this.upload(bandsOf(matrix)) : undefined;
    return this.held<DeviceWeight>({ rows, columns, kind: dtype, bands, buffer: this.upload(data), pooled: false });
  }

  index(data: Int32Array): Index {
    let longest = 0;
    for (let i = 1; i < data.length; i += 4) longest = Math.max(longest, data[i]);
    return this.held<DeviceIndex>({ length: data.length, longest, buffer: this.upload(data), pooled: false });
  }

  async read(tensor: Tensor): Promise<Float32Array> {
    const { rows, columns, buffer } = tensor as DeviceTensor;
    this.submit();
    return this.gpu.readFloat32(buffer, rows * columns);
  }

  open(): void {
    this.stretches.push([]);
  }

  close(keep: readonly Tensor[] = []): void {
    const kept = new Set<unknown>(keep);
    for (const item of this.stretches.pop() ?? []) {
      if (kept.has(item)) this.held(item);
      else this.release(item);
    }
  }

  free(...items: (Tensor | Weight | Index)[]): void {
    for (const item of items) this.release(item as unknown as Held);
  }

  private release(item: Held): void {
    if (item.freed) return;
    item.freed = true;
    const { bands } = item as DeviceWeight;
    const destroy = (): void => {
      item.buffer.destroy();
      bands?.destroy();
    };
    // What is recorded runs in order, so a buffer of the pool can be handed out again at once.
    if (item.pooled) this.gpu.release(item.buffer);
    else if (this.batch) this.batch.onSubmit(destroy);
    else destroy();
  }

  private submit(): void {
    this.batch?.submit();
    this.batch = undefined;
  }

  async flush(signal?: AbortSignal): Promise<void> {
    throwIfCancelled(signal);
    this.submit();
    this.underWay.push(this.gpu.sync());
    while (this.underWay.length >= IN_FLIGHT) await this.underWay.shift();
    throwIfCancelled(signal);
  }

  /** Runs of rows that each fit a binding, as far as rows of so many bytes begin where a binding may. */
  private *chunks(rows: number, ...columns: number[]): Generator<{ first: number; count: number }> {
    const widest = Math.max(...columns) * 4;
    const limit = Math.floor(this.gpu.limits.maxStorageBufferBindingSize / widest / 64) * 64;
    for (let first = 0; first < rows; first += limit) yield { first, count: Math.min(limit, rows - first) };
  }

  private part(tensor: Tensor, first: number, count: number): GPUBufferBinding {
    const { buffer, columns, rows } = tensor as DeviceTensor;
    if (first === 0 && count === rows) return { buffer };
    return { buffer, offset: first * columns * 4, size: Math.ceil((count * columns) / 4) * 16 };
  }

  linear(x: Tensor, layer: Linear, epilogue: Epilogue = {}): Tensor {
    const weight = layer.weight as DeviceWeight;
    if (x.columns !== weight.columns) throw new RangeError(`${x.columns} columns meet ${weight.columns} inputs`);
    const result = this.make(x.rows, weight.rows);
    for (const { first, count } of this.chunks(x.rows, x.columns, weight.rows)) {
      this.product(weight, {
        ...this.productOf(layer, epilogue, { first, count }),
        x: this.part(x, first, count),
        result: this.part(result, first, count),
      });
    }
    return result;
  }

  convolution(x: Tensor, neighbours: Index, layer: Linear, epilogue: Epilogue = {}): Tensor {
    const weight = layer.weight as DeviceWeight;
    if (x.columns * 27 !== weight.columns) throw new RangeError(`27 · ${x.columns} columns meet ${weight.columns}`);
    const rows = neighbours.length / 27;
    const result = this.make(rows, weight.rows);
    const map: DeviceTensor = { ...(neighbours as DeviceIndex), rows, columns: 27 };
    for (const { first, count } of this.chunks(rows, 27, weight.rows)) {
      this.product(weight, {
        ...this.productOf(layer, epilogue, { first, count }),
        x: { buffer: (x as DeviceTensor).buffer },
        neighbours: this.part(map, first, count),
        result: this.part(result, first, count),
      });
    }
    return result;
  }

  private product({ bands }: DeviceWeight, gemm: Gemm): void {
    if (!bands || !recordNarrowGemm(this.recording, gemm, bands)) recordGemm(this.recording, gemm);
  }

  private productOf(
    { weight, bias }: Linear,
    { activation = 'none', gate, residual }: Epilogue,
    { first, count }: { first: number; count: number },
  ) {
    const { buffer, kind, rows, columns } = weight as DeviceWeight;
    return {
      weight: buffer,
      weightKind: kind,
      rows: count,
      inputs: columns,
      outputs: rows,
      bias: (bias as DeviceTensor | undefined)?.buffer,
      gate: gate && columnsOf(gate),
      residual: residual && this.part(residual, first, count),
      activation: ACTIVATIONS.indexOf(activation),
    };
  }

  layerNorm(x: Tensor, { eps, affine, modulation, activation = 'none' }: LayerNorm): Tensor {
    const result = this.make(x.rows, x.columns);
    for (const { first, count } of this.chunks(x.rows, x.columns)) {
      recordLayerNorm(this.recording, {
        x: this.part(x, first, count),
        rows: count,
        columns: x.columns,
        eps,
        kind: modulation ? 'modulated' : affine ? 'affine' : 'plain',
        scale: modulation ? columnsOf(modulation.scale) : affine && columnsOf({ of: affine.weight, column: 0 }),
        shift: modulation ? columnsOf(modulation.shift) : affine && columnsOf({ of: affine.bias, column: 0 }),
        activation: ACTIVATIONS.indexOf(activation),
        result: this.part(result, first, count),
      });
    }
    return result;
  }

  groupNorm(x: Tensor, groups: number, eps: number, affine: Affine, activation: Activation = 'none'): Tensor {
    const result = this.make(x.rows, x.columns);
    recordGroupNorm(this.recording, {
      x: (x as DeviceTensor).buffer,
      rows: x.rows,
      columns: x.columns,
      groups,
      eps,
      ...affineOf(affine),
      activation: ACTIVATIONS.indexOf(activation),
      result: result.buffer,
    });
    return result;
  }

  headRms(heads: Heads, gamma: Tensor): void {
    recordHeadRms(this.recording, headsOf(heads), (gamma as DeviceTensor).buffer);
  }

  headLayerNorm(heads: Heads, eps: number, affine: Affine): void {
    recordHeadLayerNorm(this.recording, headsOf(heads), eps, affineOf(affine));
  }

  rope2d(heads: Heads, positions: Index, base: number): void {
    recordRope2d(this.recording, headsOf(heads), (positions as DeviceIndex).buffer, base);
  }

  attention({ query, key, value, heads, size, segments, contexts = 1 }: Attention): Tensor {
    const result = this.make(query.of.rows, heads * size);
    const list = segments as DeviceIndex | undefined;
    recordAttention(this.recording, {
      query: columnsOf(query),
      key: columnsOf(key),
      value: columnsOf(value),
      heads,
      size,
      contexts,
      segments: list && { buffer: list.buffer, count: list.length / 4, longest: list.longest },
      result: result.buffer,
    });
    return result;
  }

  activate(x: Tensor, activation: Activation): Tensor {
    return this.rowByRow(x, { operation: 'activate', activation: ACTIVATIONS.indexOf(activation) });
  }

  add(x: Tensor, y: Tensor): Tensor {
    if (x.columns !== y.columns || x.rows % y.rows !== 0) {
      throw new RangeError(`${x.rows} × ${x.columns} and ${y.rows} × ${y.columns} cannot be added`);
    }
    return this.rowByRow(x, { operation: 'add', period: y.rows * y.columns }, y);
  }

  /** An operation on each number, in as many parts as bindings need; `y` is parted alike where it is as large. */
  private rowByRow(x: Tensor, work: Pick<RowWork, 'operation' | 'activation' | 'period'>, y?: Tensor): Tensor {
    const result = this.make(x.rows, x.columns);
    const { columns } = x;
    const [whole, ...rest] = this.chunks(x.rows, columns);
    if (rest.length > 0 && y && y.rows !== x.rows) throw new RangeError('a repeated summand needs a single binding');
    for (const { first, count } of whole ? [whole, ...rest] : []) {
      recordRows(this.recording, {
        ...work,
        x: this.part(x, first, count),
        y: y && (y.rows === x.rows ? this.part(y, first, count) : { buffer: (y as DeviceTensor).buffer }),
        result: this.part(result, first, count),
        count: count * columns,
        columns,
      });
    }
    return result;
  }

  gather(x: Tensor, rows: Index): Tensor {
    const result = this.make(rows.length, x.columns);
    const list: DeviceTensor = { ...(rows as DeviceIndex), rows: rows.length, columns: 1 };
    for (const { first, count } of this.chunks(rows.length, x.columns)) {
      recordRows(this.recording, {
        operation: 'gather',
        x: { buffer: (x as DeviceTensor).buffer },
        list: this.part(list, first, count),
        result: this.part(result, first, count),
        count: count * x.columns,
        columns: x.columns,
      });
    }
    return result;
  }

  concatRows(parts: readonly Tensor[]): Tensor {
    const result = this.make(
      parts.reduce((sum, part) => sum + part.rows, 0),
      parts[0].columns,
    );
    let at = 0;
    for (const part of parts) {
      const bytes = part.rows * part.columns * 4;
      this.recording.copy((part as DeviceTensor).buffer, 0, result.buffer, at, bytes);
      at += bytes;
    }
    return result;
  }

  concatColumns(parts: readonly Tensor[]): Tensor {
    const columns = parts.reduce((sum, part) => sum + part.columns, 0);
    const { rows } = parts[0];
    const result = this.make(rows, columns);
    let toColumn = 0;
    for (const part of parts) {
      for (const { first, count } of this.chunks(rows, columns)) {
        recordRows(this.recording, {
          operation: 'placeColumns',
          x: this.part(part, first, count),
          result: this.part(result, first, count),
          count: count * part.columns,
          columns,
          fromColumns: part.columns,
          toColumn,
        });
      }
      toColumn += part.columns;
    }
    return result;
  }

  pool(x: Tensor, starts: Index, rows: Index): Tensor {
    const result = this.make(starts.length - 1, x.columns);
    recordRows(this.recording, {
      operation: 'pool',
      x: { buffer: (x as DeviceTensor).buffer },
      first: (starts as DeviceIndex).buffer,
      list: { buffer: (rows as DeviceIndex).buffer },
      result: { buffer: result.buffer },
      count: result.rows * result.columns,
      columns: x.columns,
    });
    return result;
  }

  pixelShuffle(x: Tensor, size: Dims): Tensor {
    const result = this.make(x.rows * 8, x.columns / 8);
    recordRows(this.recording, {
      operation: 'pixelShuffle',
      x: { buffer: (x as DeviceTensor).buffer },
      result: { buffer: result.buffer },
      count: result.rows * result.columns,
      columns: result.columns,
      size,
    });
    return result;
  }
}

const columnsOf = ({ of, column }: Columns): DeviceColumns => ({
  buffer: (of as DeviceTensor).buffer,
  stride: of.columns,
  column,
  rows: of.rows,
});

const headsOf = ({ of, ...place }: Heads): DeviceHeads => ({
  x: (of as DeviceTensor).buffer,
  rows: of.rows,
  stride: of.columns,
  ...place,
});

const affineOf = ({ weight, bias }: Affine): { weight: GPUBuffer; bias: GPUBuffer } => ({
  weight: (weight as DeviceTensor).buffer,
  bias: (bias as DeviceTensor).buffer,
});
