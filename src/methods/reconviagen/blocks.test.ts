/**
 * One block of each network: on inputs so small that the eps of each norm shows, and at the released networks' width
 * with weights from a hash.
 */
import { describe, expect, it } from 'vitest';
import { openModel, xyz } from '../../../test/goldenModel.js';
import { Golden } from '../../../test/goldens.js';
import { type HashTensor, hashFile, hashNumbers, pcg } from '../../../test/hashWeights.js';
import { describeOps, openPlainGpu } from '../../../test/networks.js';
import { openGpu } from '../../gpu/adapter/openGpu.js';
import { GpuOps } from '../../nn/gpuOps.js';
import type { Ops, Tensor } from '../../nn/ops.js';
import { denseNeighbourMap, neighbourMap } from '../../nn/sparse/voxels.js';
import { bytesSource, Safetensors } from '../../weights/safetensors.js';
import { loadStructureCondition } from './conditions.js';
import { conditionOf, diffusionBlock, loadDiffusionBlock } from './diffusionBlock.js';
import { latentResidual, loadLatentFlow } from './latentFlow.js';
import { loadMeshDecoder, subdivide } from './meshDecoder.js';
import { NetworkWeights } from './networkWeights.js';
import { loadStructureDecoder, volumeResidual } from './structureDecoder.js';
import { loadStructureFlow, transposed } from './structureFlow.js';
import { loadSwinDecoder } from './swinDecoder.js';
import { loadVggt } from './vggt.js';
import { loadVisionBlock, visionBlock } from './visionBlock.js';
import { imageCondition, loadVit } from './vit.js';

describeOps('single blocks on small inputs', (ops) => {
  const load = (golden: Golden, name: string): Tensor => {
    const { shape, data } = golden.tensor(name);
    const columns = shape.at(-1) ?? 1;
    return ops().tensor(data, data.length / columns, columns);
  };

  it('have the reference’s eps', async () => {
    const golden = await Golden.open('modules/eps_probe');
    const check = async (name: string, x: Tensor) => golden.check(`out.${name}`, await ops().read(x));
    const tokens = load(golden, 'in.tokens');
    const vit = await loadVit(await openModel(ops(), 'dinov2_tiny'));
    await check('vit_block', visionBlock(ops(), vit.blocks[0], tokens, { eps: 1e-6 }));
    await check('vit_final_norm', ops().layerNorm(tokens, { eps: 1e-6, affine: vit.norm }));
    await check('image_cond_layernorm', imageCondition(ops(), tokens));

    const vggt = await loadVggt(await openModel(ops(), 'vggt/model', 'aggregator.'));
    const positions = ops().index(Int32Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 1));
    await check('vggt_frame_block', visionBlock(ops(), vggt.frameBlocks[0], tokens, { eps: 1e-5, positions }));

    const flow = await loadStructureFlow(await openModel(ops(), 'ckpts/ss_flow_tiny'));
    const time = ops().activate(load(golden, 'in.t_emb'), 'silu');
    const condition = conditionOf(ops(), flow.blocks[0], load(golden, 'in.ctx'), 1);
    await check('dit_block', diffusionBlock(ops(), flow.blocks[0], tokens, { time, condition }));
    await check('flow_final', ops().linear(ops().layerNorm(tokens, { eps: 1e-5 }), flow.output));

    const conditionNet = await loadStructureCondition(await openModel(ops(), 'ckpts/ss_vggt_cond'));
    const [first] = conditionNet.blocks;
    const context = conditionOf(ops(), first, load(golden, 'in.ctx3'), 1);
    await check('ss_cond_block', diffusionBlock(ops(), first, tokens, { condition: context }));

    const decoder = await loadStructureDecoder(await openModel(ops(), 'ckpts/ss_dec_tiny'));
    const grid = ops().tensor(transposed(golden.data('in.grid'), 32), 27, 32);
    const map = ops().index(denseNeighbourMap([3, 3, 3]));
    const volume = await ops().read(volumeResidual(ops(), decoder.middle[0], grid, map));
    golden.check('out.ss_dec_res', transposed(volume, 27));

    const coords = xyz(golden.ints('in.coords'));
    const latent = await loadLatentFlow(await openModel(ops(), 'ckpts/slat_flow_tiny'));
    const near = ops().index(neighbourMap(coords));
    await check('slat_res', latentResidual(ops(), latent.inputBlocks[0], load(golden, 'in.vox16'), near, time));
    const contexts = golden.data('in.ctx');
    const both = ops().tensor(Float32Array.from([...contexts, ...contexts.map((x) => x / 2)]), 12, 128);
    const voxels = load(golden, 'in.vox128');
    const views = conditionOf(ops(), latent.blocks[0], both, 2);
    await check('slat_dit_block', diffusionBlock(ops(), latent.blocks[0], voxels, { time, condition: views }));

    const swin = await loadSwinDecoder(await openModel(ops(), 'ckpts/slat_dec_gs_tiny'));
    await check('decoder_block', diffusionBlock(ops(), swin.blocks[0], voxels, {}));
    const mesh = await loadMeshDecoder(await openModel(ops(), 'ckpts/slat_dec_mesh_tiny'));
    await check('subdivide', subdivide(ops(), mesh.subdivisions[0], load(golden, 'in.vox256'), coords));
  });
});

