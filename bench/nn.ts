/**
 * How much of a device the kernels of networks use: multiply-adds alone, then products and attention at the sizes of
 * the released networks, each as a share of the first, which is measured in the same run.
 *
 *     npx tsx bench/nn.ts [--rows 512] [--tokens 1024]
 *
 * On a software adapter times are CPU seconds (LP_NUM_THREADS=1 makes them exact on a busy machine), elsewhere those of
 * the clock.
 */
import { parseArgs } from 'node:util';
import { openGpu } from '../src/gpu/adapter/openGpu.js';
import { GpuOps } from '../src/nn/gpuOps.js';
import type { HostMatrix } from '../src/nn/ops.js';

const { values } = parseArgs({
  options: { rows: { type: 'string', default: '512' }, tokens: { type: 'string', default: '1024' } },
});
const rows = Number(values.rows);
const tokens = Number(values.tokens);
const gpu = await openGpu();
const software = gpu.adapter.kind === 'software';

/** Seconds of the fastest of three runs after one that compiles. */
async function seconds(run: () => void | Promise<void>): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 4; i++) {
    const cpu = process.cpuUsage();
    const clock = performance.now();
    await run();
    await gpu.sync();
    const used = process.cpuUsage(cpu);
    const taken = software ? (used.user + used.system) / 1e6 : (performance.now() - clock) / 1e3;
    if (i > 0) best = Math.min(best, taken);
  }
  return best;
}

const CHAINS = 12;
const STEPS = 2048;
const GROUPS = software ? 256 : 16384;

/** Multiply-adds in independent chains, as many as registers hold: what no kernel goes beyond. */
async function peak(): Promise<number> {
  const chain = (text: (i: number) => string, join = ' '): string =>
    Array.from({ length: CHAINS }, (_, i) => text(i)).join(join);
  const code = `
    @group(0) @binding(0) var<storage, read_write> result: array<f32>;
    @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
      let m = 1.0 - f32(id.x) * 1e-12;
      ${chain((i) => `var a${i} = f32(id.x) * ${i + 1}e-9;`)}
      for (var i = 0u; i < ${STEPS}u; i++) { ${chain((i) => `a${i} = fma(a${i}, m, 1e-7);`)} }
      result[id.x] = ${chain((i) => `a${i}`, ' + ')};
    }`;
  const pipeline = gpu.device.createComputePipeline({
    layout: 'auto',
    compute: { module: gpu.device.createShaderModule({ code }), entryPoint: 'main' },
  });
  const buffer = gpu.createBuffer(GROUPS * 64 * 4);
  const layout = pipeline.getBindGroupLayout(0);
  const bindGroup = gpu.device.createBindGroup({ layout, entries: [{ binding: 0, resource: { buffer } }] });
  const time = await seconds(() =>
    gpu.run((batch) => {
      const pass = batch.computePass('peak');
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindGroup);
      pass.dispatchWorkgroups(GROUPS);
    }),
  );
  buffer.destroy();
  return (2 * CHAINS * STEPS * GROUPS * 64) / time;
}

const numbers = (count: number): Float32Array => Float32Array.from({ length: count }, (_, i) => Math.sin(i * 0.7));

async function product(inputs: number, outputs: number, dtype: HostMatrix['dtype']): Promise<number> {
  const ops = new GpuOps(gpu);
  ops.open();
  const count = inputs * outputs;
  const data = dtype === 'F32' ? numbers(count) : Uint16Array.from({ length: count }, (_, i) => 0x2c00 + (i % 997));
  const layer = { weight: ops.weight({ rows: outputs, columns: inputs, dtype, data }) };
  const x = ops.tensor(numbers(rows * inputs), rows, inputs);
  const time = await seconds(async () => {
    ops.open();
    ops.linear(x, layer);
    await ops.flush();
    ops.close();
  });
  ops.close();
  return (2 * rows * inputs * outputs) / time;
}

async function attention(heads: number, size: number): Promise<number> {
  const ops = new GpuOps(gpu);
  ops.open();
  const of = ops.tensor(numbers(tokens * heads * size * 3), tokens, heads * size * 3);
  const part = (i: number) => ({ of, column: i * heads * size });
  const time = await seconds(async () => {
    ops.open();
    ops.attention({ query: part(0), key: part(1), value: part(2), heads, size });
    await ops.flush();
    ops.close();
  });
  ops.close();
  return (4 * tokens * tokens * heads * size) / time;
}

console.log(`${gpu.adapter.device}, ${software ? 'CPU seconds' : 'seconds'}`);
const most = await peak();
console.log(`| multiply-adds alone | ${(most / 1e9).toFixed(1)} GFLOP/s | 100 % |`);
const report = (name: string, rate: number): void =>
  console.log(`| ${name} | ${(rate / 1e9).toFixed(1)} GFLOP/s | ${((100 * rate) / most).toFixed(0)} % |`);
report(`product ${rows} × 1024 × 4096, weights f16`, await product(1024, 4096, 'F16'));
report(`product ${rows} × 1024 × 4096, weights f32`, await product(1024, 4096, 'F32'));
report(`attention 16 heads × 64, ${tokens} × ${tokens}`, await attention(16, 64));
gpu.dispose();
