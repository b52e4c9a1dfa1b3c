import { type StoredTensor, type TensorFile, toFloat32 } from '../../weights/safetensors.js';

/** Names of DINOv2's own code, with those of Hugging Face's `Dinov2WithRegistersModel`. */
const OUTER: Readonly<Record<string, string>> = {
  cls_token: 'embeddings.cls_token',
  mask_token: 'embeddings.mask_token',
  register_tokens: 'embeddings.register_tokens',
  pos_embed: 'embeddings.position_embeddings',
  'patch_embed.proj.weight': 'embeddings.patch_embeddings.projection.weight',
  'patch_embed.proj.bias': 'embeddings.patch_embeddings.projection.bias',
  'norm.weight': 'layernorm.weight',
  'norm.bias': 'layernorm.bias',
};

/** Within a block. */
const INNER: Readonly<Record<string, string>> = {
  'ls1.gamma': 'layer_scale1.lambda1',
  'ls2.gamma': 'layer_scale2.lambda1',
  ...Object.fromEntries(
    ['weight', 'bias'].flatMap((end) => [
      [`attn.proj.${end}`, `attention.output.dense.${end}`],
      ...['norm1', 'norm2', 'mlp.fc1', 'mlp.fc2'].map((name) => [`${name}.${end}`, `${name}.${end}`]),
    ]),
  ),
};

const LAYER = /^encoder\.layer\.(\d+)\.(.+)$/;
const QUERY = /^attention\.attention\.query\.(weight|bias)$/;

/** Where a tensor of DINOv2's own names comes from: one tensor, or three whose rows follow each other. */
type Origin = readonly string[];

/**
 * A DINOv2 that Hugging Face's transformers saved, under the names of DINOv2's own code, which `loadVit` reads: queries,
 * keys and values become one matrix. A file that has those names already is given back as it is; tensors of other names
 * keep them, so that who looks for what does not belong there finds it.
 */
export function withOwnNames(file: TensorFile): TensorFile {
  if (file.tensors.has('patch_embed.proj.weight')) return file;
  const origins = originsOf(file);
  const tensors = new Map(
    [...origins].map(([name, parts]) => {
      const { dtype, shape } = file.tensors.get(parts[0])!;
      return [name, { dtype, shape: parts.length === 1 ? shape : [shape[0] * parts.length, ...shape.slice(1)] }];
    }),
  );
  return {
    name: file.name,
    tensors,
    async read(name) {
      const parts = origins.get(name);
      if (!parts) return await file.read(name);
      if (parts.length === 1) return { ...(await file.read(parts[0])), name };
      const read: StoredTensor[] = [];
      for (const part of parts) read.push(await file.read(part));
      return joined(name, read);
    },
  };
}

function originsOf({ tensors }: TensorFile): Map<string, Origin> {
  const outer = new Map(Object.entries(OUTER).map(([own, other]) => [other, own]));
  const inner = new Map(Object.entries(INNER).map(([own, other]) => [other, own]));
  const origins = new Map<string, Origin>();
  const used = new Set<string>();
  for (const name of tensors.keys()) {
    const [, layer, rest] = LAYER.exec(name) ?? [];
    const own = layer === undefined ? outer.get(name) : inner.get(rest) && `blocks.${layer}.${inner.get(rest)}`;
    const [, end] = QUERY.exec(rest ?? '') ?? [];
    const parts = end ? ['query', 'key', 'value'].map((part) => name.replace('.query.', `.${part}.`)) : [name];
    if (!parts.every((part) => tensors.has(part))) continue;
    if (end) origins.set(`blocks.${layer}.attn.qkv.${end}`, parts);
    else if (own) origins.set(own, parts);
    else continue;
    for (const part of parts) used.add(part);
  }
  for (const name of tensors.keys()) if (!used.has(name)) origins.set(name, [name]);
  return origins;
}

/** Rows of all; as f32 where they are of different kinds. */
function joined(name: string, parts: readonly StoredTensor[]): StoredTensor {
  const [{ dtype, shape }] = parts;
  const rows = parts.reduce((sum, part) => sum + part.shape[0], 0);
  const whole = { name, shape: [rows, ...shape.slice(1)] };
  if (parts.every((part) => part.dtype === dtype)) {
    return { ...whole, dtype, bytes: concat(parts.map((part) => part.bytes)) };
  }
  const numbers = parts.map((part) => {
    const { buffer, byteOffset, byteLength } = toFloat32(part);
    return new Uint8Array(buffer, byteOffset, byteLength);
  });
  return { ...whole, dtype: 'F32', bytes: concat(numbers) };
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const result = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}