describe('blocks as wide as the released ones', () => {
  const hashed = async (ops: Ops, golden: Golden) => {
    const { inputs, weights } = golden.config as { inputs: HashTensor[]; weights: HashTensor[] };
    const file = await Safetensors.open(bytesSource('hashed', hashFile(weights)));
    const input = (name: string): Tensor => {
      const tensor = inputs.find((entry) => entry.name === name) as HashTensor;
      return ops.tensor(hashNumbers(tensor), tensor.shape.length === 3 ? tensor.shape[1] : 1, 1024);
    };
    return { weights: new NetworkWeights(ops, file), input };
  };

  it('are drawn from the same hash', async () => {
    const golden = await Golden.open('fullwidth_dit_block');
    golden.checkExact(
      'check.pcg_0_to_7',
      [0, 1, 2, 3, 4, 5, 6, 7].map((i) => Math.fround(pcg(i))),
    );
    const { inputs, weights } = golden.config as { inputs: HashTensor[]; weights: HashTensor[] };
    golden.checkExact('check.x_first8', hashNumbers({ ...inputs[0], shape: [8] }));
    golden.checkExact('check.first8_of_norm2.weight', hashNumbers({ ...weights[0], shape: [8] }));
  });

  for (const [name, open] of Object.entries({ 'all it has': openGpu, 'WebGPU’s defaults': openPlainGpu })) {
    it(`are the reference’s in the flow, on a device with ${name}`, async () => {
      const golden = await Golden.open('fullwidth_dit_block');
      const gpu = await open();
      const ops = new GpuOps(gpu);
      ops.open();
      const { weights, input } = await hashed(ops, golden);
      const block = await loadDiffusionBlock(weights);
      const condition = conditionOf(ops, block, input('context'), 1);
      const time = ops.activate(input('t_emb'), 'silu');
      golden.check('out.x', await ops.read(diffusionBlock(ops, block, input('x'), { time, condition })));
      ops.close();
      gpu.dispose();
    });

    it(`are the reference’s in VGGT, on a device with ${name}`, async () => {
      const golden = await Golden.open('fullwidth_vggt_block');
      const gpu = await open();
      const ops = new GpuOps(gpu);
      ops.open();
      const { weights, input } = await hashed(ops, golden);
      const positions = ops.index(golden.ints('in.pos_yx'));
      const result = visionBlock(ops, await loadVisionBlock(weights), input('x'), { eps: 1e-5, positions });
      golden.check('out.x', await ops.read(result));
      ops.close();
      gpu.trim();
      expect(gpu.bytesInUse).toBe(0);
      gpu.dispose();
    });
  }
});
