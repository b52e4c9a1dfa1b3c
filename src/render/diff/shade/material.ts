import { PlinthError } from '../../../core/errors.js';
import { type ColorImage, linearToSrgb, srgbToLinear } from '../../../core/image.js';
import type { Batch } from '../../../gpu/runtime/batch.js';
import type { Gpu } from '../../../gpu/runtime/gpu.js';
import { defineKernel, linear } from '../../../gpu/runtime/kernel.js';
import type { DiffMaterial, Gradients, MaterialStepOptions } from '../types.js';

/** Roughness is kept at or above this by default: below, a light of few texels shows its texels. */
export const MINIMUM_ROUGHNESS = 0.08;

const shader = new URL('./material.wgsl', import.meta.url);
const levelFields = { levels0: 'vec4u', levels1: 'vec4u', levels2: 'vec4u', levels3: 'vec4u' } as const;
const uniforms = {
  width: 'u32',
  height: 'u32',
  levels: 'u32',
  first: 'u32',
  flagOffset: 'u32',
  overflowOffset: 'u32',
  scale: 'f32',
  beta1: 'f32',
  beta2: 'f32',
  epsilon: 'f32',
  normalLimit: 'f32',
  minimumRoughness: 'f32',
  rates0: 'vec4f',
  rates1: 'vec4f',
  ...levelFields,
  tiles0: 'vec4u',
  tiles1: 'vec4u',
  tiles2: 'vec4u',
  tiles3: 'vec4u',
} as const;

const markTiles = defineKernel({
  name: 'material tiles',
  shader,
  entryPoint: 'markTiles',
  bindings: { params: 'uniform', texels: 'read_write', scatter: 'read_write' },
  uniforms,
});

const step = defineKernel({
  name: 'material step',
  shader,
  entryPoint: 'step',
  bindings: {
    params: 'uniform',
    texels: 'read_write',
    scatter: 'read_write',
    texelGradients: 'read_write',
    moment1: 'read_write',
    moment2: 'read_write',
  },
  uniforms,
});

const mips = defineKernel({
  name: 'material mips',
  shader,
  entryPoint: 'mips',
  bindings: { params: 'uniform', texels: 'read_write', scatter: 'read_write' },
  uniforms,
});

/**
 * Levels of a pyramid: sizes, first texels, first tiles (8 × 8 texels on level 0, 4 × 4 on level 1 … one from level 3
 * on); counts of all levels.
 */
export interface PyramidLayout {
  levels: { width: number; height: number; texelOffset: number; tileOffset: number }[];
  texelCount: number;
  tileCount: number;
}

export function pyramidLayout(width: number, height: number): PyramidLayout {
  const powerOfTwo = (n: number) => Number.isInteger(n) && n >= 1 && n <= 32768 && (n & (n - 1)) === 0;
  if (!powerOfTwo(width) || !powerOfTwo(height)) {
    throw new RangeError(`texture sizes are powers of two, not ${width} × ${height}`);
  }
  const levels: PyramidLayout['levels'] = [];
  let texelCount = 0;
  let tileCount = 0;
  for (let w = width, h = height; ; w = Math.max(1, w / 2), h = Math.max(1, h / 2)) {
    levels.push({ width: w, height: h, texelOffset: texelCount, tileOffset: tileCount });
    texelCount += w * h;
    const tile = Math.max(1, 8 >> (levels.length - 1));
    tileCount += Math.ceil(w / tile) * Math.ceil(h / tile);
    if (w === 1 && h === 1) return { levels, texelCount, tileCount };
  }
}

/** A list of up to 16 numbers as four uniform fields. */
export function quads<P extends string>(
  prefix: P,
  values: readonly number[],
): Record<`${P}${0 | 1 | 2 | 3}`, number[]> {
  const part = (i: number) => [0, 1, 2, 3].map((k) => values[i * 4 + k] ?? 0);
  return Object.fromEntries([0, 1, 2, 3].map((i) => [`${prefix}${i}`, part(i)])) as Record<
    `${P}${0 | 1 | 2 | 3}`,
    number[]
  >;
}

/** The textures of a material, all of one size, as they are in an `Asset`; a missing one takes its default. */
export interface MaterialImages {
  baseColor: ColorImage;
  occlusionRoughnessMetallic?: ColorImage;
  normal?: ColorImage;
}

/**
 * A material of the given size whose texels are zero; write [width × height × 8] f32 to `texels` (`packMaterial` makes
 * them from images) and record `recordMaterialMips`.
 * @throws RangeError where sizes are no powers of two, `GPU_LIMIT_TOO_LOW` above 1024 × 1024 on devices that bind 128
 * MiB at most
 */
export function createEmptyMaterial(gpu: Gpu, width: number, height: number): DiffMaterial {
  const { levels, texelCount } = pyramidLayout(width, height);
  if (texelCount * 32 > gpu.limits.maxStorageBufferBindingSize) {
    throw new PlinthError('GPU_LIMIT_TOO_LOW', {
      found:
        `A material of ${width} × ${height} texels needs ${texelCount * 32} bytes in one binding; the device ` +
        `allows ${gpu.limits.maxStorageBufferBindingSize}`,
      remedy: 'Use a smaller texture size',
    });
  }
  return {
    width,
    height,
    levels: levels.length,
    texelCount,
    texels: gpu.createBuffer(texelCount * 32, 'material'),
    moment1: gpu.createBuffer(width * height * 32, 'material moment 1'),
    moment2: gpu.createBuffer(width * height * 32, 'material moment 2'),
  };
}

/** Frees the material's buffers. */
export function destroyDiffMaterial(material: DiffMaterial): void {
  for (const buffer of [material.texels, material.moment1, material.moment2]) buffer.destroy();
}

