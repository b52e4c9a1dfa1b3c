/** What runs on the CPU alone: schedules, guidance, random numbers, embeddings, resizing, sets of voxels. */
import { describe, expect, it } from 'vitest';
import { Golden } from '../../test/goldens.js';
import { timestepEmbedding, voxelEmbedding } from './embeddings.js';
import { resizeBilinear, resizeLanczos } from './resize.js';
import { flowTimes, guide, isGuided } from './sampler.js';
import { coarser, neighbourMap, subdivided, voxelWindows } from './sparse/voxels.js';
import { TorchRandom } from './torchRandom.js';

/** x, y, z of coordinates that begin with the number of the batch. */
const xyz = (coords: Int32Array): Int32Array => coords.filter((_, i) => i % 4 !== 0);

describe('the sampler', () => {
  it('has the reference’s times to a unit in the last place, and its decisions', async () => {
    const golden = await Golden.open('ops/schedule');
    const interval = golden.config.cfg_interval as [number, number];
    const names = golden.names.filter((name) => name.startsWith('out.t_'));
    expect(names).toHaveLength(7);
    for (const name of names) {
      const [steps, rescaleT] = name.slice(6).split('_').map(Number);
      const times = flowTimes(steps, rescaleT);
      const { bytes } = golden.raw(name);
      const wanted = new Float64Array(bytes.slice().buffer);
      for (const [i, t] of times.entries()) expect(Math.abs(t - wanted[i])).toBeLessThanOrEqual(2 ** -53);
      const suffix = `${steps}_${rescaleT}`;
      golden.checkExact(
        `out.guided_${suffix}`,
        [...times.slice(0, -1)].map((t) => Number(isGuided(t, interval))),
      );
      golden.checkExact(
        `out.t1000f32_${suffix}`,
        Float32Array.from(times.slice(0, -1), (t) => 1000 * t),
      );
    }
  });

  it('guides and rescales as the reference does', async () => {
    const golden = await Golden.open('ops/cfg');
    const t = new Float64Array(golden.raw('in.t').bytes.slice().buffer)[0];
    const check = (name: string, part: string, guidanceRescale: number) => {
      const [x, p, n] = ['x', 'v_pos', 'v_neg'].map((key) => golden.data(`in.${part}${key}`));
      const options = { steps: 1, rescaleT: 1, guidance: 7.5, interval: [0, 1] as const, sigmaMin: 1e-5 };
      golden.check(name, guide(x, p, n, t, { ...options, guidanceRescale }).velocity);
    };
    check('out.dense_rescale0', '', 0);
    check('out.dense_rescale0.7', '', 0.7);
    check('out.sparse_rescale0.5', 'sparse.', 0.5);
  });
});

describe('random numbers', () => {
  it('are PyTorch’s, in large and in small draws', async () => {
    const golden = await Golden.open('rng');
    const near = (name: string, values: Float32Array) => {
      const wanted = golden.data(name);
      expect(values).toHaveLength(wanted.length);
      expect(Math.max(...values.map((x, i) => Math.abs(x - wanted[i])))).toBeLessThanOrEqual(2e-6);
    };
    for (const seed of [42, 4294979641]) {
      const random = new TorchRandom(seed);
      near(`out.seed${seed}.a`, random.normal(8 * 16 ** 3));
      near(`out.seed${seed}.b`, random.normal(137 * 8));
    }
    const random = new TorchRandom(1);
    near('out.seed1.n40', random.normal(40));
    near('out.seed1.then_8', random.normal(8));
    near('out.seed1.then_17', random.normal(17));
  });
});

describe('embeddings', () => {
  it('of times and voxels are the reference’s', async () => {
    const golden = await Golden.open('ops/embeddings');
    const times = [...golden.data('in.t1000')].flatMap((t) => [...timestepEmbedding(t, 256)]);
    golden.check('out.timestep256', times);
    for (const channels of [128, 768, 1024]) {
      golden.check(`out.ape${channels}`, voxelEmbedding(golden.ints('in.coords'), channels));
    }
  });
});

describe('resizing', () => {
  it('is PyTorch’s bilinear and, byte for byte, Pillow’s Lanczos', async () => {
    const golden = await Golden.open('ops/resize');
    for (const side of [23, 70]) {
      const to = { width: side, height: side };
      const image = golden.data('in.bilinear');
      golden.check(`out.bilinear_${side}x${side}`, resizeBilinear(image, 4, { width: 56, height: 40 }, to));
    }
    const rgba = Uint8Array.from(golden.data('in.rgba'));
    const rgb = rgba.filter((_, i) => i % 4 !== 3);
    const alpha = rgba.filter((_, i) => i % 4 === 3);
    const from = { width: 37, height: 29 };
    for (const [width, height] of [
      [20, 24],
      [37, 29],
      [64, 48],
    ]) {
      golden.checkExact(`out.lanczos_rgb_${width}x${height}`, resizeLanczos(rgb, 3, from, { width, height }));
    }
    golden.checkExact('out.lanczos_rgba_20x24', resizeLanczos(rgba, 4, from, { width: 20, height: 24 }));
    golden.checkExact('out.lanczos_L_20x24', resizeLanczos(alpha, 1, from, { width: 20, height: 24 }));
  });
});

describe('sets of voxels', () => {
  it('have the reference’s neighbours, coarser and finer sets', async () => {
    const golden = await Golden.open('ops/sparse');
    const coords = xyz(golden.ints('in.coords'));
    golden.checkExact('mid.neighbour_map', neighbourMap(coords));
    const down = coarser(coords);
    expect([...down.coords]).toEqual([...xyz(golden.ints('out.down.coords'))]);
    golden.checkExact('out.down.parent_idx', down.parents);
    expect([...subdivided(coords)]).toEqual([...xyz(golden.ints('out.subdivide.coords'))]);
  });

  it('refuse the same voxel twice', () => {
    expect(() => neighbourMap(Int32Array.of(1, 2, 3, 0, 0, 0, 1, 2, 3))).toThrow(/voxels 0 and 2 are the same/);
  });

  it('have the reference’s windows', async () => {
    const golden = await Golden.open('ops/windows');
    const coords = xyz(golden.ints('in.coords'));
    for (const shift of [0, 4]) {
      const windows = voxelWindows(coords, 8, shift);
      golden.checkExact(`out.shift${shift}.window_of_voxel`, windows.window);
      golden.checkExact(
        `out.shift${shift}.seq_lens`,
        [...windows.starts].slice(1).map((end, i) => end - windows.starts[i]),
      );
    }
  });
});
