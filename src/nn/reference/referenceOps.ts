import { throwIfCancelled } from '../../core/errors.js';
import { fromHalf } from '../../core/halfFloat.js';
import type {
  Activation,
  Affine,
  Attention,
  Columns,
  Dims,
  Epilogue,
  Heads,
  HostMatrix,
  Index,
  LayerNorm,
  Linear,
  Ops,
  Tensor,
  Weight,
} from '../ops.js';
import { ACTIVATE } from './activations.js';

/** A matrix of the reference. */
export interface PlainTensor extends Tensor {
  data: Float32Array;
}

const plain = (tensor: Tensor | Weight): PlainTensor => tensor as PlainTensor;
const make = (rows: number, columns: number): PlainTensor => ({
  rows,
  columns,
  data: new Float32Array(rows * columns),
});
const vector = ({ of, column }: Columns, length: number): Float32Array =>
  plain(of).data.subarray(column, column + length);

/**
 * The operations in plain TypeScript: f32 numbers, sums in f64, loops as the formulas read. Kernels are proven by it;
 * it is not meant to be fast.
 */
export class ReferenceOps implements Ops {
  tensor(data: Float32Array, rows: number, columns: number): Tensor {
    if (data.length !== rows * columns) throw new RangeError(`${data.length} numbers are not ${rows} × ${columns}`);
    return { rows, columns, data } as PlainTensor;
  }

  weight({ rows, columns, dtype, data }: HostMatrix): Weight {
    return this.tensor(dtype === 'F32' ? (data as Float32Array) : widen(dtype, data as Uint16Array), rows, columns);
  }

  index(data: Int32Array): Index {
    return data;
  }

  async read(tensor: Tensor): Promise<Float32Array> {
    return plain(tensor).data.slice();
  }

  open(): void {}
  close(): void {}
  free(): void {}

  async flush(signal?: AbortSignal): Promise<void> {
    throwIfCancelled(signal);
  }

  linear(x: Tensor, layer: Linear, epilogue: Epilogue = {}): Tensor {
    const { data, columns } = plain(x);
    return this.product(layer, x.rows, epilogue, (row, inputs) => {
      inputs.set(data.subarray(row * columns, (row + 1) * columns));
    });
  }

  convolution(x: Tensor, neighbours: Index, layer: Linear, epilogue: Epilogue = {}): Tensor {
    const { data, columns } = plain(x);
    const map = neighbours as Int32Array;
    return this.product(layer, map.length / 27, epilogue, (row, inputs) => {
      inputs.fill(0);
      for (let tap = 0; tap < 27; tap++) {
        const source = map[row * 27 + tap];
        if (source >= 0) inputs.set(data.subarray(source * columns, (source + 1) * columns), tap * columns);
      }
    });
  }

  /** `fill` gives the inputs of a row. */
  private product(
    { weight, bias }: Linear,
    rows: number,
    { activation = 'none', gate, residual }: Epilogue,
    fill: (row: number, inputs: Float64Array) => void,
  ): Tensor {
    const { data, rows: outputs, columns } = plain(weight);
    const result = make(rows, outputs);
    const gates = gate && vector(gate, outputs);
    const inputs = new Float64Array(columns);
    for (let row = 0; row < rows; row++) {
      fill(row, inputs);
      for (let column = 0; column < outputs; column++) {
        let sum = bias ? plain(bias).data[column] : 0;
        const start = column * columns;
        for (let k = 0; k < columns; k++) sum += inputs[k] * data[start + k];
        const y = ACTIVATE[activation](sum);
        const at = row * outputs + column;
        result.data[at] = (residual ? plain(residual).data[at] : 0) + (gates ? gates[column] : 1) * y;
      }
    }
    return result;
  }

  layerNorm(x: Tensor, { eps, affine, modulation, activation = 'none' }: LayerNorm): Tensor {
    const { rows, columns, data } = plain(x);
    const result = make(rows, columns);
    const weight = affine && plain(affine.weight).data;
    const bias = affine && plain(affine.bias).data;
    const scale = modulation && vector(modulation.scale, columns);
    const shift = modulation && vector(modulation.shift, columns);
    for (let row = 0; row < rows; row++) {
      const from = data.subarray(row * columns, (row + 1) * columns);
      const { mean, factor } = moments(from, eps);
      for (let c = 0; c < columns; c++) {
        let y = (from[c] - mean) * factor;
        if (weight && bias) y = y * weight[c] + bias[c];
        if (scale && shift) y = y * (1 + scale[c]) + shift[c];
        result.data[row * columns + c] = ACTIVATE[activation](y);
      }
    }
    return result;
  }

