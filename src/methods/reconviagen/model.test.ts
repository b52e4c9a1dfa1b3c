/** The weights of the method in a folder: what is told of files that are not what the networks need. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { errorOf, useFolders } from '../../../test/captureScene.js';
import { goldenWeights } from '../../../test/goldens.js';
import {
  DINO,
  readTensors,
  type Tensors,
  TRELLIS,
  tensorsFile,
  VGGT,
  weightPath,
  writeModelRepository,
} from '../../../test/modelRepository.js';
import { ReferenceOps } from '../../nn/reference/referenceOps.js';
import { openWeights } from '../../weights/openWeights.js';
import { RECONVIAGEN_WEIGHTS } from '../../weights/reconviagen.js';
import { toFloat32 } from '../../weights/safetensors.js';
import { openModel } from './model.js';
import { requireDevice } from './requireDevice.js';

const newFolder = useFolders();
let folder: string;
beforeEach(async () => {
  folder = await newFolder();
  await writeModelRepository(folder);
});

const open = (testModels = true) => openModel(openWeights(RECONVIAGEN_WEIGHTS, folder, { testModels }));
const FLOW = 'ckpts/ss_flow_img_dit_L_16l8_fp16';

/** Changes the tensors of a file. */
async function change(repository: string, path: string, edit: (tensors: Tensors) => void): Promise<void> {
  const file = weightPath(folder, repository, path);
  const tensors = await readTensors(file);
  edit(tensors);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, tensorsFile(tensors));
}

/** Changes the arguments of a network. */
async function describeOtherwise(path: string, edit: (description: { args: Record<string, unknown> }) => void) {
  const file = weightPath(folder, TRELLIS, path);
  const description = JSON.parse(await readFile(file, 'utf8')) as { args: Record<string, unknown> };
  edit(description);
  await writeFile(file, JSON.stringify(description));
}

describe('the miniature', () => {
  it('opens, and says its sizes of itself', async () => {
    const model = await open();
    expect(model).toMatchObject({
      side: 70,
      specials: 5,
      photoTokens: 30,
      structureTokens: 64,
      layers: [0, 1, 2, 3],
      structureSide: 4,
      resolution: 16,
      hasCameraHead: true,
      isTest: true,
    });
  });

  it('is read under the names of transformers as under DINOv2’s own', async () => {
    const own = await goldenWeights('model/dinov2_tiny.safetensors');
    const weights = (await open()).weights('dinov2', new ReferenceOps());
    for (const name of own.tensors.keys()) {
      const stored = await weights.stored(name);
      expect(stored.shape, name).toEqual(own.tensors.get(name)?.shape);
      expect(toFloat32(stored), name).toEqual(toFloat32(await own.read(name)));
    }
  });

  it('runs without a camera head where the file has none', async () => {
    await change(VGGT, 'model.safetensors', (tensors) => {
      for (const name of [...tensors.keys()]) if (name.startsWith('camera_head.')) tensors.delete(name);
    });
    expect((await open()).hasCameraHead).toBe(false);
  });

  it('is taken in tests alone', async () => {
    expect((await errorOf(open(false))).code).toBe('WEIGHTS_UNSUPPORTED');
  });
});