/**
 * Texels of level 0, [width × height × 8] f32 in the order of `DiffMaterial`. Where maps are missing: occlusion 1,
 * roughness 1, metallic 0, flat normal.
 * @throws RangeError where sizes differ
 */
export function packMaterial({ baseColor, occlusionRoughnessMetallic: orm, normal }: MaterialImages): Float32Array {
  const { width, height } = baseColor;
  for (const image of [orm, normal]) {
    if (image && (image.width !== width || image.height !== height)) {
      throw new RangeError(`maps of ${image.width} × ${image.height} and ${width} × ${height}`);
    }
  }
  const out = new Float32Array(width * height * 8);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) out[i * 8 + c] = srgbToLinear(baseColor.data[i * 4 + c] / 255);
    out[i * 8 + 3] = orm ? orm.data[i * 4] / 255 : 1;
    out[i * 8 + 4] = orm ? orm.data[i * 4 + 1] / 255 : 1;
    out[i * 8 + 5] = orm ? orm.data[i * 4 + 2] / 255 : 0;
    if (!normal) continue;
    const z = Math.max(0.05, (normal.data[i * 4 + 2] / 255) * 2 - 1);
    out[i * 8 + 6] = ((normal.data[i * 4] / 255) * 2 - 1) / z;
    out[i * 8 + 7] = ((normal.data[i * 4 + 1] / 255) * 2 - 1) / z;
  }
  return out;
}

/** The reverse of `packMaterial`: 8-bit maps, base colour as sRGB, alpha 255. */
export function unpackMaterial(texels: Float32Array, width: number, height: number): Required<MaterialImages> {
  const image = (): ColorImage => ({ width, height, data: new Uint8ClampedArray(width * height * 4).fill(255) });
  const [baseColor, occlusionRoughnessMetallic, normal] = [image(), image(), image()];
  for (let i = 0; i < width * height; i++) {
    const [x, y] = [texels[i * 8 + 6], texels[i * 8 + 7]];
    const length = Math.hypot(x, y, 1);
    const n = [x / length, y / length, 1 / length];
    for (let c = 0; c < 3; c++) {
      baseColor.data[i * 4 + c] = Math.round(linearToSrgb(Math.min(1, Math.max(0, texels[i * 8 + c]))) * 255);
      occlusionRoughnessMetallic.data[i * 4 + c] = Math.round(texels[i * 8 + 3 + c] * 255);
      normal.data[i * 4 + c] = Math.round(n[c] * 127.5 + 127.5);
    }
  }
  return { baseColor, occlusionRoughnessMetallic, normal };
}

function layoutUniforms(material: DiffMaterial) {
  const { levels } = pyramidLayout(material.width, material.height);
  return {
    width: material.width,
    height: material.height,
    levels: material.levels,
    ...quads(
      'levels',
      levels.map((l) => l.texelOffset),
    ),
    ...quads(
      'tiles',
      levels.map((l) => l.tileOffset),
    ),
  };
}

const IDLE = {
  overflowOffset: 0,
  scale: 1,
  beta1: 0,
  beta2: 0,
  epsilon: 0,
  normalLimit: 0,
  minimumRoughness: 0,
  rates0: [0, 0, 0, 0],
  rates1: [0, 0, 0, 0],
};

/** Records level 0 → all other levels. With `gradients`, only where their flags say that the step changed something. */
export function recordMaterialMips(batch: Batch, material: DiffMaterial, gradients?: Gradients): void {
  const common = { ...layoutUniforms(material), ...IDLE, flagOffset: gradients ? gradients.flagOffset : 0xffffffff };
  for (let first = 0; first + 1 < material.levels; first++) {
    const across = Math.ceil(Math.max(1, material.width >> (first + 1)) / 8);
    const down = Math.ceil(Math.max(1, material.height >> (first + 1)) / 8);
    mips.dispatch(
      batch,
      { texels: material.texels, scatter: gradients?.scatter ?? material.moment1 },
      { ...common, first },
      linear(across * down, 1),
    );
  }
}

/**
 * Records one step of Adam on level 0 from the gradients of all levels, then the mip levels. Only 8 × 8 tiles that the
 * batch's views touched are visited. Gradients of level 0 are cleared on the way; `recordClearGradients` clears the
 * rest.
 */
export function recordMaterialStep(
  batch: Batch,
  material: DiffMaterial,
  gradients: Gradients,
  options: MaterialStepOptions,
): void {
  const { baseColor, occlusion, roughness, metallic, normal } = options;
  const tiles = Math.ceil(material.width / 8) * Math.ceil(material.height / 8);
  markTiles.dispatch(
    batch,
    { texels: material.texels, scatter: gradients.scatter },
    { ...layoutUniforms(material), ...IDLE, first: 0, flagOffset: gradients.flagOffset },
    linear(tiles, 64),
  );
  step.dispatch(
    batch,
    {
      texels: material.texels,
      scatter: gradients.scatter,
      texelGradients: gradients.texels,
      moment1: material.moment1,
      moment2: material.moment2,
    },
    {
      ...layoutUniforms(material),
      first: 0,
      flagOffset: gradients.flagOffset,
      overflowOffset: gradients.overflowOffset,
      scale: gradients.scales.texel,
      beta1: options.beta1 ?? 0.9,
      beta2: options.beta2 ?? 0.99,
      epsilon: options.epsilon ?? 1e-8,
      normalLimit: options.normalLimit ?? 1,
      minimumRoughness: options.minimumRoughness ?? MINIMUM_ROUGHNESS,
      rates0: [baseColor, baseColor, baseColor, occlusion],
      rates1: [roughness, metallic, normal, normal],
    },
    linear(tiles, 1),
  );
  recordMaterialMips(batch, material, gradients);
}
