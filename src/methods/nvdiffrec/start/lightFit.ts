import { type ColorImage, type HdrImage, srgbToLinear } from '../../../core/image.js';
import { solveSymmetric } from '../../../core/linearSolve.js';
import type { Mesh } from '../../../core/mesh.js';
import { pause } from '../../../core/pause.js';
import { atTexel, type TexelMap } from '../../shared/texelMap.js';
import { findPalette, mergeColors, nearestColor, type Palette } from './palette.js';

/** Irradiance and radiance are kept above these shares of their means. */
const LEAST_IRRADIANCE = 0.15;
const LEAST_RADIANCE = 0.1;
/**
 * The brightest albedo, but for a fiftieth of the surface, is given this value: the pictures alone leave light × albedo
 * open.
 */
const BRIGHT_ALBEDO = 0.75;
const BRIGHT_SHARE = 0.98;
const MOST_ALBEDO = 0.98;
/** Convolution of the bands of spherical harmonics with the cosine lobe, over π (Ramamoorthi & Hanrahan 2001). */
const COSINE_BANDS = [1, 2 / 3, 2 / 3, 2 / 3, 1 / 4, 1 / 4, 1 / 4, 1 / 4, 1 / 4];
/** Texels that the fit looks at, at most. */
const SAMPLES = 30_000;
/**
 * Colours that the surface is taken to be made of, by round in which they and the light are found anew. Few first: many
 * follow the shading.
 */
const COLORS = [2, 3, 4, 6];
/**
 * Colours that the result is taken to be made of, at most; the least share of the surface that one may have; and what
 * is one colour, in cube roots.
 */
const MOST_COLORS = 8;
const LEAST_SHARE = 0.004;
const SAME_COLOR = 0.15;
/**
 * Share of the light's colour that is believed: albedo that changes its tint along the surface looks the same. The rest
 * is left to the optimisation.
 */
const TINT_TRUST = 0.7;
const ROWS_PER_TURN = 64;
const LIGHT_HEIGHT = 64;
const MEAN_BASIS = 0.282095;

/** Real spherical harmonics up to the second order. */
export function harmonics(direction: ArrayLike<number>): number[] {
  const { 0: x, 1: y, 2: z } = direction;
  return [
    0.282095,
    0.488603 * y,
    0.488603 * z,
    0.488603 * x,
    1.092548 * x * y,
    1.092548 * y * z,
    0.315392 * (3 * z * z - 1),
    1.092548 * x * z,
    0.546274 * (x * x - y * y),
  ];
}

export interface LightFit {
  /** Its mean over all directions is grey; convention of `Asset.environment`. */
  light: HdrImage;
  /** Linear base colour, three per texel: the texture without the shading; 0 outside of charts. */
  baseColor: Float32Array;
  /** The few colours that the base colour is mostly made of: linear, three numbers each. */
  palette: Float64Array;
}

/**
 * A first division of a texture with baked light into albedo and light. Sought are, for each channel, the irradiance
 * (nine spherical harmonics) that explains best, by least squares over the surface, how brightness depends on the
 * normal: first for a surface of one colour, then in turns with the few colours that the surface shows once this light
 * is taken out, so that patterns which happen to follow the normal are not mistaken for light. What is common to all
 * directions is given to the albedo but for its scale: the mean light is grey.
 * @param occlusion open share of the hemisphere per vertex, 0…1
 */
export async function fitLight(
  map: TexelMap,
  mesh: Mesh,
  texture: ColorImage,
  occlusion: Float32Array,
  signal?: AbortSignal,
): Promise<LightFit> {
  const surface = new SurfaceReader(map, mesh, occlusion);
  let inside = 0;
  for (const t of map.triangle) if (t !== 0) inside++;
  const stride = Math.max(1, Math.ceil(inside / SAMPLES));
  const bases = new Float64Array(Math.ceil(inside / stride) * 9);
  const seen = new Float32Array(Math.ceil(inside / stride) * 3);
  let count = 0;
  let at = 0;
  await eachTexel(map, signal, (i) => {
    if (at++ % stride !== 0) return;
    surface.basisAt(i, bases, count * 9);
    for (let c = 0; c < 3; c++) seen[count * 3 + c] = srgbToLinear(texture.data[i * 4 + c] / 255);
    count++;
  });

  const albedo = new Float32Array(count * 3).fill(1);
  let irradiance = fitIrradiance(bases, seen, albedo, count);
  let palette: Palette = { colors: new Float64Array(0), shares: [] };
  const takeOutShading = () => {
    for (let i = 0; i < count; i++) {
      const shading = shadingAt(irradiance, bases, i * 9);
      for (let c = 0; c < 3; c++) albedo[i * 3 + c] = seen[i * 3 + c] / shading[c];
    }
  };
  for (const colors of COLORS) {
    takeOutShading();
    palette = findPalette(albedo, colors);
    for (let i = 0; i < count; i++) {
      const { index } = nearestColor(palette, albedo, i * 3);
      for (let c = 0; c < 3; c++) albedo[i * 3 + c] = palette.colors[index * 3 + c];
    }
    irradiance = fitIrradiance(bases, seen, albedo, count);
    await pause(signal);
  }

  irradiance = lessTinted(irradiance);
  takeOutShading();
  palette = mergeColors(findPalette(albedo, MOST_COLORS, LEAST_SHARE), SAME_COLOR);
  // Only the mean of the three channels' mean irradiance is kept: the rest is colour of the surface.
  const baseColor = new Float32Array(map.width * map.height * 3);
  const brightness = new Uint32Array(4096);
  const basis = new Float64Array(9);
  await eachTexel(map, signal, (i) => {
    surface.basisAt(i, basis, 0);
    const shading = shadingAt(irradiance, basis, 0);
    let largest = 0;
    for (let c = 0; c < 3; c++) {
      const value = srgbToLinear(texture.data[i * 4 + c] / 255) / shading[c];
      baseColor[i * 3 + c] = value;
      largest = Math.max(largest, value);
    }
    brightness[Math.min(4095, Math.floor(largest * 1024))]++;
  });
  let bin = 0;
  for (let sum = 0; bin < 4095; bin++) {
    sum += brightness[bin];
    if (sum >= BRIGHT_SHARE * inside) break;
  }
  const scale = BRIGHT_ALBEDO / Math.max(1e-3, (bin + 1) / 1024);
  for (let i = 0; i < baseColor.length; i++) baseColor[i] = Math.min(MOST_ALBEDO, baseColor[i] * scale);
  return {
    light: paint(irradiance, 1 / scale),
    baseColor,
    palette: palette.colors.map((v) => Math.min(MOST_ALBEDO, v * scale)),
  };
}