  groupNorm(x: Tensor, groups: number, eps: number, affine: Affine, activation: Activation = 'none'): Tensor {
    const { rows, columns, data } = plain(x);
    const result = make(rows, columns);
    const size = columns / groups;
    const weight = plain(affine.weight).data;
    const bias = plain(affine.bias).data;
    for (let group = 0; group < groups; group++) {
      const values = new Float64Array(rows * size);
      for (let row = 0; row < rows; row++) {
        for (let c = 0; c < size; c++) values[row * size + c] = data[row * columns + group * size + c];
      }
      const { mean, factor } = moments(values, eps);
      for (let i = 0; i < values.length; i++) {
        const column = group * size + (i % size);
        const y = (values[i] - mean) * factor * weight[column] + bias[column];
        result.data[Math.floor(i / size) * columns + column] = ACTIVATE[activation](y);
      }
    }
    return result;
  }

  headRms(heads: Heads, gamma: Tensor): void {
    const gains = plain(gamma).data;
    forEachHead(heads, (values, head) => {
      const norm = Math.max(Math.hypot(...values), 1e-12);
      const factor = Math.sqrt(heads.size) / norm;
      for (let i = 0; i < values.length; i++) values[i] *= factor * gains[head * heads.size + i];
    });
  }

  headLayerNorm(heads: Heads, eps: number, affine: Affine): void {
    const weight = plain(affine.weight).data;
    const bias = plain(affine.bias).data;
    forEachHead(heads, (values) => {
      const { mean, factor } = moments(values, eps);
      for (let i = 0; i < values.length; i++) values[i] = (values[i] - mean) * factor * weight[i] + bias[i];
    });
  }

  rope2d(heads: Heads, positions: Index, base: number): void {
    const at = positions as Int32Array;
    const quarter = heads.size / 4;
    forEachHead(heads, (values, _, row) => {
      for (let axis = 0; axis < 2; axis++) {
        for (let i = 0; i < quarter; i++) {
          const angle = at[row * 2 + axis] * base ** (-i / quarter);
          const low = axis * 2 * quarter + i;
          const [a, b] = [values[low], values[low + quarter]];
          values[low] = a * Math.cos(angle) - b * Math.sin(angle);
          values[low + quarter] = b * Math.cos(angle) + a * Math.sin(angle);
        }
      }
    });
  }

  attention({ query, key, value, heads, size, segments, contexts = 1 }: Attention): Tensor {
    const q = plain(query.of);
    const k = plain(key.of);
    const v = plain(value.of);
    const result = make(q.rows, heads * size);
    const runs = (segments as Int32Array | undefined) ?? Int32Array.of(0, q.rows, 0, k.rows);
    const sums = new Float64Array(size);
    for (let s = 0; s < runs.length; s += 4) {
      const [firstQuery, queries, firstKey, keys] = runs.subarray(s, s + 4);
      const length = keys / contexts;
      const weights = new Float64Array(length);
      for (let head = 0; head < heads; head++) {
        for (let row = firstQuery; row < firstQuery + queries; row++) {
          sums.fill(0);
          for (let context = 0; context < contexts; context++) {
            const first = firstKey + context * length;
            const scale = 1 / Math.sqrt(size);
            softmax(weights, (j) => {
              let dot = 0;
              const a = row * q.columns + query.column + head * size;
              const b = (first + j) * k.columns + key.column + head * size;
              for (let i = 0; i < size; i++) dot += q.data[a + i] * k.data[b + i];
              return dot * scale;
            });
            for (let j = 0; j < length; j++) {
              const from = (first + j) * v.columns + value.column + head * size;
              for (let i = 0; i < size; i++) sums[i] += (weights[j] / contexts) * v.data[from + i];
            }
          }
          result.data.set(sums, row * heads * size + head * size);
        }
      }
    }
    return result;
  }

  activate(x: Tensor, activation: Activation): Tensor {
    return { ...x, data: plain(x).data.map((value) => ACTIVATE[activation](value)) } as PlainTensor;
  }

  add(x: Tensor, y: Tensor): Tensor {
    const other = plain(y).data;
    return { ...x, data: plain(x).data.map((value, i) => value + other[i % other.length]) } as PlainTensor;
  }

