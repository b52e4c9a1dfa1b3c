import { throwIfCancelled } from '../core/errors.js';
import { toHalf } from '../core/halfFloat.js';
import type { Batch } from '../gpu/runtime/batch.js';
import type { Gpu } from '../gpu/runtime/gpu.js';
import type { TypedArray } from '../gpu/runtime/resources.js';
import type { WEIGHT_KINDS } from './kernels/gemm.js';
import { bandsOf, isNarrow, isWorthBands } from './kernels/gemmNarrow.js';
import type { HostMatrix, Index, Tensor, Weight } from './ops.js';

/** Submissions under way at most: the next is recorded while one runs, and a cancellation waits for no more. */
const IN_FLIGHT = 2;

/** Rows of a page are a multiple of this, so that a binding may begin at any multiple of it. */
const PAGE_STEP = 64;

/** From this size on a weight is held in bands alone, where there are bands: small ones also serve small products. */
const BANDS_ALONE = 2 ** 20;

/** Rows of a tensor that lie in one buffer, no larger than a binding may be. */
export interface Page {
  buffer: GPUBuffer;
  /** First row. */
  first: number;
  rows: number;
}

interface Held {
  buffers: GPUBuffer[];
  /** Whether the buffers are of the pool; others were written to, and are destroyed. */
  pooled: boolean;
  freed?: boolean;
}
/** A tensor in pages; most have one. */
export interface DeviceTensor extends Tensor, Held {
  pages: readonly Page[];
}
/** A weight as it is stored, or in bands where subgroups are narrow, or both. */
export interface DeviceWeight extends Weight, Held {
  kind: keyof typeof WEIGHT_KINDS;
  plain?: GPUBuffer;
  bands?: GPUBuffer;
}
/** A list, which goes to the device once it is needed there: of long ones only parts are. */
export interface DeviceIndex extends Index, Held {
  data: Int32Array;
}

/** How a device is used. */
export interface DeviceMemoryOptions {
  /** Bytes of a page at most; default and greatest value: what a binding may hold. */
  pageBytes?: number;
  /**
   * Keeps weights that are stored in f32 as halves, which takes half the memory and rounds them to 11 bits; those of
   * which a number is beyond halves stay as they are. Default false.
   */
  halves?: boolean;
}

/** Rows of one run of work. */
export interface Run {
  first: number;
  count: number;
}

/**
 * What lies on a device for networks, and the batch that is being recorded. Tensors that a binding cannot hold (WebGPU
 * promises 128 MiB) lie in pages.
 */
export class DeviceMemory {
  readonly gpu: Gpu;
  /** Bytes of a page at most. */
  readonly pageBytes: number;
  protected readonly narrow: boolean;
  private readonly halves: boolean;
  private batch: Batch | undefined;
  private readonly stretches: Held[][] = [];
  private readonly underWay: Promise<void>[] = [];

  constructor(gpu: Gpu, options: DeviceMemoryOptions = {}) {
    this.gpu = gpu;
    this.halves = options.halves ?? false;
    const { maxStorageBufferBindingSize, maxBufferSize } = gpu.limits;
    this.pageBytes = Math.min(
      maxStorageBufferBindingSize,
      maxBufferSize,
      options.pageBytes ?? Number.POSITIVE_INFINITY,
    );
    this.narrow = isNarrow(gpu);
  }

  protected get recording(): Batch {
    this.batch ??= this.gpu.batch('network');
    return this.batch;
  }

  private held<T extends Held>(item: T): T {
    this.stretches.at(-1)?.push(item);
    return item;
  }

  /** Rows of that many bytes that fit a page. */
  protected rowsInPage(rowBytes: number): number {
    return Math.max(1, Math.floor(this.pageBytes / rowBytes / PAGE_STEP)) * PAGE_STEP;
  }

  private paged(
    rows: number,
    columns: number,
    pooled: boolean,
    bufferOf: (run: Run) => GPUBuffer,
    most = this.rowsInPage(columns * 4),
  ): DeviceTensor {
    const pages: Page[] = [];
    for (let first = 0; first < rows || first === 0; first += most) {
      const count = Math.min(most, rows - first);
      pages.push({ buffer: bufferOf({ first, count }), first, rows: count });
    }
    return this.held({ rows, columns, pages, buffers: pages.map(({ buffer }) => buffer), pooled });
  }

  /** A tensor with undefined contents. @param most rows of a page; default: as many as fit one */
  protected make(rows: number, columns: number, most?: number): DeviceTensor {
    return this.paged(rows, columns, true, ({ count }) => this.gpu.acquire(count * columns * 4, 'tensor'), most);
  }

