/** Each network on small random weights, in plain TypeScript and on the device, against the PyTorch original. */
import { expect, it } from 'vitest';
import { gaussianConfig, openModel, samplerOptions, xyz } from '../../../test/goldenModel.js';
import { Golden } from '../../../test/goldens.js';
import { describeOps } from '../../../test/networks.js';
import type { Ops, Tensor } from '../../nn/ops.js';
import { sampleFlow } from '../../nn/sampler.js';
import {
  loadLatentCondition,
  loadStructureCondition,
  runLatentCondition,
  runStructureCondition,
} from './conditions.js';
import { activateGaussians, loadGaussianDecoder, runGaussianDecoder } from './gaussianDecoder.js';
import { latentVoxels, loadLatentFlow, runLatentFlow } from './latentFlow.js';
import { loadMeshDecoder, runMeshDecoder } from './meshDecoder.js';
import { loadStructureDecoder, occupied, runStructureDecoder } from './structureDecoder.js';
import { flowConditions, loadStructureFlow, noConditions, runStructureFlow, transposed } from './structureFlow.js';
import { loadVggt, runVggt, tokenPositions } from './vggt.js';
import { imageCondition, loadVit, normedPatches, patchRows, runVit, vitTokens } from './vit.js';

/** A tensor of the file: its last dimension is the columns. */
function load(ops: Ops, golden: Golden, name: string): Tensor {
  const { shape, data } = golden.tensor(name);
  const columns = shape.at(-1) ?? 1;
  return ops.tensor(data, data.length / columns, columns);
}

/** Checks what a part gives where the file holds it. */
const watcher =
  (ops: Ops, golden: Golden, seen: string[] = []) =>
  async (name: string, x: Tensor): Promise<void> => {
    if (!golden.names.includes(`mid.${name}`)) return;
    seen.push(name);
    golden.check(`mid.${name}`, await ops.read(x));
  };