  gather(x: Tensor, rows: Index): Tensor {
    const { columns, data } = plain(x);
    const list = rows as Int32Array;
    const result = make(list.length, columns);
    list.forEach((row, i) => {
      result.data.set(data.subarray(row * columns, (row + 1) * columns), i * columns);
    });
    return result;
  }

  concatRows(parts: readonly Tensor[]): Tensor {
    const result = make(
      parts.reduce((sum, part) => sum + part.rows, 0),
      parts[0].columns,
    );
    let at = 0;
    for (const part of parts) {
      result.data.set(plain(part).data, at);
      at += plain(part).data.length;
    }
    return result;
  }

  concatColumns(parts: readonly Tensor[]): Tensor {
    const { rows } = parts[0];
    const result = make(
      rows,
      parts.reduce((sum, part) => sum + part.columns, 0),
    );
    for (let row = 0; row < rows; row++) {
      let at = row * result.columns;
      for (const part of parts) {
        const { columns, data } = plain(part);
        result.data.set(data.subarray(row * columns, (row + 1) * columns), at);
        at += columns;
      }
    }
    return result;
  }

  pool(x: Tensor, starts: Index, rows: Index): Tensor {
    const { columns, data } = plain(x);
    const first = starts as Int32Array;
    const list = rows as Int32Array;
    const result = make(first.length - 1, columns);
    for (let group = 0; group + 1 < first.length; group++) {
      for (let c = 0; c < columns; c++) {
        let sum = 0;
        for (let i = first[group]; i < first[group + 1]; i++) sum += data[list[i] * columns + c];
        result.data[group * columns + c] = sum / (first[group + 1] - first[group] + 1);
      }
    }
    return result;
  }

  pixelShuffle(x: Tensor, [width, height, depth]: Dims): Tensor {
    const { columns, data } = plain(x);
    const channels = columns / 8;
    const result = make(x.rows * 8, channels);
    for (let row = 0; row < x.rows; row++) {
      const z = row % depth;
      const y = Math.floor(row / depth) % height;
      const xx = Math.floor(row / depth / height);
      if (xx >= width) throw new RangeError(`${x.rows} rows are not ${width} × ${height} × ${depth}`);
      for (let child = 0; child < 8; child++) {
        const [dx, dy, dz] = [child >> 2, (child >> 1) & 1, child & 1];
        const to = ((2 * xx + dx) * 2 * height + 2 * y + dy) * 2 * depth + 2 * z + dz;
        for (let c = 0; c < channels; c++) {
          result.data[to * channels + c] = data[row * columns + c * 8 + child];
        }
      }
    }
    return result;
  }
}

function moments(values: ArrayLike<number>, eps: number): { mean: number; factor: number } {
  let mean = 0;
  for (let i = 0; i < values.length; i++) mean += values[i];
  mean /= values.length;
  let variance = 0;
  for (let i = 0; i < values.length; i++) variance += (values[i] - mean) ** 2;
  return { mean, factor: 1 / Math.sqrt(variance / values.length + eps) };
}

/** Calls `change` with the numbers of each head of each row, and writes them back. */
function forEachHead(
  { of, column, heads, size }: Heads,
  change: (values: Float64Array, head: number, row: number) => void,
): void {
  const { rows, columns, data } = plain(of);
  for (let row = 0; row < rows; row++) {
    for (let head = 0; head < heads; head++) {
      const at = row * columns + column + head * size;
      const values = Float64Array.from(data.subarray(at, at + size));
      change(values, head, row);
      data.set(values, at);
    }
  }
}

function softmax(weights: Float64Array, score: (j: number) => number): void {
  let greatest = Number.NEGATIVE_INFINITY;
  for (let j = 0; j < weights.length; j++) {
    weights[j] = score(j);
    greatest = Math.max(greatest, weights[j]);
  }
  let sum = 0;
  for (let j = 0; j < weights.length; j++) {
    weights[j] = Math.exp(weights[j] - greatest);
    sum += weights[j];
  }
  for (let j = 0; j < weights.length; j++) weights[j] /= sum;
}

function widen(dtype: 'F16' | 'BF16', bits: Uint16Array): Float32Array {
  const result = new Float32Array(bits.length);
  if (dtype === 'F16') for (let i = 0; i < bits.length; i++) result[i] = fromHalf(bits[i]);
  else new Uint32Array(result.buffer).set(Uint32Array.from(bits, (x) => x << 16));
  return result;
}
