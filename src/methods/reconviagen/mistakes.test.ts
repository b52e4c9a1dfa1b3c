/**
 * Are the reference tensors sharp enough? Each mistake that ports of such networks are known for is made on purpose, in
 * the operations that a network is given or in what it is fed, and must take a result out of its tolerance.
 */
import { describe, expect, it } from 'vitest';
import { gaussianConfig, openModel, xyz } from '../../../test/goldenModel.js';
import { Golden } from '../../../test/goldens.js';
import { timestepEmbedding } from '../../nn/embeddings.js';
import type { Activation, Ops, Tensor } from '../../nn/ops.js';
import { ReferenceOps } from '../../nn/reference/referenceOps.js';
import { flowTimes, guide, isGuided } from '../../nn/sampler.js';
import { coarser, neighbourMap, voxelWindows } from '../../nn/sparse/voxels.js';
import {
  loadLatentCondition,
  loadStructureCondition,
  runLatentCondition,
  runStructureCondition,
} from './conditions.js';
import { conditionOf, diffusionBlock } from './diffusionBlock.js';
import { activateGaussians } from './gaussianDecoder.js';
import { latentVoxels, loadLatentFlow, runLatentFlow } from './latentFlow.js';
import { occupied } from './structureDecoder.js';
import { flowConditions, loadStructureFlow, noConditions, runStructureFlow, transposed } from './structureFlow.js';
import { loadVggt, runVggt } from './vggt.js';
import { visionBlock } from './visionBlock.js';
import { loadVit, normedPatches, runVit } from './vit.js';

const right = new ReferenceOps();

/** The operations with some of them done wrong. */
const wrong = (mistakes: Partial<Ops>): Ops => Object.assign(Object.create(right) as Ops, mistakes);

function load(golden: Golden, name: string): Tensor {
  const { shape, data } = golden.tensor(name);
  const columns = shape.at(-1) ?? 1;
  return right.tensor(data, data.length / columns, columns);
}

/** Expects a result within its tolerance without the mistake, and beyond it with. */
async function expectCaught(golden: Golden, name: string, run: (mistaken: boolean) => Promise<ArrayLike<number>>) {
  const [sound, mistaken] = [await run(false), await run(true)].map((data) => golden.deviation(name, data));
  expect(sound, `${name}, sound`).toBeLessThanOrEqual(golden.tolerance(name));
  expect(mistaken, `${name}, mistaken`).toBeGreaterThan(golden.tolerance(name));
}

/** As `expectCaught` where every number has to be the reference's. */
async function expectCaughtExactly(wanted: ArrayLike<number>, run: (mistaken: boolean) => ArrayLike<number>) {
  expect([...Array.from(run(false))]).toEqual([...Array.from(wanted)]);
  expect([...Array.from(run(true))]).not.toEqual([...Array.from(wanted)]);
}

/** Operations whose layer norms take the other eps. */
const otherEps = wrong({
  layerNorm: (x, norm) => right.layerNorm(x, { ...norm, eps: norm.eps === 1e-5 ? 1e-6 : 1e-5 }),
});

/** Operations that take one GELU for the other. */
const otherGelu = wrong({
  linear(x, layer, epilogue = {}) {
    const swap: Partial<Record<Activation, Activation>> = { gelu: 'gelu-tanh', 'gelu-tanh': 'gelu' };
    const { activation = 'none' } = epilogue;
    return right.linear(x, layer, { ...epilogue, activation: swap[activation] ?? activation });
  },
});

