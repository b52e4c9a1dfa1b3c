/**
 * The whole chain on the miniature of the released models, three photos to mesh and gaussians, against the reference.
 */
import { expect, it } from 'vitest';
import { checkMesh } from '../../../test/goldenMesh.js';
import { gaussianConfig, openModel, samplerOptions, xyz } from '../../../test/goldenModel.js';
import { Golden, goldenText } from '../../../test/goldens.js';
import { describeOps } from '../../../test/networks.js';
import { scoped } from '../../nn/ops.js';
import { type SamplerStep, sampleFlow } from '../../nn/sampler.js';
import { TorchRandom } from '../../nn/torchRandom.js';
import {
  loadLatentCondition,
  loadStructureCondition,
  runLatentCondition,
  runStructureCondition,
} from './conditions.js';
import { extractMesh } from './extract.js';
import { activateGaussians, loadGaussianDecoder, runGaussianDecoder } from './gaussianDecoder.js';
import { latentVoxels, loadLatentFlow, runLatentFlow } from './latentFlow.js';
import { loadMeshDecoder, runMeshDecoder } from './meshDecoder.js';
import { loadStructureDecoder, occupied, runStructureDecoder } from './structureDecoder.js';
import { flowConditions, loadStructureFlow, noConditions, runStructureFlow } from './structureFlow.js';
import { loadVggt, runVggt } from './vggt.js';
import { imageCondition, loadVit, normalised, runVit, withoutSpecials } from './vit.js';

const PHOTOS = 3;
const SIDE = 70;
const TOKENS = 30;
const SPECIALS = 5;

/** Photos as colours in 0…1, channel after channel. */
function imageStack(golden: Golden) {
  const data = new Float32Array(PHOTOS * 3 * SIDE * SIDE);
  for (let photo = 0; photo < PHOTOS; photo++) {
    const pixels = golden.data(`in.image${photo}`);
    for (let i = 0; i < SIDE * SIDE * 3; i++) {
      data[photo * SIDE * SIDE * 3 + (i % 3) * SIDE * SIDE + Math.floor(i / 3)] =
        pixels[Math.floor(i / 3) * 4 + (i % 3)] / 255;
    }
  }
  return { count: PHOTOS, side: SIDE, data };
}

describeOps(
  'three photos',
  (ops) => {
    it('become the reference’s mesh and gaussians', async () => {
      const golden = await Golden.open('e2e');
      const config = golden.config as Record<string, Record<string, unknown>>;
      const settings = (part: string) => samplerOptions({ ...config[part], sigma_min: config.sigma_min });
      const model = (file: string, prefix?: string) => openModel(ops(), file, prefix);
      const images = imageStack(golden);

      const vggt = await runVggt(ops(), await loadVggt(await model('vggt/model', 'aggregator.')), images, [0, 1, 2, 3]);
      for (const [i, layer] of vggt.entries()) golden.check(`mid.vggt.${i}`, await ops().read(layer));
      const tokens = await runVit(ops(), await loadVit(await model('dinov2_tiny')), normalised(images));
      const dino = imageCondition(ops(), tokens);
      golden.check('mid.dino', await ops().read(dino));

      const patches = ops().index(withoutSpecials(PHOTOS, TOKENS, SPECIALS));
      const structureCondition = await runStructureCondition(
        ops(),
        await loadStructureCondition(await model('ckpts/ss_vggt_cond')),
        vggt.map((layer) => scoped(ops(), () => ops().gather(layer, patches))),
        ops().gather(dino, patches),
      );
      golden.check('mid.ss_cond', await ops().read(structureCondition));
      const latentNet = await loadLatentCondition(await model('ckpts/slat_vggt_cond'));
      const latentCondition = runLatentCondition(ops(), latentNet, vggt, dino);
      golden.check('mid.slat_cond', await ops().read(latentCondition));

      const watch = (part: string) => (step: SamplerStep) => {
        golden.check(`mid.${part}.step${step.index}.v_pos`, step.conditioned);
        if (step.unconditioned) golden.check(`mid.${part}.step${step.index}.v_neg`, step.unconditioned);
        golden.check(`mid.${part}.step${step.index}.x_prev`, step.sample);
      };
      const random = new TorchRandom(config.seed as unknown as number);
      const flow = await loadStructureFlow(await model('ckpts/ss_flow_tiny'));
      const conditions = flowConditions(ops(), flow.blocks, structureCondition, 1);
      const none = noConditions(ops(), flow.blocks);
      const noise = random.normal(8 * 4 ** 3);
      golden.check('mid.ss_noise', noise);
      const latent = await sampleFlow(
        noise,
        settings('ss'),
        (sample, t, conditioned) => runStructureFlow(ops(), flow, sample, t, conditioned ? conditions : none),
        watch('ss'),
      );
      golden.check('mid.ss_latent', latent);
      const decoder = await loadStructureDecoder(await model('ckpts/ss_dec_tiny'));
      const { logits, side } = await runStructureDecoder(ops(), decoder, latent);
      golden.check('mid.ss_logits', logits);
      const coords = occupied(logits, side);
      expect([...coords]).toEqual([...xyz(golden.ints('mid.coords'))]);

      const latentFlow = await loadLatentFlow(await model('ckpts/slat_flow_tiny'));
      const voxels = latentVoxels(ops(), latentFlow, coords);
      const views = flowConditions(ops(), latentFlow.blocks, latentCondition, PHOTOS);
      const noViews = noConditions(ops(), latentFlow.blocks);
      const latentNoise = random.normal((coords.length / 3) * 8);
      golden.check('mid.slat_noise', latentNoise);
      const sample = await sampleFlow(
        latentNoise,
        settings('slat'),
        (x, t, conditioned) => runLatentFlow(ops(), latentFlow, voxels, x, t, conditioned ? views : noViews),
        watch('slat'),
      );
      const {
        slat_normalization: { mean, std },
      } = (
        JSON.parse(goldenText('model/pipeline.json')) as {
          args: { slat_normalization: Record<'mean' | 'std', number[]> };
        }
      ).args;
      const slat = sample.map((x, i) => x * std[i % 8] + mean[i % 8]);
      golden.check('mid.slat', slat);

      const mesh = await loadMeshDecoder(await model('ckpts/slat_dec_mesh_tiny'));
      checkMesh(golden, extractMesh(await runMeshDecoder(ops(), mesh, slat, coords), 64), 1 / 64);

      const file = JSON.parse(goldenText('model/ckpts/slat_dec_gs_tiny.json')) as { args: Record<string, unknown> };
      const gaussianNet = await loadGaussianDecoder(await model('ckpts/slat_dec_gs_tiny'));
      const raw = await runGaussianDecoder(ops(), gaussianNet, slat, coords);
      golden.check('mid.gs_feats', raw);
      const gaussians = activateGaussians(raw, coords, gaussianNet.perturbation, gaussianConfig(file.args));
      golden.check('out.gs.xyz', gaussians.position);
      golden.check('out.gs.color', gaussians.colour);
      golden.check('out.gs.scaling', gaussians.scale);
      golden.check('out.gs.rotation', gaussians.rotation);
      golden.check('out.gs.opacity', gaussians.opacity);
    });
  },
  ['device', 'plain device'],
); // each network has been held against the plain TypeScript alone
