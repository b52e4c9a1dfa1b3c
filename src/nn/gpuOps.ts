import { type DeviceIndex, DeviceMemory, type DeviceTensor, type DeviceWeight, type Run } from './deviceMemory.js';
import { type DeviceColumns, recordAttention } from './kernels/attention.js';
import { recordNarrowAttention } from './kernels/attentionNarrow.js';
import { type Gemm, recordGemm } from './kernels/gemm.js';
import { isWorthNarrow, narrowRows, recordNarrowGemm } from './kernels/gemmNarrow.js';
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
  type Index,
  type LayerNorm,
  type Linear,
  type Ops,
  type Tensor,
} from './ops.js';
import { nearbyRows } from './sparse/nearbyRows.js';

/**
 * The operations on a device. They are recorded, and sent off by `flush` or `read`. Weights in 16 bits stay so and are
 * widened as they are read, which needs no optional feature; everything else is f32.
 */
export class GpuOps extends DeviceMemory implements Ops {
  linear(x: Tensor, layer: Linear, epilogue: Epilogue = {}): Tensor {
    const weight = layer.weight as DeviceWeight;
    if (x.columns !== weight.columns) throw new RangeError(`${x.columns} columns meet ${weight.columns} inputs`);
    const result = this.make(x.rows, weight.rows);
    const most = this.narrowRows(weight);
    for (const run of this.runs([result, x, ...given(epilogue.residual)], most)) {
      this.product(weight, {
        ...this.productOf(layer, epilogue, run),
        x: this.part(x, run),
        result: this.part(result, run),
      });
    }
    return result;
  }

  convolution(x: Tensor, neighbours: Index, layer: Linear, epilogue: Epilogue = {}): Tensor {
    const weight = layer.weight as DeviceWeight;
    if (x.columns * 27 !== weight.columns) throw new RangeError(`27 · ${x.columns} columns meet ${weight.columns}`);
    const result = this.make(neighbours.length / 27, weight.rows);
    const most = Math.min(this.narrowRows(weight), this.rowsInPage(27 * 4));
    const near = (x as DeviceTensor).pages.length > 1;
    for (const run of this.runs([result, ...given(epilogue.residual)], most)) {
      if (near) this.convolutionNearby(x, neighbours, layer, epilogue, result, run);
      else {
        this.product(weight, {
          ...this.productOf(layer, epilogue, run),
          x: { buffer: this.whole(x) },
          neighbours: this.listedPart(neighbours, run, 27),
          result: this.part(result, run),
        });
      }
    }
    return result;
  }

  /** Rows of a convolution of what lies in several pages: the rows that they look at are brought together first. */
  private convolutionNearby(
    x: Tensor,
    neighbours: Index,
    layer: Linear,
    epilogue: Epilogue,
    result: Tensor,
    run: Run,
  ): void {
    const weight = layer.weight as DeviceWeight;
    const map = (neighbours as DeviceIndex).data;
    const most = this.rowsInPage(x.columns * 4);
    for (let first = run.first; first < run.first + run.count; ) {
      let count = run.first + run.count - first;
      let near = nearbyRows(map.subarray(first * 27, (first + count) * 27), x.rows);
      while (near.rows.length > most && count > 64) {
        count = Math.ceil(count / 128) * 64;
        near = nearbyRows(map.subarray(first * 27, (first + count) * 27), x.rows);
      }
      this.open();
      const gathered = this.make(near.rows.length, x.columns, near.rows.length);
      this.gatherInto(gathered, x, this.index(near.rows));
      const list = this.index(near.map);
      this.product(weight, {
        ...this.productOf(layer, epilogue, { first, count }),
        x: { buffer: this.whole(gathered) },
        neighbours: this.listedPart(list, { first: 0, count }, 27),
        result: this.part(result, { first, count }),
      });
      this.close();
      first += count;
    }
  }

  private narrowRows({ bands, columns }: DeviceWeight): number {
    return bands ? narrowRows(this.pageBytes, columns) : Number.POSITIVE_INFINITY;
  }

  private product({ bands, plain }: DeviceWeight, gemm: Omit<Gemm, 'weight'>): void {
    if (bands && (!plain || isWorthNarrow(gemm))) recordNarrowGemm(this.recording, gemm, bands);
    else if (plain) recordGemm(this.recording, { ...gemm, weight: plain });
  }

