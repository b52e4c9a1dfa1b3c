import type { Material as GltfMaterial, Texture } from '@gltf-transform/core';
import sharp from 'sharp';
import type { Material } from '../../core/asset.js';
import type { PlinthError } from '../../core/errors.js';
import { type ColorImage, linearToSrgb, srgbToLinear } from '../../core/image.js';

/** Where a material's unit square lies in the merged textures, in 0…1: u' = u + width · u. */
export interface AtlasTile {
  u: number;
  v: number;
  width: number;
  height: number;
}

/** Largest side of a merged texture, texels. */
const LARGEST = 8192;

/**
 * Turns glTF materials into one of Plinth's: factors are multiplied into textures, occlusion, roughness and metallic
 * are gathered in one image, and several materials become tiles of a square grid. Alpha and emission are left out.
 * Unlit only if all are.
 */
export async function mergeMaterials(
  materials: readonly (GltfMaterial | undefined)[],
  fail: (found: string, remedy?: string, cause?: unknown) => PlinthError,
): Promise<{ material: Material; tiles: AtlasTile[] }> {
  const read = await Promise.all(materials.map((m) => readMaterial(m, fail)));
  const kind = read.every((m) => m.kind === 'baked') ? 'baked' : 'pbr';
  if (read.length === 1) return { material: { ...read[0], kind }, tiles: [{ u: 0, v: 0, width: 1, height: 1 }] };

  const columns = Math.ceil(Math.sqrt(read.length));
  const side = (pick: (m: Material) => ColorImage | undefined) =>
    Math.min(
      Math.floor(LARGEST / columns),
      read.reduce((max, m) => Math.max(max, pick(m)?.width ?? 0, pick(m)?.height ?? 0), 1),
    );
  // One size for all kinds of texture, so that one set of coordinates serves them.
  const tile = Math.max(
    8,
    side((m) => m.baseColor),
    side((m) => m.occlusionRoughnessMetallic),
    side((m) => m.normal),
  );
  const assemble = async (pick: (m: Material) => ColorImage | undefined, absent: readonly number[]) => {
    const width = tile * columns;
    const height = tile * Math.ceil(read.length / columns);
    const out: ColorImage = { width, height, data: new Uint8ClampedArray(width * height * 4).fill(255) };
    for (let i = 0; i < read.length; i++) {
      const image = await resize(pick(read[i]) ?? flat(absent), tile, tile);
      const x = (i % columns) * tile;
      const y = Math.floor(i / columns) * tile;
      for (let row = 0; row < tile; row++)
        out.data.set(image.data.subarray(row * tile * 4, (row + 1) * tile * 4), ((y + row) * width + x) * 4);
    }
    return out;
  };
  const rows = Math.ceil(read.length / columns);
  // Half a texel is kept from the tile's border, so that filtering does not reach into the neighbour.
  const inset = 0.5 / tile;
  const tiles = read.map((_, i) => ({
    u: ((i % columns) + inset) / columns,
    v: (Math.floor(i / columns) + inset) / rows,
    width: (1 - 2 * inset) / columns,
    height: (1 - 2 * inset) / rows,
  }));
  const material: Material = { kind, baseColor: await assemble((m) => m.baseColor, [255, 255, 255]) };
  if (kind === 'pbr') {
    material.occlusionRoughnessMetallic = await assemble((m) => m.occlusionRoughnessMetallic, [255, 255, 0]);
    if (read.some((m) => m.normal)) material.normal = await assemble((m) => m.normal, [128, 128, 255]);
  }
  return { material, tiles };
}