describe('weights that are not what the networks need', () => {
  const refused = async (code: string, words: RegExp): Promise<void> => {
    const error = await errorOf(open());
    expect(error.message).toMatch(words);
    expect(error.code).toBe(code);
  };

  it('a file that is gone', async () => {
    await rm(weightPath(folder, DINO, 'model.safetensors'));
    await refused('WEIGHTS_MISSING', /14 of 15 files[\s\S]*plinth weights download reconviagen/);
  });

  it.each([
    ['a block’s bias', TRELLIS, `${FLOW}.safetensors`, 'blocks.1.mlp.mlp.2.bias'],
    ['a norm of heads', VGGT, 'model.safetensors', 'aggregator.global_blocks.3.attn.k_norm.weight'],
    ['a key of DINOv2', DINO, 'model.safetensors', 'encoder.layer.2.attention.attention.key.weight'],
    ['a part of the camera head', VGGT, 'model.safetensors', 'camera_head.trunk.1.ls2.gamma'],
  ])('%s that lacks is named', async (_, repository, path, name) => {
    await change(repository, path, (tensors) => void tensors.delete(name));
    const told = name.includes('attention.key') ? 'blocks.2.attn.qkv.weight' : name;
    await refused('WEIGHTS_INVALID', new RegExp(`lacks 1 of[\\s\\S]*${told.replaceAll('.', '\\.')}`));
  });

  it.each([
    ['a block more', TRELLIS, `${FLOW}.safetensors`, 'blocks.2.mlp.mlp.2.bias'],
    ['an unknown part of a norm', DINO, 'model.safetensors', 'encoder.layer.0.norm3.weight'],
    ['another token', VGGT, 'model.safetensors', 'aggregator.scale_token'],
  ])('%s is refused by name', async (_, repository, path, name) => {
    await change(
      repository,
      path,
      (tensors) => void tensors.set(name, { dtype: 'F32', shape: [1], bytes: new Uint8Array(4) }),
    );
    await refused('WEIGHTS_UNSUPPORTED', new RegExp(`does not know: ${name.replaceAll('.', '\\.')}`));
  });

  it('a tensor of another shape', async () => {
    await change(TRELLIS, 'ckpts/slat_vggt_cond.safetensors', (tensors) => {
      const bias = tensors.get('linear_blocks.2.0.bias')!;
      tensors.set('linear_blocks.2.0.bias', { ...bias, shape: [1, 128] });
    });
    await refused('WEIGHTS_INVALID', /"linear_blocks\.2\.0\.bias" as \[1, 128\][\s\S]*\[128\]/);
  });

  it.each<[string, Record<string, unknown>, RegExp]>([
    ['an argument that nobody knows', { rotary: true }, /argument rotary/],
    ['another way to place tokens', { pe_mode: 'rope' }, /pe_mode = "rope"/],
    ['an argument that lacks', { mlp_ratio: undefined }, /lacks the argument mlp_ratio/],
    ['more blocks than there are', { num_blocks: 3 }, /lacks 20 of the 69 tensors[\s\S]*blocks\.2\./],
  ])('%s', async (_, other, words) => {
    await describeOtherwise(`${FLOW}.json`, ({ args }) => void Object.assign(args, other));
    const error = await errorOf(open());
    expect(error.code).toBe('num_blocks' in other ? 'WEIGHTS_INVALID' : 'WEIGHTS_UNSUPPORTED');
    expect(error.message).toMatch(words);
  });

  it('networks that do not fit together', async () => {
    await describeOtherwise('ckpts/slat_dec_mesh_swin8_B_64l8m256c_fp16.json', ({ args }) => {
      args.resolution = 32;
    });
    await refused('WEIGHTS_UNSUPPORTED', /do not fit together[\s\S]*mesh decoder: 32[\s\S]*16/);
  });

  it('a pipeline that names its files elsewhere, or gives no normalization', async () => {
    const edit = async (change: (args: Record<string, Record<string, unknown>>) => void): Promise<void> =>
      await describeOtherwise('pipeline.json', ({ args }) => change(args as Record<string, Record<string, unknown>>));
    await edit((args) => {
      args.models.slat_flow_model = 'microsoft/TRELLIS/ckpts/x';
    });
    await refused('WEIGHTS_UNSUPPORTED', /microsoft\/TRELLIS/);
    await edit((args) => {
      args.models.slat_flow_model = 'ckpts/slat_flow_img_dit_L_64l8p2_fp16';
      args.slat_normalization.std = [1, 2];
    });
    await refused('WEIGHTS_UNSUPPORTED', /mean and deviation/);
  });
});

describe('the device', () => {
  const gpu = {
    index: 0,
    vendor: 'some',
    architecture: '',
    device: 'Some GPU',
    description: '',
    backend: 'vulkan',
    features: [],
    limits: {},
  };

  it('is refused where it is too small or a CPU, with what is needed and what to type', async () => {
    const small = await errorOf(
      Promise.resolve().then(() => requireDevice({ ...gpu, kind: 'discrete', memory: 6e9 }, false)),
    );
    expect(small.code).toBe('METHOD_DEVICE_TOO_SMALL');
    expect(small.message).toMatch(/Some GPU has 6\.0 GB[\s\S]*6\.6 GB for 1 photo[\s\S]*--adapter/);
    const software = { ...gpu, kind: 'software' as const, memory: 64e9 };
    const cpu = await errorOf(Promise.resolve().then(() => requireDevice(software, false)));
    expect(cpu.message).toMatch(/about \d+ hours[\s\S]*PLINTH_NN_SOFTWARE=1/);
    requireDevice(software, true);
    requireDevice({ ...gpu, kind: 'discrete', memory: 8.0e9 }, false);
    requireDevice({ ...gpu, kind: 'discrete' }, false);
  });
});