describeOps('networks', (ops) => {
  it('DINOv2', async () => {
    const golden = await Golden.open('modules/vit');
    const images = { count: 2, side: 70, data: golden.data('in.image') };
    const vit = await loadVit(await openModel(ops(), 'dinov2_tiny'));
    const rows = patchRows(images);
    golden.check('mid.patch_embed', await ops().read(ops().linear(ops().tensor(rows, 50, 588), vit.patches)));
    golden.check('mid.tokens', await ops().read(vitTokens(ops(), vit, images)));
    for (const blocks of [1, 2]) {
      const part = { ...vit, blocks: vit.blocks.slice(0, blocks) };
      golden.check(`mid.block${blocks - 1}.out`, await ops().read(await runVit(ops(), part, images)));
    }
    const tokens = await runVit(ops(), vit, images);
    golden.check('out.x_prenorm', await ops().read(tokens));
    golden.check('out.image_cond', await ops().read(imageCondition(ops(), tokens)));
    golden.check('out.x_norm_patchtokens', await ops().read(normedPatches(ops(), vit, tokens, 2)));
  });

  it('VGGT', async () => {
    const golden = await Golden.open('modules/vggt');
    const vggt = await loadVggt(await openModel(ops(), 'vggt/model', 'aggregator.'));
    golden.checkExact('mid.positions_yx', tokenPositions(1, 5, 5));
    const layers = await runVggt(
      ops(),
      vggt,
      { count: 3, side: 70, data: golden.data('in.images') },
      golden.config.intermediate_layer_idx as number[],
    );
    for (const [i, layer] of layers.entries()) golden.check(`out.layer${i}`, await ops().read(layer));
    const first = await ops().read(layers[0]);
    const frame = first.filter((_, i) => i % 256 < 128);
    golden.check('mid.frame0.out', frame);
  });

  it('the condition of the structure', async () => {
    const golden = await Golden.open('modules/ss_vggt_cond');
    const network = await loadStructureCondition(await openModel(ops(), 'ckpts/ss_vggt_cond'));
    // Tokens of a photo begin with five special ones, which the condition does not see.
    const patches = Int32Array.of(5, 6, 7, 8, 9, 10, 16, 17, 18, 19, 20, 21);
    const vggt = [0, 1, 2, 3].map((i) => ops().gather(load(ops(), golden, `in.vggt${i}`), ops().index(patches)));
    const dino = load(ops(), golden, 'in.dino_patches');
    for (const count of [1, 2]) {
      const part = { ...network, blocks: network.blocks.slice(0, count) };
      const x = await runStructureCondition(ops(), part, vggt, dino);
      golden.check(`mid.cond_blocks.${count - 1}`, await ops().read(x));
    }
    golden.check('out.cond', await ops().read(await runStructureCondition(ops(), network, vggt, dino)));
  });

  it('the condition of the latent', async () => {
    const golden = await Golden.open('modules/slat_vggt_cond');
    const network = await loadLatentCondition(await openModel(ops(), 'ckpts/slat_vggt_cond'));
    const vggt = [0, 1, 2, 3].map((i) => load(ops(), golden, `in.vggt${i}`));
    const dino = load(ops(), golden, 'in.dino');
    golden.check('out.cond', await ops().read(runLatentCondition(ops(), network, vggt, dino)));
    const joined = ops().concatColumns([vggt[0], dino]);
    const first = ops().linear(joined, network.layers[0], { activation: 'relu' });
    golden.check('mid.linear_blocks.0', await ops().read(first));
  });

  it('the flow of the structure, with and without a condition', async () => {
    const golden = await Golden.open('modules/ss_flow');
    const flow = await loadStructureFlow(await openModel(ops(), 'ckpts/ss_flow_tiny'));
    const x = golden.data('in.x');
    const time = golden.data('in.t1000')[0] / 1000;
    const tokens = ops().tensor(transposed(x, 8), 64, 8);
    golden.check('mid.tokens', await ops().read(ops().add(ops().linear(tokens, flow.input), flow.positions)));
    const conditions = flowConditions(ops(), flow.blocks, load(ops(), golden, 'in.cond'), 1);
    golden.check('out.v', await runStructureFlow(ops(), flow, x, time, conditions));
    const madeAnew = flowConditions(ops(), flow.blocks, load(ops(), golden, 'in.cond'), 1, false);
    expect(madeAnew.every(({ keyValue }) => keyValue === undefined)).toBe(true);
    golden.check('out.v', await runStructureFlow(ops(), flow, x, time, madeAnew));
    golden.check('out.v_zero_cond', await runStructureFlow(ops(), flow, x, time, noConditions(ops(), flow.blocks)));
  });

  it('the decoder of the structure', async () => {
    const golden = await Golden.open('modules/ss_dec');
    const decoder = await loadStructureDecoder(await openModel(ops(), 'ckpts/ss_dec_tiny'));
    const seen: string[] = [];
    const { logits, side } = await runStructureDecoder(
      ops(),
      decoder,
      golden.data('in.latent'),
      undefined,
      async (name, x) => {
        if (!golden.names.includes(`mid.${name}`)) return;
        seen.push(name);
        golden.check(`mid.${name}`, transposed(await ops().read(x), x.rows));
      },
    );
    expect(seen).toEqual(['input_layer', 'middle_block.0', 'blocks.2']);
    golden.check('out.logits', logits);
    expect([...occupied(logits, side)]).toEqual([...xyz(golden.ints('out.coords'))]);
  });

  it('the flow of the latent, over three photos', async () => {
    const golden = await Golden.open('modules/slat_flow');
    const flow = await loadLatentFlow(await openModel(ops(), 'ckpts/slat_flow_tiny'));
    const voxels = latentVoxels(ops(), flow, xyz(golden.ints('in.coords')));
    golden.check('mid.ape', await ops().read(voxels.positions));
    const conditions = flowConditions(ops(), flow.blocks, load(ops(), golden, 'in.conds'), 3);
    const seen: string[] = [];
    const time = golden.data('in.t1000')[0] / 1000;
    const watch = watcher(ops(), golden, seen);
    const v = await runLatentFlow(ops(), flow, voxels, golden.data('in.feats'), time, conditions, undefined, watch);
    golden.check('out.v', v);
    expect(seen).toHaveLength(7);
  });

  it('the decoder of the mesh', async () => {
    const golden = await Golden.open('modules/mesh_dec');
    const decoder = await loadMeshDecoder(await openModel(ops(), 'ckpts/slat_dec_mesh_tiny'));
    const seen: string[] = [];
    const watch = watcher(ops(), golden, seen);
    const coords = xyz(golden.ints('in.coords'));
    const cubes = await runMeshDecoder(ops(), decoder, golden.data('in.slat'), coords, undefined, watch);
    expect(seen).toEqual(['blocks.0', 'blocks.1', 'upsample.0']);
    golden.check('out.feats101', cubes.features);
    golden.checkExact('mid.coords_x4', cubes.coords);
  });

  it('the decoder of gaussians', async () => {
    const golden = await Golden.open('modules/gs_dec');
    const decoder = await loadGaussianDecoder(await openModel(ops(), 'ckpts/slat_dec_gs_tiny'));
    golden.checkExact('mid.offset_perturbation', decoder.perturbation);
    const coords = xyz(golden.ints('in.coords'));
    const seen: string[] = [];
    const watch = watcher(ops(), golden, seen);
    const raw = await runGaussianDecoder(ops(), decoder, golden.data('in.slat'), coords, undefined, (i, x) =>
      watch(`blocks.${i}`, x),
    );
    expect(seen).toEqual(['blocks.0', 'blocks.1']);
    golden.check('out.raw448', raw);
    const gaussians = activateGaussians(raw, coords, decoder.perturbation, gaussianConfig(golden.config));
    golden.check('out.xyz', gaussians.position);
    golden.check('out.color', gaussians.colour);
    golden.check('out.scaling', gaussians.scale);
    golden.check('out.rotation', gaussians.rotation);
    golden.check('out.opacity', gaussians.opacity);
  });
});

