/** Every operation, in plain TypeScript and in WGSL, against PyTorch's numbers. */
import { expect, it } from 'vitest';
import { Golden } from '../../test/goldens.js';
import { describeOps } from '../../test/networks.js';
import type { Activation, Ops } from './ops.js';
import { coarser, denseNeighbourMap, neighbourMap, subdivided } from './sparse/voxels.js';

/** A tensor of the file: its last dimension is the columns. */
function load(ops: Ops, golden: Golden, name: string, columns = golden.tensor(name).shape.at(-1) ?? 1) {
  const data = golden.data(name);
  return ops.tensor(data, data.length / columns, columns);
}

/** From [channels, voxels] to [voxels, channels], or back. */
function transposed(data: Float32Array, rows: number): Float32Array {
  const columns = data.length / rows;
  return data.map((_, i) => data[(i % rows) * columns + Math.floor(i / rows)]);
}

/** The reference's layout [batch, heads, length, size] to rows of heads, or back with the numbers swapped. */
function swapped(data: Float32Array, heads: number, length: number, size = 64): Float32Array {
  return data.map((_, i) => {
    const [row, head, c] = [Math.floor(i / size / heads), Math.floor(i / size) % heads, i % size];
    return data[(head * length + row) * size + c];
  });
}

const xyz = (coords: Int32Array): Int32Array => coords.filter((_, i) => i % 4 !== 0);
/** Segments of these lengths, one after the other. */
const segmentsOf = (queries: Int32Array, keys = queries): Int32Array => {
  const start = (lengths: Int32Array, i: number): number => lengths.subarray(0, i).reduce((a, b) => a + b, 0);
  const runs = [...queries].flatMap((length, i) => [start(queries, i), length, start(keys, i), keys[i]]);
  return Int32Array.from(runs);
};