  private productOf({ weight, bias }: Linear, { activation = 'none', gate, residual }: Epilogue, run: Run) {
    const { kind, rows, columns } = weight as DeviceWeight;
    return {
      weightKind: kind,
      rows: run.count,
      inputs: columns,
      outputs: rows,
      bias: bias && this.whole(bias),
      gate: gate && this.vector(gate),
      residual: residual && this.part(residual, run),
      activation: ACTIVATIONS.indexOf(activation),
    };
  }

  layerNorm(x: Tensor, { eps, affine, modulation, activation = 'none' }: LayerNorm): Tensor {
    const result = this.make(x.rows, x.columns);
    for (const run of this.runs([result, x])) {
      recordLayerNorm(this.recording, {
        x: this.part(x, run),
        rows: run.count,
        columns: x.columns,
        eps,
        kind: modulation ? 'modulated' : affine ? 'affine' : 'plain',
        scale: modulation ? this.vector(modulation.scale) : affine && this.vector({ of: affine.weight, column: 0 }),
        shift: modulation ? this.vector(modulation.shift) : affine && this.vector({ of: affine.bias, column: 0 }),
        activation: ACTIVATIONS.indexOf(activation),
        result: this.part(result, run),
      });
    }
    return result;
  }

  groupNorm(x: Tensor, groups: number, eps: number, affine: Affine, activation: Activation = 'none'): Tensor {
    const result = this.make(x.rows, x.columns);
    const runs = [...this.runs([result, x])];
    recordGroupNorm(this.recording, {
      parts: runs.map((run) => ({ x: this.part(x, run), result: this.part(result, run), ...run })),
      rows: x.rows,
      columns: x.columns,
      groups,
      eps,
      ...this.affineOf(affine),
      activation: ACTIVATIONS.indexOf(activation),
    });
    return result;
  }

  headRms(heads: Heads, gamma: Tensor): void {
    for (const run of this.runs([heads.of])) {
      recordHeadRms(this.recording, this.headsOf(heads, run), this.whole(gamma));
    }
  }

  headLayerNorm(heads: Heads, eps: number, affine: Affine): void {
    for (const run of this.runs([heads.of])) {
      recordHeadLayerNorm(this.recording, this.headsOf(heads, run), eps, this.affineOf(affine));
    }
  }

  rope2d(heads: Heads, positions: Index, base: number): void {
    for (const run of this.runs([heads.of])) {
      recordRope2d(this.recording, this.headsOf(heads, run), this.listedPart(positions, run, 2), base);
    }
  }

  attention({ query, key, value, heads, size, segments, contexts = 1 }: Attention): Tensor {
    const result = this.make(query.of.rows, heads * size);
    const list = segments as DeviceIndex | undefined;
    if ([query, key, value].some(({ of, column }) => of.columns % 4 !== 0 || column % 4 !== 0)) {
      throw new RangeError('attention needs columns in multiples of 4');
    }
    const attention = {
      query: columnsOf(query),
      key: columnsOf(key),
      value: columnsOf(value),
      heads,
      size,
      contexts,
      segments: list && { buffer: this.listed(list), count: list.length / 4, longest: longestOf(list.data) },
      result: result.pages,
      pageBytes: this.pageBytes,
    };
    if (this.narrow && size === 64) recordNarrowAttention(this.recording, attention);
    else recordAttention(this.recording, attention);
    return result;
  }

  activate(x: Tensor, activation: Activation): Tensor {
    const result = this.make(x.rows, x.columns);
    for (const run of this.runs([result, x])) {
      this.rows(result, run, { operation: 'activate', x, activation: ACTIVATIONS.indexOf(activation) });
    }
    return result;
  }

  add(x: Tensor, y: Tensor): Tensor {
    if (x.columns !== y.columns || x.rows % y.rows !== 0) {
      throw new RangeError(`${x.rows} × ${x.columns} and ${y.rows} × ${y.columns} cannot be added`);
    }
    const result = this.make(x.rows, x.columns);
    const alike = x.rows === y.rows;
    for (const run of this.runs(alike ? [result, x, y] : [result, x])) {
      const summand = alike
        ? { y: this.part(y, run), period: run.count * x.columns }
        : { y: { buffer: this.whole(y) }, period: y.rows * y.columns, offset: run.first * x.columns };
      this.rows(result, run, { operation: 'add', x, ...summand });
    }
    return result;
  }