  private upload(data: TypedArray): GPUBuffer {
    // Not from the pool: writes go ahead of what is recorded, which may still read a buffer that was given back.
    return this.gpu.upload(data, 'network');
  }

  tensor(data: Float32Array, rows: number, columns: number): Tensor {
    if (data.length !== rows * columns) throw new RangeError(`${data.length} numbers are not ${rows} × ${columns}`);
    return this.paged(rows, columns, false, ({ first, count }) =>
      this.upload(data.subarray(first * columns, (first + count) * columns)),
    );
  }

  weight(given: HostMatrix): Weight {
    const matrix = this.halves ? halved(given) : given;
    const { rows, columns, dtype, data } = matrix;
    if (data.length !== rows * columns) throw new RangeError(`${data.length} numbers are not ${rows} × ${columns}`);
    const bands = this.narrow && isWorthBands(rows, columns) ? this.upload(bandsOf(matrix)) : undefined;
    const plain = bands && rows * columns >= BANDS_ALONE ? undefined : this.upload(data);
    const buffers = [bands, plain].filter((buffer) => buffer !== undefined);
    return this.held<DeviceWeight>({ rows, columns, kind: dtype, bands, plain, buffers, pooled: false });
  }

  index(data: Int32Array): Index {
    return this.held<DeviceIndex>({ length: data.length, data, buffers: [], pooled: false });
  }

  /** A list as a whole on the device. */
  protected listed(index: Index): GPUBuffer {
    const { buffers, data } = index as DeviceIndex;
    if (buffers.length === 0) buffers.push(this.upload(data));
    return buffers[0];
  }

  /** The part of a list that holds `width` numbers for each row of a run. */
  protected listedPart(index: Index, { first, count }: Run, width: number): GPUBufferBinding {
    const { data } = index as DeviceIndex;
    if (data.byteLength <= this.pageBytes) {
      const offset = first * width * 4;
      return { buffer: this.listed(index), offset, size: Math.max(16, Math.ceil((count * width) / 4) * 16) };
    }
    const buffer = this.upload(data.subarray(first * width, (first + count) * width));
    this.recording.onSubmit(() => buffer.destroy());
    return { buffer };
  }

  async read(tensor: Tensor): Promise<Float32Array> {
    const { rows, columns, pages } = tensor as DeviceTensor;
    this.submit();
    if (pages.length === 1) return this.gpu.readFloat32(pages[0].buffer, rows * columns);
    const result = new Float32Array(rows * columns);
    for (const page of pages) {
      result.set(await this.gpu.readFloat32(page.buffer, page.rows * columns), page.first * columns);
    }
    return result;
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
    const destroy = (): void => {
      for (const buffer of item.buffers) buffer.destroy();
    };
    // What is recorded runs in order, so a buffer of the pool can be handed out again at once.
    if (item.pooled) this.gpu.release(...item.buffers);
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

  /** Runs of rows, at most `most`, each of which lies within one page of each tensor. */
  protected *runs(tensors: readonly Tensor[], most = Number.POSITIVE_INFINITY): Generator<Run> {
    const { rows } = tensors[0];
    for (let first = 0; first < rows; ) {
      const ends = tensors.map((tensor) => {
        const page = pageAt(tensor, first);
        return page.first + page.rows;
      });
      const count = Math.min(first + most, ...ends) - first;
      yield { first, count };
      first += count;
    }
  }

  /** Rows of a run, which lie within one page. */
  protected part(tensor: Tensor, { first, count }: Run): GPUBufferBinding {
    const { columns } = tensor;
    const page = pageAt(tensor, first);
    if (first === page.first && count === page.rows) return { buffer: page.buffer };
    const offset = (first - page.first) * columns * 4;
    return { buffer: page.buffer, offset, size: Math.ceil((count * columns) / 4) * 16 };
  }

  /** The buffer of a tensor that has but one page. */
  protected whole(tensor: Tensor): GPUBuffer {
    const { pages, rows, columns } = tensor as DeviceTensor;
    if (pages.length > 1) throw new RangeError(`a tensor of ${rows} × ${columns} does not fit one binding`);
    return pages[0].buffer;
  }
}

/** The page that holds a row. */
function pageAt(tensor: Tensor, row: number): Page {
  const { pages } = tensor as DeviceTensor;
  return pages[Math.floor(row / pages[0].rows)];
}

/** Greatest number of a half. */
const GREATEST_HALF = 65504;

/** A matrix of f32 as halves where each number has one. */
function halved(matrix: HostMatrix): HostMatrix {
  const { dtype, data } = matrix;
  if (dtype !== 'F32' || data.some((x) => !(Math.abs(x) <= GREATEST_HALF))) return matrix;
  return { ...matrix, dtype: 'F16', data: Uint16Array.from(data, toHalf) };
}
