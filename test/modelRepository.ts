/**
 * The miniature of test/goldens as a folder of weights: files where the manifest has them, under the published names,
 * DINOv2 as Hugging Face's transformers save it. Its results mean nothing.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { writeNotes } from '../src/weights/folder.js';
import { RECONVIAGEN_WEIGHTS } from '../src/weights/reconviagen.js';
import { bytesSource, Safetensors, type StoredTensor } from '../src/weights/safetensors.js';

const GOLDENS = new URL('./goldens/reconviagen/model/', import.meta.url);

/** Published stems of the networks, by those of the miniature. */
const STEMS: Readonly<Record<string, string>> = {
  ss_flow_tiny: 'ss_flow_img_dit_L_16l8_fp16',
  ss_dec_tiny: 'ss_dec_conv3d_16l8_fp16',
  slat_flow_tiny: 'slat_flow_img_dit_L_64l8p2_fp16',
  slat_dec_mesh_tiny: 'slat_dec_mesh_swin8_B_64l8m256c_fp16',
  slat_dec_gs_tiny: 'slat_dec_gs_swin8_B_64l8gs32_fp16',
  ss_vggt_cond: 'ss_vggt_cond',
  slat_vggt_cond: 'slat_vggt_cond',
};

export const TRELLIS = 'Stable-X/trellis-vggt-v0-2';
export const VGGT = 'Stable-X/vggt-object-v0-1';
export const DINO = 'facebook/dinov2-with-registers-large';

/** Tensors of a file, to be changed and written again. */
export type Tensors = Map<string, Pick<StoredTensor, 'dtype' | 'shape' | 'bytes'>>;

/** Reads all tensors of a safetensors file. */
export async function readTensors(file: string | URL): Promise<Tensors> {
  const weights = await Safetensors.open(bytesSource(String(file), new Uint8Array(await readFile(file))));
  const result: Tensors = new Map();
  for (const name of weights.tensors.keys()) result.set(name, await weights.read(name));
  return result;
}

/** A safetensors file of these tensors. */
export function tensorsFile(tensors: Tensors): Buffer {
  const header: Record<string, unknown> = {};
  let at = 0;
  for (const [name, { dtype, shape, bytes }] of tensors) {
    header[name] = { dtype, shape, data_offsets: [at, at + bytes.length] };
    at += bytes.length;
  }
  const text = Buffer.from(JSON.stringify(header));
  const head = Buffer.alloc(8);
  head.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([head, text, ...[...tensors.values()].map(({ bytes }) => bytes)]);
}

/** DINOv2's tensors under the names that transformers give them; queries, keys and values apart. */
export function huggingFaceTensors(own: Tensors): Tensors {
  const result: Tensors = new Map();
  for (const [name, tensor] of own) {
    const [, layer, rest] = /^blocks\.(\d+)\.(.*)$/.exec(name) ?? [];
    const [, end] = /^attn\.qkv\.(.*)$/.exec(rest ?? '') ?? [];
    if (end) {
      const { dtype, shape, bytes } = tensor;
      ['query', 'key', 'value'].forEach((part, i) => {
        result.set(`encoder.layer.${layer}.attention.attention.${part}.${end}`, {
          dtype,
          shape: [shape[0] / 3, ...shape.slice(1)],
          bytes: bytes.subarray((i * bytes.length) / 3, ((i + 1) * bytes.length) / 3),
        });
      });
    } else if (layer !== undefined) {
      const inner = rest
        .replace('attn.proj', 'attention.output.dense')
        .replace(/^ls(\d)\.gamma$/, 'layer_scale$1.lambda1');
      result.set(`encoder.layer.${layer}.${inner}`, tensor);
    } else {
      const outer = name
        .replace('patch_embed.proj', 'embeddings.patch_embeddings.projection')
        .replace('pos_embed', 'embeddings.position_embeddings')
        .replace(/^norm\./, 'layernorm.')
        .replace(/^(cls_token|mask_token|register_tokens)$/, 'embeddings.$1');
      result.set(outer, tensor);
    }
  }
  return result;
}

/** Where a file of the folder lies. */
export const weightPath = (folder: string, repository: string, path: string): string =>
  join(folder, ...repository.split('/'), ...path.split('/'));

/** Writes the folder, its licences accepted. @param options.cameraHead without it, VGGT has no camera head */
export async function writeModelRepository(folder: string, options: { cameraHead?: boolean } = {}): Promise<void> {
  const put = async (repository: string, path: string, bytes: Buffer | string): Promise<void> => {
    const file = weightPath(folder, repository, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, bytes);
  };
  const golden = (path: string): Promise<Buffer> => readFile(new URL(path, GOLDENS));
  for (const [stem, published] of Object.entries(STEMS)) {
    for (const end of ['json', 'safetensors']) {
      await put(TRELLIS, `ckpts/${published}.${end}`, await golden(`ckpts/${stem}.${end}`));
    }
  }
  const pipeline = (await golden('pipeline.json')).toString();
  const renamed = pipeline.replaceAll(/ckpts\/(\w+)/g, (_, stem: string) => `ckpts/${STEMS[stem]}`);
  await put(TRELLIS, 'pipeline.json', renamed);
  const vggt = await readTensors(new URL('vggt/model.safetensors', GOLDENS));
  if (options.cameraHead ?? true) {
    const head = await readTensors(new URL('vggt/camera_head.safetensors', GOLDENS));
    for (const [name, tensor] of head) vggt.set(name, tensor);
  }
  // The published file has more heads, which nothing here reads.
  vggt.set('depth_head.norm.weight', { dtype: 'F32', shape: [4], bytes: new Uint8Array(16) });
  await put(VGGT, 'model.safetensors', tensorsFile(vggt));
  const dino = await readTensors(new URL('dinov2_tiny.safetensors', GOLDENS));
  await put(DINO, 'model.safetensors', tensorsFile(huggingFaceTensors(dino)));
  const accepted = RECONVIAGEN_WEIGHTS.repositories.map(({ name, licence }) => [name, licence.terms]);
  await writeNotes(folder, { accepted: Object.fromEntries(accepted) as Record<string, string>, files: {} });
}