async function readMaterial(
  m: GltfMaterial | undefined,
  fail: (found: string, remedy?: string, cause?: unknown) => PlinthError,
): Promise<Material> {
  // glTF's default material: white, fully metallic, fully rough. Shown as a dielectric, it looks like what its author
  // saw elsewhere.
  if (!m) return { kind: 'pbr', baseColor: flat([255, 255, 255]), occlusionRoughnessMetallic: flat([255, 255, 0]) };
  const decode = async (texture: Texture | null): Promise<ColorImage | undefined> => {
    const bytes = texture?.getImage();
    if (!texture || !bytes) return undefined;
    try {
      const { data, info } = await sharp(bytes)
        .ensureAlpha()
        .toColourspace('srgb')
        .raw()
        .toBuffer({ resolveWithObject: true });
      return { width: info.width, height: info.height, data: new Uint8ClampedArray(data) };
    } catch (error) {
      throw fail(
        `the texture "${texture.getName()}" (${texture.getMimeType()}) cannot be decoded`,
        'Expected PNG, JPEG or WebP textures',
        error,
      );
    }
  };
  const factor = m.getBaseColorFactor();
  const base = (await decode(m.getBaseColorTexture())) ?? flat([255, 255, 255]);
  for (let k = 0; k < 3; k++) {
    if (factor[k] === 1) continue;
    const table = Uint8Array.from({ length: 256 }, (_, v) =>
      Math.round(linearToSrgb(srgbToLinear(v / 255) * factor[k]) * 255),
    );
    for (let i = k; i < base.data.length; i += 4) base.data[i] = table[base.data[i]];
  }
  for (let i = 3; i < base.data.length; i += 4) base.data[i] = 255;
  if (m.getExtension('KHR_materials_unlit')) return { kind: 'baked', baseColor: base };

  const out: Material = { kind: 'pbr', baseColor: base };
  const shared = m.getOcclusionTexture() === m.getMetallicRoughnessTexture();
  let rough = await decode(m.getMetallicRoughnessTexture());
  let occlusion = shared ? rough : await decode(m.getOcclusionTexture());
  const width = Math.max(rough?.width ?? 1, occlusion?.width ?? 1);
  const height = Math.max(rough?.height ?? 1, occlusion?.height ?? 1);
  if (rough) rough = await resize(rough, width, height);
  if (occlusion) occlusion = shared ? rough : await resize(occlusion, width, height);
  const orm: ColorImage = { width, height, data: new Uint8ClampedArray(width * height * 4) };
  for (let i = 0; i < orm.data.length; i += 4) {
    orm.data[i] = occlusion ? 255 + m.getOcclusionStrength() * (occlusion.data[i] - 255) : 255;
    orm.data[i + 1] = (rough ? rough.data[i + 1] : 255) * m.getRoughnessFactor();
    orm.data[i + 2] = (rough ? rough.data[i + 2] : 255) * m.getMetallicFactor();
    orm.data[i + 3] = 255;
  }
  out.occlusionRoughnessMetallic = orm;
  const normal = await decode(m.getNormalTexture());
  if (normal) {
    const strength = m.getNormalScale();
    if (strength !== 1)
      for (let i = 0; i < normal.data.length; i += 4) {
        const v = [0, 1, 2].map((k) => (normal.data[i + k] / 255) * 2 - 1);
        const scaled = [v[0] * strength, v[1] * strength, v[2]];
        const length = Math.hypot(...scaled) || 1;
        for (let k = 0; k < 3; k++) normal.data[i + k] = ((scaled[k] / length) * 0.5 + 0.5) * 255;
      }
    for (let i = 3; i < normal.data.length; i += 4) normal.data[i] = 255;
    out.normal = normal;
  }
  return out;
}

function flat(rgb: readonly number[]): ColorImage {
  return { width: 1, height: 1, data: new Uint8ClampedArray([rgb[0], rgb[1], rgb[2], 255]) };
}

async function resize(image: ColorImage, width: number, height: number): Promise<ColorImage> {
  if (image.width === width && image.height === height) return image;
  const { data, width: w, height: h } = image;
  const out = await sharp(Buffer.from(data.buffer, data.byteOffset, data.byteLength), {
    raw: { width: w, height: h, channels: 4 },
  })
    .resize(width, height, { fit: 'fill', kernel: 'cubic' })
    .raw()
    .toBuffer();
  return { width, height, data: new Uint8ClampedArray(out) };
}
