import type { Affine, HostMatrix, Linear, Ops, Tensor } from '../../nn/ops.js';
import { type StoredTensor, type TensorFile, toFloat32 } from '../../weights/safetensors.js';

/** The tensors of one network, or of a part of it, brought to where the work is done. */
export class NetworkWeights {
  readonly ops: Ops;
  private readonly file: TensorFile;
  private readonly prefix: string;

  /** @param prefix stands before every name: `aggregator.` */
  constructor(ops: Ops, file: TensorFile, prefix = '') {
    this.ops = ops;
    this.file = file;
    this.prefix = prefix;
  }

  /** The part whose names begin so. */
  at(part: string): NetworkWeights {
    return new NetworkWeights(this.ops, this.file, `${this.prefix}${part}.`);
  }

  /** Whether there is a tensor of that name. */
  has(name: string): boolean {
    return this.file.tensors.has(this.prefix + name);
  }

  /** The parts `name.0`, `name.1` … as far as they go. */
  list(name: string): NetworkWeights[] {
    const result: NetworkWeights[] = [];
    const names = [...this.file.tensors.keys()];
    for (let i = 0; names.some((key) => key.startsWith(`${this.prefix}${name}.${i}.`)); i++) {
      result.push(this.at(`${name}.${i}`));
    }
    return result;
  }

  /** A tensor as it is stored. */
  async stored(name: string): Promise<StoredTensor> {
    return this.file.read(this.prefix + name);
  }

  /** A tensor's numbers. */
  async numbers(name: string): Promise<Float32Array> {
    return toFloat32(await this.stored(name));
  }

  /** A vector, or a list of vectors of `columns` numbers. Default: one vector. */
  async vector(name: string, columns?: number): Promise<Tensor> {
    const data = await this.numbers(name);
    const width = columns ?? data.length;
    return this.ops.tensor(data, data.length / width, width);
  }

  /** `name.weight` with all dimensions but the first as inputs, and `name.bias` where there is one. */
  async linear(name: string): Promise<Linear> {
    const weight = this.ops.weight(hostMatrix(await this.stored(`${name}.weight`)));
    return { weight, bias: this.has(`${name}.bias`) ? await this.vector(`${name}.bias`) : undefined };
  }

  /** As `linear` for a dense convolution: stored by channel and tap, used by tap and channel. */
  async convolution(name: string): Promise<Linear> {
    const stored = await this.stored(`${name}.weight`);
    const { rows, columns, dtype, data } = hostMatrix(stored);
    const channels = columns / 27;
    const byTap = data.slice();
    for (let row = 0; row < rows; row++) {
      for (let tap = 0; tap < 27; tap++) {
        for (let c = 0; c < channels; c++) {
          byTap[row * columns + tap * channels + c] = data[row * columns + c * 27 + tap];
        }
      }
    }
    const weight = this.ops.weight({ rows, columns, dtype, data: byTap });
    return { weight, bias: await this.vector(`${name}.bias`) };
  }

  /** `name.weight` and `name.bias` of a norm. */
  async affine(name: string): Promise<Affine> {
    return { weight: await this.vector(`${name}.weight`), bias: await this.vector(`${name}.bias`) };
  }
}

function hostMatrix(stored: StoredTensor): HostMatrix {
  const [rows] = stored.shape;
  const columns = stored.shape.slice(1).reduce((a, b) => a * b, 1);
  if (stored.dtype !== 'F16' && stored.dtype !== 'BF16') {
    return { rows, columns, dtype: 'F32', data: toFloat32(stored) };
  }
  const data = new Uint16Array(rows * columns);
  new Uint8Array(data.buffer).set(stored.bytes);
  return { rows, columns, dtype: stored.dtype, data };
}