  /** An operation on each number of a run. */
  private rows(
    result: Tensor,
    run: Run,
    { x, ...work }: { x: Tensor } & Pick<RowWork, 'operation' | 'activation' | 'y' | 'period' | 'offset'>,
  ): void {
    recordRows(this.recording, {
      ...work,
      x: this.part(x, run),
      result: this.part(result, run),
      count: run.count * x.columns,
      columns: x.columns,
    });
  }

  gather(x: Tensor, rows: Index): Tensor {
    const result = this.make(rows.length, x.columns);
    this.gatherInto(result, x, rows);
    return result;
  }

  private gatherInto(result: Tensor, x: Tensor, rows: Index): void {
    for (const run of this.runs([result])) {
      const list = this.listedPart(rows, run, 1);
      for (const page of (x as DeviceTensor).pages) {
        recordRows(this.recording, {
          operation: 'gather',
          x: { buffer: page.buffer },
          firstRow: page.first,
          rows: page.rows,
          list,
          result: this.part(result, run),
          count: run.count * x.columns,
          columns: x.columns,
        });
      }
    }
  }

  concatRows(parts: readonly Tensor[]): Tensor {
    const rows = parts.reduce((sum, part) => sum + part.rows, 0);
    const result = this.make(rows, parts[0].columns);
    const rowBytes = result.columns * 4;
    let at = 0;
    for (const part of parts as readonly DeviceTensor[]) {
      for (const page of part.pages) {
        for (let done = 0; done < page.rows; ) {
          const to = result.pages[Math.floor((at + done) / result.pages[0].rows)];
          const count = Math.min(page.rows - done, to.first + to.rows - at - done);
          const offset = (at + done - to.first) * rowBytes;
          this.recording.copy(page.buffer, done * rowBytes, to.buffer, offset, count * rowBytes);
          done += count;
        }
        at += page.rows;
      }
    }
    return result;
  }

  concatColumns(parts: readonly Tensor[]): Tensor {
    const columns = parts.reduce((sum, part) => sum + part.columns, 0);
    const result = this.make(parts[0].rows, columns);
    let toColumn = 0;
    for (const part of parts) {
      for (const run of this.runs([result, part])) {
        recordRows(this.recording, {
          operation: 'placeColumns',
          x: this.part(part, run),
          result: this.part(result, run),
          count: run.count * part.columns,
          columns,
          fromColumns: part.columns,
          placed: part.columns,
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
      x: { buffer: this.whole(x) },
      first: this.listed(starts),
      list: { buffer: this.listed(rows) },
      result: { buffer: this.whole(result) },
      count: result.rows * result.columns,
      columns: x.columns,
    });
    return result;
  }

  pixelShuffle(x: Tensor, size: Dims): Tensor {
    const result = this.make(x.rows * 8, x.columns / 8);
    for (const run of this.runs([result])) {
      for (const page of (x as DeviceTensor).pages) {
        recordRows(this.recording, {
          operation: 'pixelShuffle',
          x: { buffer: page.buffer },
          firstRow: page.first,
          rows: page.rows,
          result: this.part(result, run),
          offset: run.first * result.columns,
          count: run.count * result.columns,
          columns: result.columns,
          size,
        });
      }
    }
    return result;
  }

  private vector({ of, column }: Columns): { buffer: GPUBuffer; column: number } {
    return { buffer: this.whole(of), column };
  }

  private headsOf({ of, ...place }: Heads, run: Run): DeviceHeads {
    return { x: this.part(of, run), rows: run.count, stride: of.columns, ...place };
  }

  private affineOf({ weight, bias }: Affine): { weight: GPUBuffer; bias: GPUBuffer } {
    return { weight: this.whole(weight), bias: this.whole(bias) };
  }
}

const columnsOf = ({ of, column }: Columns): DeviceColumns => ({
  pages: (of as DeviceTensor).pages,
  stride: of.columns,
  column,
  rows: of.rows,
});

const given = <T>(item: T | undefined): T[] => (item === undefined ? [] : [item]);

/** Greatest number of queries of a list of segments. */
function longestOf(segments: Int32Array): number {
  let longest = 0;
  for (let i = 1; i < segments.length; i += 4) longest = Math.max(longest, segments[i]);
  return longest;
}
