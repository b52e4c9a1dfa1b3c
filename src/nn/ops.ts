/**
 * What networks are made of. A network is written once, against `Ops`; `reference/` runs it in plain TypeScript, which
 * every kernel is held against, and `gpuOps.ts` in WGSL.
 */

/** A matrix of f32, rows of `columns` numbers: tokens, voxels or pixels by channels. A vector has one row. */
export interface Tensor {
  readonly rows: number;
  readonly columns: number;
}

/** Numbers of a network's layer, `rows` (outputs) by `columns` (inputs), held as they are stored. */
export interface Weight {
  readonly rows: number;
  readonly columns: number;
}

/** A list of whole numbers that kernels read, such as row numbers. */
export interface Index {
  readonly length: number;
}

/** A matrix in memory, not yet where the work is done. 16-bit numbers are kept as such. */
export interface HostMatrix {
  rows: number;
  columns: number;
  /** `F16` and `BF16`: bits of the numbers in a `Uint16Array`. */
  dtype: 'F32' | 'F16' | 'BF16';
  data: Float32Array | Uint16Array;
}

/** y = x Wᵀ + b. */
export interface Linear {
  weight: Weight;
  bias?: Tensor;
}

/** Gains and offsets of a norm, by channel. */
export interface Affine {
  weight: Tensor;
  bias: Tensor;
}

/** Columns of a tensor from `column` on. */
export interface Columns {
  of: Tensor;
  column: number;
}

/** `gelu` is x Φ(x), `gelu-tanh` its approximation (Hendrycks & Gimpel 2016). */
export type Activation = 'none' | 'gelu' | 'gelu-tanh' | 'silu' | 'relu' | 'sigmoid' | 'tanh' | 'softplus';

/** The activations in the order of their numbers in the kernels. */
export const ACTIVATIONS: readonly Activation[] = [
  ...(['none', 'gelu', 'gelu-tanh', 'silu', 'relu', 'sigmoid', 'tanh', 'softplus'] as const),
];

/** What follows a product before it is written: residual + gate · activation(y). */
export interface Epilogue {
  /** Default `none`. */
  activation?: Activation;
  /** A factor for each column, the same for all rows: LayerScale, the gate of a modulated block. */
  gate?: Columns;
  /** Added; as large as the result. */
  residual?: Tensor;
}

/** How rows are normalised: to mean 0 and variance 1, then (1 + scale) x + shift or weight x + bias, then activated. */
export interface LayerNorm {
  eps: number;
  affine?: Affine;
  /** Scale and shift, the same for all rows, as adaptive layer norms take them from the time. */
  modulation?: { scale: Columns; shift: Columns };
  /** Default `none`. */
  activation?: Activation;
}

/** Heads side by side in the columns of a tensor. */
export interface Heads {
  of: Tensor;
  /** First column of the first head. */
  column: number;
  /** How many. */
  heads: number;
  /** Columns of one. */
  size: number;
}

/**
 * Scaled dot-product attention. Query, key and value lie in columns of tensors, head after head. A segment is a run of
 * query rows with the run of key rows that they look at.
 */
export interface Attention {
  query: Columns;
  key: Columns;
  value: Columns;
  heads: number;
  /** Numbers of a head, 64 or 128. The scale is 1/√size. */
  size: number;
  /** Rows of each segment: first query, queries, first key, keys. Default: one segment of all rows. */
  segments?: Index;
  /**
   * The keys of a segment are this many equal runs; each has a softmax of its own, and the results are averaged.
   * Default 1.
   */
  contexts?: number;
}

/** Side lengths of a dense volume, whose rows run through x slowest and z fastest. */
export type Dims = readonly [number, number, number];

/** The operations. All tensors made between `open` and `close` are given back by `close`, save those it keeps. */
export interface Ops {
  tensor(data: Float32Array, rows: number, columns: number): Tensor;
  weight(matrix: HostMatrix): Weight;
  index(data: Int32Array): Index;
  read(tensor: Tensor): Promise<Float32Array>;

  /** Begins a stretch of work. */
  open(): void;
  /** Ends the stretch begun last: what was made in it is freed, except `keep`. */
  close(keep?: readonly Tensor[]): void;
  /** Frees a tensor, weight or index at once. */
  free(...items: (Tensor | Weight | Index)[]): void;
  /** Sends recorded work off, and waits while too much is under way. Throws `CANCELLED` if the signal is aborted. */
  flush(signal?: AbortSignal): Promise<void>;

  linear(x: Tensor, layer: Linear, epilogue?: Epilogue): Tensor;
  /**
   * A convolution by a map of neighbours: rows of 27 row numbers of x, −1 where there is none, tap (i·3 + j)·3 + l at
   * offset (i − 1, j − 1, l − 1). The layer's weight has 27 · channels columns, tap by tap.
   */
  convolution(x: Tensor, neighbours: Index, layer: Linear, epilogue?: Epilogue): Tensor;
  layerNorm(x: Tensor, norm: LayerNorm): Tensor;
  /** Normalises each of `groups` runs of columns over all rows together. */
  groupNorm(x: Tensor, groups: number, eps: number, affine: Affine, activation?: Activation): Tensor;
  /** Normalises each head, in place: x / max(‖x‖, 1e-12) · √size · gamma, gamma by head and column. */
  headRms(heads: Heads, gamma: Tensor): void;
  /** Normalises each head to mean 0 and variance 1, then weight x + bias, the same for all heads; in place. */
  headLayerNorm(heads: Heads, eps: number, affine: Affine): void;
  /**
   * Rotary embedding in two dimensions, in place: the first half of a head's columns turns by the row's y, the second
   * by its x; pairs (i, i + size/4), angle position · base^(−4i/size). `positions` holds y, x for each row.
   */
  rope2d(heads: Heads, positions: Index, base: number): void;
  attention(input: Attention): Tensor;
  activate(x: Tensor, activation: Activation): Tensor;
  /** x + y; y's rows are repeated where it has fewer. */
  add(x: Tensor, y: Tensor): Tensor;
  /** The rows of those numbers. */
  gather(x: Tensor, rows: Index): Tensor;
  /** Rows of all, one after the other. */
  concatRows(parts: readonly Tensor[]): Tensor;
  /** Columns of all, side by side. */
  concatColumns(parts: readonly Tensor[]): Tensor;
  /**
   * Sums of groups of rows, divided by their count + 1 (as TRELLIS's `include_self` reduction does): group g has the
   * rows `rows[starts[g] … starts[g + 1]]`.
   */
  pool(x: Tensor, starts: Index, rows: Index): Tensor;
  /**
   * A volume with 8 C channels to one of twice the side with C: channel c·8 + dx·4 + dy·2 + dz goes to (dx, dy, dz).
   */
  pixelShuffle(x: Tensor, dims: Dims): Tensor;
}

/** Runs `work` and frees all that it made except what it returns; then frees `consumed`. */
export function scoped<R extends Tensor | readonly Tensor[]>(
  ops: Ops,
  work: () => R,
  ...consumed: (Tensor | Index)[]
): R {
  ops.open();
  const result = work();
  ops.close(Array.isArray(result) ? (result as readonly Tensor[]) : [result as Tensor]);
  ops.free(...consumed);
  return result;
}