/** Reads normals and openness at texels. */
class SurfaceReader {
  private readonly normal = new Float64Array(3);
  private readonly open = new Float64Array(1);
  private readonly normals: Float32Array;

  constructor(
    private readonly map: TexelMap,
    private readonly mesh: Mesh,
    private readonly occlusion: Float32Array,
  ) {
    if (!mesh.normals) throw new RangeError('a mesh without normals');
    this.normals = mesh.normals;
  }

  /** The harmonics at a texel's normal, times its openness. */
  basisAt(texel: number, out: Float64Array, offset: number): void {
    const { map, mesh, normal, open } = this;
    atTexel(map, mesh, this.normals, 3, texel, normal);
    const length = Math.hypot(normal[0], normal[1], normal[2]) || 1;
    atTexel(map, mesh, this.occlusion, 1, texel, open);
    const share = Math.max(0.1, open[0]);
    const h = harmonics([normal[0] / length, normal[1] / length, normal[2] / length]);
    for (let k = 0; k < 9; k++) out[offset + k] = h[k] * share;
  }
}

/** Coefficients of irradiance / π by channel, [3][9], scaled so that each channel's mean over all directions is 1. */
function fitIrradiance(bases: Float64Array, seen: Float32Array, albedo: Float32Array, count: number): number[][] {
  return [0, 1, 2].map((c) => {
    const matrix = new Float64Array(81);
    const right = new Float64Array(9);
    for (let i = 0; i < count; i++) {
      const a = albedo[i * 3 + c];
      const y = seen[i * 3 + c] * a;
      for (let j = 0; j < 9; j++) {
        const b = bases[i * 9 + j];
        right[j] += b * y;
        for (let k = 0; k <= j; k++) matrix[j * 9 + k] += b * bases[i * 9 + k] * a * a;
      }
    }
    for (let j = 0; j < 9; j++) for (let k = j + 1; k < 9; k++) matrix[j * 9 + k] = matrix[k * 9 + j];
    const ridge = 1e-3 * matrix[0] + 1e-9;
    for (let j = 1; j < 9; j++) matrix[j * 9 + j] += ridge;
    matrix[0] += 1e-9;
    // The ridge makes it positive definite.
    const found = [...solveSymmetric(matrix, right)!];
    const mean = Math.max(1e-4, found[0] * MEAN_BASIS);
    return found.map((v, k) => (k === 0 ? 1 / MEAN_BASIS : v / mean));
  });
}

function lessTinted(irradiance: readonly number[][]): number[][] {
  return irradiance.map((own) =>
    own.map((v, k) => {
      const grey = (irradiance[0][k] + irradiance[1][k] + irradiance[2][k]) / 3;
      return grey + TINT_TRUST * (v - grey);
    }),
  );
}

/** Irradiance / π by channel at a normal whose harmonics, times openness, are given. */
function shadingAt(irradiance: readonly number[][], bases: Float64Array, offset: number): [number, number, number] {
  const out: [number, number, number] = [0, 0, 0];
  const open = bases[offset] / MEAN_BASIS;
  for (let c = 0; c < 3; c++) {
    let sum = 0;
    for (let k = 0; k < 9; k++) sum += bases[offset + k] * irradiance[c][k];
    out[c] = Math.max(LEAST_IRRADIANCE * open, sum);
  }
  return out;
}

/** The radiance whose irradiance / π has the given coefficients by channel. */
function paint(irradiance: readonly number[][], scale: number): HdrImage {
  const height = LIGHT_HEIGHT;
  const width = height * 2;
  const data = new Float32Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const polar = ((y + 0.5) / height) * Math.PI;
    for (let x = 0; x < width; x++) {
      const azimuth = ((x + 0.5) / width - 0.5) * 2 * Math.PI;
      const h = harmonics([Math.sin(azimuth) * Math.sin(polar), Math.cos(polar), -Math.cos(azimuth) * Math.sin(polar)]);
      for (let c = 0; c < 3; c++) {
        const radiance = h.reduce((sum, b, k) => sum + (b * irradiance[c][k]) / COSINE_BANDS[k], 0);
        data[(y * width + x) * 3 + c] = Math.max(LEAST_RADIANCE, radiance) * scale;
      }
    }
  }
  return { width, height, data };
}

async function eachTexel(
  map: TexelMap,
  signal: AbortSignal | undefined,
  visit: (texel: number) => void,
): Promise<void> {
  for (let y = 0; y < map.height; y++) {
    if (y % ROWS_PER_TURN === 0) {
      await pause(signal);
    }
    for (let i = y * map.width; i < (y + 1) * map.width; i++) if (map.triangle[i] !== 0) visit(i);
  }
}
