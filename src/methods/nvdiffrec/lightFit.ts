import { throwIfCancelled } from '../../core/errors.js';
import { type ColorImage, type HdrImage, srgbToLinear } from '../../core/image.js';
import type { Mesh } from '../../core/mesh.js';
import { atTexel, type TexelMap } from './texelMap.js';

/** Share of the shading found that is taken out of the texture: what is left is for the optimisation to decide. */
const TRUST = 0.7;
/** Irradiance and radiance are kept above these shares of their means. */
const LEAST_IRRADIANCE = 0.3;
const LEAST_RADIANCE = 0.15;
/** The brightest albedo, but for a fiftieth of the surface, is given this value: the pictures alone leave light × albedo open. */
const BRIGHT_ALBEDO = 0.75;
const BRIGHT_SHARE = 0.98;
/** Convolution of the bands of spherical harmonics with the cosine lobe, over π (Ramamoorthi & Hanrahan 2001). */
const COSINE_BANDS = [1, 2 / 3, 2 / 3, 2 / 3, 1 / 4, 1 / 4, 1 / 4, 1 / 4, 1 / 4];
const ROWS_PER_TURN = 64;
const LIGHT_HEIGHT = 64;

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
  /** Grey; convention of `Asset.environment`. */
  light: HdrImage;
  /** Linear base colour, three per texel: the texture without the shading; 0 outside of charts. */
  baseColor: Float32Array;
}

/**
 * A first division of a texture with baked light into albedo and light: the grey light whose irradiance explains best, by least squares over
 * the surface, how brightness depends on the normal. Albedo that happens to follow the normal is mistaken for light in part, hence the
 * result is trusted in part.
 * @param occlusion open share of the hemisphere per vertex, 0…1
 */
export async function fitLight(
  map: TexelMap,
  mesh: Mesh,
  texture: ColorImage,
  occlusion: Float32Array,
  signal?: AbortSignal,
): Promise<LightFit> {
  const normals = mesh.normals;
  if (!normals) throw new RangeError('a mesh without normals');
  const matrix = new Float64Array(81);
  const right = new Float64Array(9);
  const normal = new Float64Array(3);
  const open = new Float64Array(1);
  await eachTexel(map, signal, (i) => {
    surfaceAt(i);
    const basis = harmonics(normal).map((h) => h * open[0]);
    const y = luminance(texture.data, i);
    for (let a = 0; a < 9; a++) {
      right[a] += basis[a] * y;
      for (let b = 0; b < 9; b++) matrix[a * 9 + b] += basis[a] * basis[b];
    }
  });
  const ridge = 1e-3 * matrix[0] + 1e-9;
  for (let a = 1; a < 9; a++) matrix[a * 9 + a] += ridge;
  matrix[0] += 1e-9;
  const found = solve(matrix, right, 9).map((c, k) => (k === 0 ? c : c * TRUST));
  const mean = Math.max(1e-4, found[0] * 0.282095);
  const irradianceAt = (n: ArrayLike<number>) =>
    Math.max(
      LEAST_IRRADIANCE * mean,
      harmonics(n).reduce((sum, h, k) => sum + h * found[k], 0),
    );

  const baseColor = new Float32Array(map.width * map.height * 3);
  const brightness = new Uint32Array(4096);
  let count = 0;
  await eachTexel(map, signal, (i) => {
    surfaceAt(i);
    const shading = irradianceAt(normal) * open[0];
    let largest = 0;
    for (let c = 0; c < 3; c++) {
      const value = srgbToLinear(texture.data[i * 4 + c] / 255) / shading;
      baseColor[i * 3 + c] = value;
      largest = Math.max(largest, value);
    }
    brightness[Math.min(4095, Math.floor(largest * mean * 1024))]++;
    count++;
  });
  let bin = 0;
  for (let sum = 0; bin < 4095; bin++) {
    sum += brightness[bin];
    if (sum >= BRIGHT_SHARE * count) break;
  }
  const bright = Math.max(1e-3, (bin + 1) / 1024 / mean);
  const scale = BRIGHT_ALBEDO / bright;
  for (let i = 0; i < baseColor.length; i++) baseColor[i] = Math.min(0.98, baseColor[i] * scale);
  return { light: paint(found, mean, 1 / scale), baseColor };

  function surfaceAt(i: number): void {
    atTexel(map, mesh, normals!, 3, i, normal);
    const length = Math.hypot(normal[0], normal[1], normal[2]) || 1;
    for (let k = 0; k < 3; k++) normal[k] /= length;
    atTexel(map, mesh, occlusion, 1, i, open);
    open[0] = Math.max(0.1, open[0]);
  }
}

/** The radiance whose irradiance / π has the given coefficients. */
function paint(irradiance: readonly number[], mean: number, scale: number): HdrImage {
  const height = LIGHT_HEIGHT;
  const width = height * 2;
  const data = new Float32Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const polar = ((y + 0.5) / height) * Math.PI;
    for (let x = 0; x < width; x++) {
      const azimuth = ((x + 0.5) / width - 0.5) * 2 * Math.PI;
      const d = [Math.sin(azimuth) * Math.sin(polar), Math.cos(polar), -Math.cos(azimuth) * Math.sin(polar)];
      const radiance = harmonics(d).reduce((sum, h, k) => sum + (h * irradiance[k]) / COSINE_BANDS[k], 0);
      data.fill(Math.max(LEAST_RADIANCE * mean, radiance) * scale, (y * width + x) * 3, (y * width + x) * 3 + 3);
    }
  }
  return { width, height, data };
}

function luminance(data: Uint8Array | Uint8ClampedArray, i: number): number {
  const [r, g, b] = [0, 1, 2].map((c) => srgbToLinear(data[i * 4 + c] / 255));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

async function eachTexel(
  map: TexelMap,
  signal: AbortSignal | undefined,
  visit: (texel: number) => void,
): Promise<void> {
  for (let y = 0; y < map.height; y++) {
    if (y % ROWS_PER_TURN === 0) {
      await new Promise((resolve) => setImmediate(resolve));
      throwIfCancelled(signal);
    }
    for (let i = y * map.width; i < (y + 1) * map.width; i++) if (map.triangle[i] !== 0) visit(i);
  }
}

/** Gaussian elimination with partial pivoting; a column without any pivot gets 0. */
function solve(matrix: Float64Array, right: Float64Array, n: number): number[] {
  const rows = Array.from({ length: n }, (_, i) => [...matrix.subarray(i * n, i * n + n), right[i]]);
  for (let c = 0; c < n; c++) {
    let pivot = c;
    for (let r = c + 1; r < n; r++) if (Math.abs(rows[r][c]) > Math.abs(rows[pivot][c])) pivot = r;
    [rows[c], rows[pivot]] = [rows[pivot], rows[c]];
    if (Math.abs(rows[c][c]) < 1e-12) continue;
    for (let r = 0; r < n; r++) {
      if (r === c) continue;
      const factor = rows[r][c] / rows[c][c];
      for (let k = c; k <= n; k++) rows[r][k] -= factor * rows[c][k];
    }
  }
  return rows.map((row, i) => (Math.abs(row[i]) < 1e-12 ? 0 : row[n] / row[i]));
}
