/**
 * Blocks of the published networks at their true numbers of tokens, with weights from a hash: seconds, bytes on the
 * device, and how far sampled rows of every product and attention in them are from sums in f64.
 *
 *     npx tsx bench/nnBlocks.ts [frame|global|flow|cross|window …]
 *
 * On a software adapter times are CPU seconds, elsewhere those of the clock. A block of 8,000 tokens takes minutes there.
 */

import { fromHalf, toHalf } from '../src/core/halfFloat.js';
import { openGpu } from '../src/gpu/adapter/openGpu.js';
import { conditionOf, type DiffusionBlock, diffusionBlock } from '../src/methods/reconviagen/diffusionBlock.js';
import { tokenPositions } from '../src/methods/reconviagen/vggt.js';
import { type VisionBlock, visionBlock } from '../src/methods/reconviagen/visionBlock.js';
import { imageSegments } from '../src/methods/reconviagen/vit.js';
import { GpuOps } from '../src/nn/gpuOps.js';
import type { Affine, Attention, Epilogue, HostMatrix, Linear, Tensor, Weight } from '../src/nn/ops.js';
import { ACTIVATE } from '../src/nn/reference/activations.js';
import { hashNumbers } from '../test/hashWeights.js';

const SAMPLES = 3;

/** Operations that keep sampled rows of what products and attentions read and give. */
class SampledOps extends GpuOps {
  readonly hosts = new Map<Weight, HostMatrix>();
  readonly checks: (() => Promise<number>)[] = [];

  override weight(matrix: HostMatrix): Weight {
    const weight = super.weight(matrix);
    this.hosts.set(weight, matrix);
    return weight;
  }

  private rowsOf(rows: number): Int32Array {
    return Int32Array.from({ length: SAMPLES }, (_, i) => Math.floor(((i + 0.5) * rows) / SAMPLES));
  }

  override linear(x: Tensor, layer: Linear, epilogue: Epilogue = {}): Tensor {
    const result = super.linear(x, layer, epilogue);
    const rows = this.index(this.rowsOf(x.rows));
    const [inputs, outputs] = [this.gather(x, rows), this.gather(result, rows)];
    const residual = epilogue.residual && this.gather(epilogue.residual, rows);
    const host = this.hosts.get(layer.weight)!;
    this.checks.push(async () => {
      const [from, actual] = [await this.read(inputs), await this.read(outputs)];
      const bias = layer.bias && (await this.read(layer.bias));
      const gate = epilogue.gate && (await this.read(epilogue.gate.of)).subarray(epilogue.gate.column);
      const before = residual && (await this.read(residual));
      const { rows: count, columns, data } = host;
      const wanted = actual.map((_, at) => {
        const [row, column] = [Math.floor(at / count), at % count];
        let sum = bias ? bias[column] : 0;
        for (let k = 0; k < columns; k++) sum += from[row * columns + k] * fromHalf(data[column * columns + k]);
        return (before ? before[at] : 0) + (gate ? gate[column] : 1) * ACTIVATE[epilogue.activation ?? 'none'](sum);
      });
      return deviation(actual, wanted);
    });
    return result;
  }

  override attention(input: Attention): Tensor {
    const result = super.attention(input);
    const { query, key, value, heads, size, segments, contexts = 1 } = input;
    const list = segments && (segments as unknown as { data: Int32Array }).data;
    const rows = this.rowsOf(query.of.rows);
    const index = this.index(rows);
    const [queries, outputs] = [this.gather(query.of, index), this.gather(result, index)];
    this.checks.push(async () => {
      const [q, actual] = [await this.read(queries), await this.read(outputs)];
      const [k, v] = [await this.read(key.of), await this.read(value.of)];
      const wanted = new Float32Array(actual.length);
      for (const [i, row] of rows.entries()) {
        const [first, length] = keysOf(row, list, key.of.rows);
        for (let head = 0; head < heads; head++) {
          for (let context = 0; context < contexts; context++) {
            const begin = first + (context * length) / contexts;
            const scores = Array.from({ length: length / contexts }, (_, j) => {
              let sum = 0;
              for (let c = head * size; c < (head + 1) * size; c++) {
                sum += q[i * query.of.columns + query.column + c] * k[(begin + j) * key.of.columns + key.column + c];
              }
              return sum / Math.sqrt(size);
            });
            const most = scores.reduce((a, b) => Math.max(a, b));
            const weights = scores.map((score) => Math.exp(score - most));
            const total = weights.reduce((a, b) => a + b);
            for (let c = head * size; c < (head + 1) * size; c++) {
              let sum = 0;
              weights.forEach((weight, j) => {
                sum += weight * v[(begin + j) * value.of.columns + value.column + c];
              });
              wanted[i * heads * size + c] += sum / total / contexts;
            }
          }
        }
      }
      return deviation(actual, wanted);
    });
    return result;
  }
}

function keysOf(row: number, segments: Int32Array | undefined, keys: number): [number, number] {
  if (!segments) return [0, keys];
  for (let i = 0; i < segments.length; i += 4) {
    if (row >= segments[i] && row < segments[i] + segments[i + 1]) return [segments[i + 2], segments[i + 3]];
  }
  throw new RangeError(`row ${row} is in no segment`);
}