describeOps('operations', (ops) => {
  it('activate', async () => {
    const golden = await Golden.open('ops/activations');
    const names = { gelu: 'gelu_erf', 'gelu-tanh': 'gelu_tanh', silu: 'silu', sigmoid: 'sigmoid', tanh: 'tanh' };
    for (const [kind, name] of Object.entries({ ...names, softplus: 'softplus', relu: 'relu' })) {
      const x = load(ops(), golden, 'in.x');
      golden.check(`out.${name}`, await ops().read(ops().activate(x, kind as Activation)));
    }
  });

  it('normalise rows, channels, groups and heads', async () => {
    const golden = await Golden.open('ops/norms');
    const x = load(ops(), golden, 'in.x');
    const affine = { weight: load(ops(), golden, 'in.weight'), bias: load(ops(), golden, 'in.bias') };
    const column = (name: string) => ({ of: load(ops(), golden, name), column: 0 });
    for (const eps of ['1e-5', '1e-6']) {
      golden.check(`out.ln_affine_${eps}`, await ops().read(ops().layerNorm(x, { eps: Number(eps), affine })));
      golden.check(`out.ln_none_${eps}`, await ops().read(ops().layerNorm(x, { eps: Number(eps) })));
    }
    const modulation = { scale: column('in.scale'), shift: column('in.shift') };
    golden.check('out.ln_modulated_1e-6', await ops().read(ops().layerNorm(x, { eps: 1e-6, modulation })));

    const volume = ops().tensor(transposed(golden.data('in.channel_ln.x'), 16), 60, 16);
    const channels = {
      weight: load(ops(), golden, 'in.channel_ln.weight'),
      bias: load(ops(), golden, 'in.channel_ln.bias'),
    };
    const byChannel = await ops().read(ops().layerNorm(volume, { eps: 1e-5, affine: channels }));
    golden.check('out.channel_ln', transposed(byChannel, 60));

    for (const name of ['gn32', 'gn64']) {
      const gains = {
        weight: load(ops(), golden, `in.${name}.weight`),
        bias: load(ops(), golden, `in.${name}.bias`),
      };
      const result = ops().groupNorm(load(ops(), golden, `in.${name}.x`), 32, 1e-5, gains);
      golden.check(`out.${name}`, await ops().read(result));
    }

    const heads = load(ops(), golden, 'in.rms.x', 192);
    const gamma = load(ops(), golden, 'in.rms.gamma', 192);
    ops().headRms({ of: heads, column: 0, heads: 3, size: 64 }, gamma);
    golden.check('out.rms', await ops().read(heads));
  });

  it('attend: dense, with large scores, and in segments', async () => {
    const golden = await Golden.open('ops/attention');
    const dense = (name: string, length: number, factor = 1) =>
      ops().tensor(
        swapped(golden.data(name), 2, length).map((x) => x * factor),
        length,
        128,
      );
    for (const [name, factor] of [
      ['out.sdpa', 1],
      ['out.sdpa_q_times_30', 30],
    ] as const) {
      const result = ops().attention({
        query: { of: dense('in.q', 37, factor), column: 0 },
        key: { of: dense('in.k', 53), column: 0 },
        value: { of: dense('in.v', 53), column: 0 },
        heads: 2,
        size: 64,
      });
      const data = await ops().read(result);
      golden.check(name, swapped(data, 37, 2));
    }
    const rows = (name: string) => ({ of: load(ops(), golden, name, 128), column: 0 });
    const lengths = golden.ints('in.varlen.seqlens');
    const own = ops().attention({
      query: rows('in.varlen.q'),
      key: rows('in.varlen.k'),
      value: rows('in.varlen.v'),
      heads: 2,
      size: 64,
      segments: ops().index(segmentsOf(lengths)),
    });
    golden.check('out.varlen', await ops().read(own));
    const cross = ops().attention({
      query: rows('in.varlen.q'),
      key: rows('in.cross.k'),
      value: rows('in.cross.v'),
      heads: 2,
      size: 64,
      segments: ops().index(segmentsOf(golden.ints('in.cross.q_seqlens'), golden.ints('in.cross.k_seqlens'))),
    });
    golden.check('out.cross_varlen', await ops().read(cross));
  });

  it('rotate by position', async () => {
    const golden = await Golden.open('ops/rope2d');
    const x = ops().tensor(swapped(golden.data('in.x'), 3, 7), 7, 192);
    ops().rope2d({ of: x, column: 0, heads: 3, size: 64 }, ops().index(golden.ints('in.pos_yx')), 100);
    golden.check('out.rope', swapped(await ops().read(x), 7, 3));
  });

  it('convolve a volume, and shuffle its channels into voxels', async () => {
    const golden = await Golden.open('ops/conv3d');
    const x = ops().tensor(transposed(golden.data('in.x'), 8), 120, 8);
    const taps = golden.data('in.w3');
    // The reference holds a kernel's taps for each channel; here the channels come for each tap.
    const weight = taps.map((_, i) => taps[Math.floor(i / 216) * 216 + (i % 8) * 27 + (Math.floor(i / 8) % 27)]);
    const layer3 = {
      weight: ops().weight({ rows: 12, columns: 216, dtype: 'F32', data: weight }),
      bias: load(ops(), golden, 'in.b3'),
    };
    const map = ops().index(denseNeighbourMap([6, 5, 4]));
    const conv3 = await ops().read(ops().convolution(x, map, layer3));
    golden.check('out.conv3_pad1', transposed(conv3, 120));
    const layer1 = {
      weight: ops().weight({ rows: 5, columns: 8, dtype: 'F32', data: golden.data('in.w1') }),
      bias: load(ops(), golden, 'in.b1'),
    };
    golden.check('out.conv1', transposed(await ops().read(ops().linear(x, layer1)), 120));
    const small = ops().tensor(transposed(golden.data('in.shuffle'), 16), 24, 16);
    golden.check('out.pixel_shuffle3d', transposed(await ops().read(ops().pixelShuffle(small, [3, 4, 2])), 192));
  });

  it('convolve, pool, repeat and subdivide sets of voxels', async () => {
    const golden = await Golden.open('ops/sparse');
    const coords = xyz(golden.ints('in.coords'));
    const x = load(ops(), golden, 'in.feats');
    const data = golden.data('in.weight_krsc');
    const layer = {
      weight: ops().weight({ rows: 10, columns: 27 * 12, dtype: 'F32', data }),
      bias: load(ops(), golden, 'in.bias'),
    };
    const map = (set: Int32Array) => ops().index(neighbourMap(set));
    golden.check('out.subm_conv3', await ops().read(ops().convolution(x, map(coords), layer)));
    const down = coarser(coords);
    const pooled = ops().pool(x, ops().index(down.starts), ops().index(down.rows));
    golden.check('out.down.feats', await ops().read(pooled));
    golden.check('out.up.feats', await ops().read(ops().gather(pooled, ops().index(down.parents))));
    const copies = ops().gather(x, ops().index(Int32Array.from({ length: 82 * 8 }, (_, i) => i >> 3)));
    const fine = ops().convolution(copies, map(subdivided(coords)), layer);
    golden.check('out.subdivide_then_subm_conv3', await ops().read(fine));
    expect(fine.rows).toBe(656);
  });
});
