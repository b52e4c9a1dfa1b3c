import { throwIfCancelled } from '../../core/errors.js';
import type { Vec3 } from '../../core/math.js';
import type { Gpu } from '../../gpu/runtime/gpu.js';
import { defineKernel, linear } from '../../gpu/runtime/kernel.js';
import { BRICK_SAMPLES, type Guide, type ObservedField } from './field.js';
import { BRICK, packBrick } from './grid.js';

const bindings = {
  bricks: 'read',
  field: 'read',
  sums: 'read',
  data: 'read_write',
  state: 'read_write',
  dual: 'read_write',
  volume: 'uniform',
} as const;
const [gather, ascend, descend] = ['gather', 'ascend', 'descend'].map((entryPoint) =>
  defineKernel({
    name: `leastArea.${entryPoint}`,
    shader: new URL('./leastArea.wgsl', import.meta.url),
    entryPoint,
    bindings,
    uniforms: { size: 'vec3u', count: 'u32', reach: 'f32' },
  }),
);

/** Rounds of the minimisation. */
export const ROUNDS = 120;
/** Rounds in one submission, and bricks: short enough to cancel within a second. */
const STEP = 10;
const PAGE = 1024;
/** Cut-off of the distance, in voxels. */
const REACH = 2;
/** Value and weight of samples that no brick covers: outside all outlines. */
const FREE = [1, 8] as const;

export interface AreaHooks {
  signal?: AbortSignal;
  /** Receives 0…1. */
  progress?: (fraction: number) => void;
}

/**
 * The surface of least area that agrees with what the field's observations show, coarsely: where many depth maps saw a
 * place it is theirs, where few or none did it is the smallest that closes the rest. Depth from pictures is full of
 * gaps, and single rays through what is hidden would leave a sponge there. After Zach, Pock & Bischof 2007, "A globally
 * optimal algorithm for robust TV-L1 range image integration", with Huber's norm for a surface without steps.
 *
 * @param field with a consensus and no guide, of coarse voxels
 * @returns the guide; its `buffer` is the caller's to destroy
 * @throws `CANCELLED` within a second of an abort
 */
export async function leastAreaSurface(gpu: Gpu, field: ObservedField, hooks: AreaHooks = {}): Promise<Guide> {
  const { signal, progress } = hooks;
  const { grid } = field;
  const open = await field.activeBricks();
  throwIfCancelled(signal);
  const size = grid.bricks.map((n) => n * BRICK) as Vec3;
  const count = size[0] * size[1] * size[2];
  const reach = REACH * grid.voxel;
  const words = Uint32Array.from(open, (brick) => packBrick(grid, brick));
  const page = Math.min(PAGE, Math.max(1, open.length));
  const known = new Float32Array(count * 2);
  for (let i = 0; i < known.length; i++) known[i] = FREE[i & 1];
  const buffers = {
    bricks: gpu.createBuffer(page * 16, 'bricks'),
    field: gpu.createBuffer(page * BRICK_SAMPLES * 8, 'field'),
    sums: gpu.createBuffer(page * BRICK_SAMPLES * 16, 'sums'),
    data: gpu.upload(known, 'least area data'),
    state: gpu.upload(new Float32Array(count * 2).fill(FREE[0]), 'least area state'),
    dual: gpu.createBuffer(count * 16, 'least area dual'),
  };
  try {
    for (let first = 0; first < words.length; first += page) {
      const bricks = words.subarray(first, first + page);
      gpu.write(buffers.bricks, spread(bricks));
      gpu.run((batch) => {
        field.evaluate(batch, buffers, 0, bricks.length);
        gather.dispatch(batch, buffers, { size, count: bricks.length, reach }, linear(bricks.length, 1));
      }, 'least area data');
      await gpu.sync();
      throwIfCancelled(signal);
      progress?.((0.4 * (first + bricks.length)) / words.length);
    }
    await minimiseArea(
      gpu,
      { ...buffers, size, bricks: words },
      { signal, progress: (f) => progress?.(0.4 + 0.6 * f) },
    );
    const both = await gpu.readFloat32(buffers.state, count * 2);
    const values = Float32Array.from({ length: count }, (_, i) => both[i * 2]);
    return { buffer: gpu.upload(values, 'guide'), values, origin: grid.origin, voxel: grid.voxel, size, reach };
  } finally {
    for (const buffer of Object.values(buffers)) buffer.destroy();
  }
}

/** What is known of a volume, and its solution so far. */
export interface AreaProblem {
  /** Samples along each axis. */
  size: Vec3;
  /** Bricks of 8×8×8 samples in which the surface is sought, x | y << 10 | z << 20; elsewhere the state stays. */
  bricks: Uint32Array;
  /** `vec2f` per sample: value −1…1 and weight. */
  data: GPUBuffer;
  /** `vec2f` per sample, both the value to begin with; the first becomes the solution. */
  state: GPUBuffer;
  /** `vec4f` per sample, zeros. */
  dual: GPUBuffer;
}

/** Runs `ROUNDS` rounds of the primal-dual method. Throws `CANCELLED`. */
export async function minimiseArea(
  gpu: Gpu,
  problem: AreaProblem,
  { signal, progress }: AreaHooks = {},
): Promise<void> {
  const { size, bricks: words, data, state, dual } = problem;
  if (words.length === 0) return;
  const bricks = gpu.upload(spread(words), 'bricks');
  // These two kernels read neither field nor sums.
  const unread = gpu.createBuffer(16, 'unread');
  const args = { bricks, field: unread, sums: unread, data, state, dual };
  const volume = { size, count: words.length, reach: 1 };
  const groups = linear(words.length, 1);
  try {
    for (let round = 0; round < ROUNDS; round += STEP) {
      gpu.run((batch) => {
        for (let i = 0; i < STEP; i++) {
          ascend.dispatch(batch, args, volume, groups);
          descend.dispatch(batch, args, volume, groups);
        }
      }, 'least area');
      await gpu.sync();
      throwIfCancelled(signal);
      progress?.((round + STEP) / ROUNDS);
    }
  } finally {
    bricks.destroy();
    unread.destroy();
  }
}

/** Bricks as the kernels take them, a `vec4u` each. */
function spread(words: Uint32Array): Uint32Array<ArrayBuffer> {
  const out = new Uint32Array(words.length * 4);
  words.forEach((word, i) => {
    out[i * 4] = word;
  });
  return out;
}