/** Greatest difference over the standard deviation of what is wanted. */
function deviation(actual: Float32Array, wanted: Float32Array): number {
  const mean = wanted.reduce((a, b) => a + b, 0) / wanted.length;
  const spread = Math.sqrt(wanted.reduce((a, b) => a + (b - mean) ** 2, 0) / wanted.length);
  return actual.reduce((worst, x, i) => Math.max(worst, Math.abs(x - wanted[i])), 0) / spread;
}

const gpu = await openGpu();
const software = gpu.adapter.kind === 'software';
let seed = 1;
const drawn = (count: number, scale: number, base = 0): Float32Array =>
  hashNumbers({ name: '', shape: [count], seed: seed++, scale, base });

function parts(ops: SampledOps) {
  const vector = (count: number, scale = 0.2, base = 0): Tensor => ops.tensor(drawn(count, scale, base), 1, count);
  const linear = (rows: number, columns: number): Linear => {
    const data = Uint16Array.from(drawn(rows * columns, 3.4 / Math.sqrt(columns)), toHalf);
    return { weight: ops.weight({ rows, columns, dtype: 'F16', data }), bias: vector(rows) };
  };
  const affine = (count: number): Affine => ({ weight: vector(count, 0.4, 1), bias: vector(count) });
  const tokens = (rows: number, columns: number): Tensor => ops.tensor(drawn(rows * columns, 3.4), rows, columns);
  const vision = (c = 1024): VisionBlock => ({
    ...{ norm1: affine(c), qkv: linear(3 * c, c), headNorms: { query: affine(64), key: affine(64) } },
    ...{ proj: linear(c, c), scale1: vector(c, 0.4, 1), norm2: affine(c), fc1: linear(4 * c, c) },
    ...{ fc2: linear(c, 4 * c), scale2: vector(c, 0.4, 1) },
  });
  const diffusion = (c: number, condition?: number): DiffusionBlock => ({
    ...{ qkv: linear(3 * c, c), out: linear(c, c), fc1: linear(4 * c, c), fc2: linear(c, 4 * c) },
    headNorms: condition ? { query: vector(c, 0.4, 1), key: vector(c, 0.4, 1) } : undefined,
    cross: condition
      ? { norm: affine(c), query: linear(c, c), keyValue: linear(2 * c, condition), out: linear(c, c) }
      : undefined,
    modulation: condition === 1024 ? linear(6 * c, c) : undefined,
  });
  return { tokens, vision, diffusion, vector };
}

/** Blocks by what they are, each with the tokens of six photos, 4,096 voxels of the structure, 20,000 of the latent. */
const BLOCKS: Record<string, (ops: SampledOps) => Tensor> = {
  frame(ops) {
    const { tokens, vision } = parts(ops);
    const segments = ops.index(imageSegments(1, 1374));
    const positions = ops.index(tokenPositions(1, 5, 37));
    return visionBlock(ops, vision(), tokens(1374, 1024), { eps: 1e-5, segments, positions });
  },
  global(ops) {
    const { tokens, vision } = parts(ops);
    const positions = ops.index(tokenPositions(6, 5, 37));
    return visionBlock(ops, vision(), tokens(6 * 1374, 1024), { eps: 1e-5, positions });
  },
  flow(ops) {
    const { tokens, diffusion, vector } = parts(ops);
    const block = diffusion(1024, 1024);
    const condition = conditionOf(ops, block, tokens(4096, 1024), 1);
    return diffusionBlock(ops, block, tokens(4096, 1024), { time: vector(1024, 2), condition });
  },
  cross(ops) {
    const { tokens, diffusion, vector } = parts(ops);
    const block = diffusion(1024, 1024);
    const condition = conditionOf(ops, block, tokens(6 * 1374, 1024), 6);
    return diffusionBlock(ops, block, tokens(5000, 1024), { time: vector(1024, 2), condition });
  },
  window(ops) {
    const { tokens, diffusion } = parts(ops);
    const segments = ops.index(imageSegments(100, 200));
    return diffusionBlock(ops, diffusion(768), tokens(20_000, 768), { segments });
  },
};

console.log(`${gpu.adapter.device}, ${software ? 'CPU seconds' : 'seconds'}`);
const chosen = process.argv.slice(2);
for (const name of chosen.length > 0 ? chosen : Object.keys(BLOCKS)) {
  const ops = new SampledOps(gpu);
  gpu.trim();
  gpu.peakBytes = gpu.bytesInUse;
  ops.open();
  const result = BLOCKS[name](ops);
  await gpu.sync();
  const [cpu, clock] = [process.cpuUsage(), performance.now()];
  await ops.flush();
  await gpu.sync();
  const used = process.cpuUsage(cpu);
  const seconds = software ? (used.user + used.system) / 1e6 : (performance.now() - clock) / 1e3;
  const peak = gpu.peakBytes;
  const deviations: number[] = [];
  for (const check of ops.checks) deviations.push(await check());
  console.log(
    `| ${name} | ${result.rows} tokens | ${seconds.toFixed(1)} s | ${(peak / 1e6).toFixed(0)} MB | ` +
      `${deviations.length} operations, greatest deviation ${Math.max(...deviations).toExponential(1)} |`,
  );
  ops.close();
}
gpu.dispose();