describeOps(
  'samplers',
  (ops) => {
    it('the sampled structure, step by step', async () => {
      const golden = await Golden.open('modules/ss_flow_sampler');
      const flow = await loadStructureFlow(await openModel(ops(), 'ckpts/ss_flow_tiny'));
      const conditions = flowConditions(ops(), flow.blocks, load(ops(), golden, 'in.cond'), 1);
      const none = noConditions(ops(), flow.blocks);
      const guided: number[] = [];
      const result = await sampleFlow(
        golden.data('in.noise'),
        samplerOptions(golden.config),
        (sample, t, conditioned) => runStructureFlow(ops(), flow, sample, t, conditioned ? conditions : none),
        (step) => {
          guided.push(Number(step.unconditioned !== undefined));
          golden.check(`mid.step${step.index}.v_pos`, step.conditioned);
          if (step.unconditioned) golden.check(`mid.step${step.index}.v_neg`, step.unconditioned);
          golden.check(`mid.step${step.index}.x_prev`, step.sample);
          golden.check(`mid.step${step.index}.pred_x0`, step.predicted);
          if (step.spreads) {
            // The reference's are those of a sample; ours are not, which no result shows.
            const bessel = Math.sqrt(step.sample.length / (step.sample.length - 1));
            golden.check(
              `mid.step${step.index}.std_pos_cfg`,
              step.spreads.map((s) => s * bessel),
            );
          }
        },
      );
      golden.checkExact('mid.guided', guided);
      golden.check('out.x', result);
    });

    it('the sampled latent, step by step, and in twelve steps', async () => {
      const golden = await Golden.open('modules/slat_flow_sampler');
      const flow = await loadLatentFlow(await openModel(ops(), 'ckpts/slat_flow_tiny'));
      const voxels = latentVoxels(ops(), flow, xyz(golden.ints('in.coords')));
      const conditions = flowConditions(ops(), flow.blocks, load(ops(), golden, 'in.conds'), 3);
      const none = noConditions(ops(), flow.blocks);
      const options = samplerOptions(golden.config);
      const velocity = (sample: Float32Array, t: number, conditioned: boolean) =>
        runLatentFlow(ops(), flow, voxels, sample, t, conditioned ? conditions : none);
      const noise = golden.data('in.noise');
      const guided: number[] = [];
      const result = await sampleFlow(noise, options, velocity, (step) => {
        guided.push(Number(step.unconditioned !== undefined));
        golden.check(`mid.step${step.index}.v_pos`, step.conditioned);
        if (step.unconditioned) golden.check(`mid.step${step.index}.v_neg`, step.unconditioned);
        golden.check(`mid.step${step.index}.x_prev`, step.sample);
        golden.check(`mid.step${step.index}.pred_x0`, step.predicted);
        if (step.spreads) golden.check(`mid.step${step.index}.std_pos_cfg`, step.spreads);
      });
      golden.checkExact('mid.guided', guided);
      golden.check('out.x', result);
      const { mean, std } = golden.config as { mean: number[]; std: number[] };
      golden.check(
        'out.slat',
        result.map((x, i) => x * std[i % 8] + mean[i % 8]),
      );
      const often: number[] = [];
      const twelve = await sampleFlow(noise, { ...options, steps: 12 }, velocity, (step) => {
        often.push(Number(step.unconditioned !== undefined));
      });
      golden.checkExact('mid.guided_12steps', often);
      golden.check('out.x_12steps', twelve);
    });
  },
  ['reference', 'device', 'plain device'],
); // what tiny pages would change has shown in single steps