describe('a mistake is caught: ', () => {
  it('1, pooled sums divided by the count instead of the count + 1', async () => {
    const golden = await Golden.open('ops/sparse');
    const { starts, rows } = coarser(xyz(golden.ints('in.coords')));
    await expectCaught(golden, 'out.down.feats', async (mistaken) => {
      const data = await right.read(right.pool(load(golden, 'in.feats'), starts, rows));
      const factor = (row: number): number => 1 + 1 / (starts[row + 1] - starts[row]);
      return mistaken ? data.map((x, i) => x * factor(Math.floor(i / 12))) : data;
    });
  });

  it('2, no condition taken as no attention', async () => {
    const golden = await Golden.open('modules/ss_flow');
    const flow = await loadStructureFlow(await openModel(right, 'ckpts/ss_flow_tiny'));
    const time = golden.data('in.t1000')[0] / 1000;
    await expectCaught(golden, 'out.v_zero_cond', (mistaken) =>
      runStructureFlow(right, flow, golden.data('in.x'), time, mistaken ? [] : noConditions(right, flow.blocks)),
    );
  });

  it('3, guidance as (1 + s) v₊ − s v₋', async () => {
    const golden = await Golden.open('ops/cfg');
    const [x, p, n] = ['x', 'v_pos', 'v_neg'].map((key) => golden.data(`in.${key}`));
    const options = { steps: 1, rescaleT: 1, guidanceRescale: 0.7, interval: [0, 1] as const, sigmaMin: 1e-5 };
    await expectCaught(
      golden,
      'out.dense_rescale0.7',
      async (mistaken) => guide(x, p, n, 0.8, { ...options, guidance: mistaken ? 8.5 : 7.5 }).velocity,
    );
  });

  it('4, the end of the interval left out', async () => {
    const golden = await Golden.open('ops/schedule');
    await expectCaughtExactly(golden.data('out.guided_12_3'), (mistaken) =>
      [...flowTimes(12, 3)].slice(0, -1).map((t) => Number(isGuided(t, [mistaken ? 0.6 + 2 ** -53 : 0.6, 1]))),
    );
  });

  it('6, one GELU for the other, in the image network and in the flow', async () => {
    const golden = await Golden.open('modules/vit');
    const vit = await loadVit(await openModel(right, 'dinov2_tiny'));
    const images = { count: 2, side: 70, data: golden.data('in.image') };
    await expectCaught(golden, 'out.x_prenorm', async (mistaken) =>
      right.read(await runVit(mistaken ? otherGelu : right, vit, images)),
    );
    const structure = await Golden.open('modules/ss_flow');
    const flow = await loadStructureFlow(await openModel(right, 'ckpts/ss_flow_tiny'));
    const conditions = flowConditions(right, flow.blocks, load(structure, 'in.cond'), 1);
    const time = structure.data('in.t1000')[0] / 1000;
    await expectCaught(structure, 'out.v', (mistaken) =>
      runStructureFlow(mistaken ? otherGelu : right, flow, structure.data('in.x'), time, conditions),
    );
  });

  it('7, one eps for the other, in each kind of block, also in the affine norm before the condition', async () => {
    const golden = await Golden.open('modules/eps_probe');
    const tokens = load(golden, 'in.tokens');
    const vit = await loadVit(await openModel(right, 'dinov2_tiny'));
    const flow = await loadStructureFlow(await openModel(right, 'ckpts/ss_flow_tiny'));
    const condition = conditionOf(right, flow.blocks[0], load(golden, 'in.ctx'), 1);
    const time = right.activate(load(golden, 'in.t_emb'), 'silu');
    await expectCaught(golden, 'out.vit_block', async (mistaken) =>
      right.read(visionBlock(mistaken ? otherEps : right, vit.blocks[0], tokens, { eps: 1e-6 })),
    );
    await expectCaught(golden, 'out.dit_block', async (mistaken) =>
      right.read(diffusionBlock(mistaken ? otherEps : right, flow.blocks[0], tokens, { time, condition })),
    );
    // No golden has small inputs at the norm before the condition. So its own: an input that the self attention leaves
    // as small as it was, and the block once with every norm's eps in f64 loops and once with only this one changed.
    const quiet = {
      ...flow.blocks[0],
      out: { weight: right.weight({ rows: 128, columns: 128, dtype: 'F32', data: new Float32Array(128 * 128) }) },
    };
    const onlyAffine = wrong({
      layerNorm: (x, norm) => right.layerNorm(x, norm.affine ? { ...norm, eps: 1e-5 } : norm),
    });
    const [sound, mistaken] = await Promise.all(
      [right, onlyAffine].map((ops) => right.read(diffusionBlock(ops, quiet, tokens, { time, condition }))),
    );
    expect(Math.max(...sound.map((x, i) => Math.abs(x - mistaken[i])))).toBeGreaterThan(1e-3);
  });

  it('8, shifted windows that wrap round', async () => {
    const golden = await Golden.open('ops/windows');
    const coords = xyz(golden.ints('in.coords'));
    await expectCaughtExactly(golden.data('out.shift4.window_of_voxel'), (mistaken) =>
      mistaken
        ? voxelWindows(
            coords.map((c) => (c + 4) % 16),
            8,
            0,
          ).window
        : voxelWindows(coords, 8, 4).window,
    );
  });

  it('9, the same special tokens for every photo', async () => {
    const golden = await Golden.open('modules/vggt');
    const vggt = await loadVggt(await openModel(right, 'vggt/model', 'aggregator.'));
    const images = { count: 3, side: 70, data: golden.data('in.images') };
    const same = right.gather(vggt.specials, Int32Array.of(0, 1, 2, 3, 4, 0, 1, 2, 3, 4));
    await expectCaught(golden, 'out.layer0', async (mistaken) =>
      right.read((await runVggt(right, mistaken ? { ...vggt, specials: same } : vggt, images, [0]))[0]),
    );
  });

  it('10, tokens taken before a norm for those after it', async () => {
    const golden = await Golden.open('modules/vit');
    const vit = await loadVit(await openModel(right, 'dinov2_tiny'));
    const images = { count: 2, side: 70, data: golden.data('in.image') };
    const tokens = await runVit(right, vit, images);
    const plain = { ...vit, norm: { weight: right.add(vit.norm.weight, vit.norm.weight), bias: vit.norm.bias } };
    await expectCaught(golden, 'out.x_norm_patchtokens', async (mistaken) =>
      right.read(normedPatches(right, mistaken ? plain : vit, tokens, 2)),
    );
    await expectCaught(golden, 'out.image_cond', async (mistaken) =>
      right.read(right.layerNorm(tokens, { eps: 1e-5, affine: mistaken ? vit.norm : undefined })),
    );
  });

  it('11, sines of the time before its cosines', async () => {
    const golden = await Golden.open('ops/embeddings');
    await expectCaught(golden, 'out.timestep256', async (mistaken) =>
      [...golden.data('in.t1000')].flatMap((t) => {
        const row = [...timestepEmbedding(t, 256)];
        return mistaken ? [...row.slice(128), ...row.slice(0, 128)] : row;
      }),
    );
  });

  it('12, voxels listed z first', async () => {
    const golden = await Golden.open('modules/ss_dec');
    const logits = golden.data('out.logits');
    const turned = logits.map((_, i) => logits[(i % 16) * 256 + (Math.floor(i / 16) % 16) * 16 + Math.floor(i / 256)]);
    await expectCaughtExactly(xyz(golden.ints('out.coords')), (mistaken) => {
      const coords = occupied(mistaken ? turned : logits, 16);
      return mistaken ? coords.map((_, i) => coords[i - (i % 3) + 2 - (i % 3)]) : coords;
    });
  });

  it('taps of a convolution in the order z, y, x', async () => {
    const golden = await Golden.open('ops/sparse');
    const map = neighbourMap(xyz(golden.ints('in.coords')));
    const turned = map.map((_, i) => {
      const tap = i % 27;
      return map[i - tap + (tap % 3) * 9 + (Math.floor(tap / 3) % 3) * 3 + Math.floor(tap / 9)];
    });
    const data = golden.data('in.weight_krsc');
    const layer = {
      weight: right.weight({ rows: 10, columns: 27 * 12, dtype: 'F32', data }),
      bias: load(golden, 'in.bias'),
    };
    await expectCaught(golden, 'out.subm_conv3', async (mistaken) =>
      right.read(right.convolution(load(golden, 'in.feats'), mistaken ? turned : map, layer)),
    );
  });

  it('children of a voxel in the order z, y, x', async () => {
    const golden = await Golden.open('ops/conv3d');
    const shuffle = golden.data('in.shuffle');
    const rows = transposed(shuffle, 16);
    const turned = rows.map((_, i) => {
      const child = i % 8;
      return rows[i - child + ((child & 1) << 2) + (child & 2) + (child >> 2)];
    });
    await expectCaught(golden, 'out.pixel_shuffle3d', async (mistaken) => {
      const x = right.tensor(mistaken ? turned : rows, 24, 16);
      return transposed(await right.read(right.pixelShuffle(x, [3, 4, 2])), 192);
    });
  });

  it('rotation by x before y', async () => {
    const golden = await Golden.open('ops/rope2d');
    const positions = golden.ints('in.pos_yx');
    const swappedPositions = positions.map((_, i) => positions[i ^ 1]);
    const data = golden.data('in.x');
    await expectCaught(golden, 'out.rope', async (mistaken) => {
      // One head after the other as rows, as the file has them.
      const x = right.tensor(data.slice(), 21, 64);
      const all = mistaken ? swappedPositions : positions;
      right.rope2d({ of: x, column: 0, heads: 1, size: 64 }, Int32Array.from([...all, ...all, ...all]), 100);
      return right.read(x);
    });
  });

  it('scale taken for shift in a modulated block', async () => {
    const golden = await Golden.open('modules/ss_flow');
    const flow = await loadStructureFlow(await openModel(right, 'ckpts/ss_flow_tiny'));
    const conditions = flowConditions(right, flow.blocks, load(golden, 'in.cond'), 1);
    const time = golden.data('in.t1000')[0] / 1000;
    const swapped = wrong({
      layerNorm: (x, { modulation: m, ...norm }) =>
        right.layerNorm(x, { ...norm, modulation: m && { scale: m.shift, shift: m.scale } }),
    });
    await expectCaught(golden, 'out.v', (mistaken) =>
      runStructureFlow(mistaken ? swapped : right, flow, golden.data('in.x'), time, conditions),
    );
  });

  it('answers of several photos summed, not averaged', async () => {
    const golden = await Golden.open('modules/slat_flow');
    const flow = await loadLatentFlow(await openModel(right, 'ckpts/slat_flow_tiny'));
    const voxels = latentVoxels(right, flow, xyz(golden.ints('in.coords')));
    const conditions = flowConditions(right, flow.blocks, load(golden, 'in.conds'), 3);
    const summed = wrong({
      attention(input) {
        let result = right.attention(input);
        for (let i = 1; i < (input.contexts ?? 1); i++) result = right.add(result, right.attention(input));
        return result;
      },
    });
    const time = golden.data('in.t1000')[0] / 1000;
    await expectCaught(golden, 'out.v', (mistaken) =>
      runLatentFlow(mistaken ? summed : right, flow, voxels, golden.data('in.feats'), time, conditions),
    );
  });

  it('conditions joined in the other order, and one without the image’s own tokens', async () => {
    const golden = await Golden.open('modules/ss_vggt_cond');
    const network = await loadStructureCondition(await openModel(right, 'ckpts/ss_vggt_cond'));
    const patches = Int32Array.of(5, 6, 7, 8, 9, 10, 16, 17, 18, 19, 20, 21);
    const vggt = [0, 1, 2, 3].map((i) => right.gather(load(golden, `in.vggt${i}`), patches));
    const reversed = wrong({ concatColumns: (parts) => right.concatColumns([...parts].reverse()) });
    await expectCaught(golden, 'out.cond', async (mistaken) => {
      const ops = mistaken ? reversed : right;
      return right.read(await runStructureCondition(ops, network, vggt, load(golden, 'in.dino_patches')));
    });
    const local = await Golden.open('modules/slat_vggt_cond');
    const latent = await loadLatentCondition(await openModel(right, 'ckpts/slat_vggt_cond'));
    const layers = [0, 1, 2, 3].map((i) => load(local, `in.vggt${i}`));
    const alone = wrong({
      linear: (x, layer, epilogue) => right.linear(x, layer, { ...epilogue, residual: undefined }),
    });
    await expectCaught(local, 'out.cond', async (mistaken) =>
      right.read(runLatentCondition(mistaken ? alone : right, latent, layers, load(local, 'in.dino'))),
    );
  });

  it('rotations of gaussians at full rate', async () => {
    const golden = await Golden.open('modules/gs_dec');
    const config = gaussianConfig(golden.config);
    const coords = xyz(golden.ints('in.coords'));
    await expectCaught(golden, 'out.rotation', async (mistaken) => {
      const rates = { ...config.rates, rotation: mistaken ? 1 : config.rates.rotation };
      const perturbation = golden.data('mid.offset_perturbation');
      return activateGaussians(golden.data('out.raw448'), coords, perturbation, { ...config, rates }).rotation;
    });
  });
});
