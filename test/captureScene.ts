import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { afterAll } from 'vitest';
import { type Lens, undistortPoint, validRadius } from '../src/capture/cameras/lens.js';
import { PlinthError } from '../src/core/errors.js';
import type { ColorImage, FloatImage } from '../src/core/image.js';
import { lookAt, type Mat4, type Vec3 } from '../src/core/math.js';

/** An ellipsoid with a chequered skin, whose silhouette, depth and box are known exactly. World: +Y up. */
export const ELLIPSOID = { centre: [0.1, 0.25, -0.05] as Vec3, axes: [0.6, 0.35, 0.45] as Vec3 };
export const ELLIPSOID_BOX = {
  min: ELLIPSOID.centre.map((c, i) => c - ELLIPSOID.axes[i]) as Vec3,
  max: ELLIPSOID.centre.map((c, i) => c + ELLIPSOID.axes[i]) as Vec3,
};

export const pinhole = (width: number, height: number, focal: number): Lens => ({
  model: 'brown',
  k: [],
  width,
  height,
  fx: focal,
  fy: focal,
  cx: width / 2,
  cy: height / 2,
});

/** Poses on two rings around the ellipsoid. */
export function ringPoses(count: number, distance = 2.6): Mat4[] {
  return Array.from({ length: count }, (_, i) => {
    const azimuth = (2 * Math.PI * i) / count + 0.3;
    const height = i % 2 === 0 ? 0.35 : -0.25;
    const eye: Vec3 = [
      distance * Math.cos(azimuth) * Math.cos(height),
      distance * Math.sin(height),
      distance * Math.sin(azimuth) * Math.cos(height),
    ];
    return lookAt(eye, [0, 0.1, 0]);
  });
}

/** Casts one ray per pixel through the (distorted) lens. */
export function renderEllipsoid(lens: Lens, pose: Mat4): { color: ColorImage; depth: FloatImage } {
  const { width, height } = lens;
  const color = new Uint8ClampedArray(width * height * 4);
  const depth = new Float32Array(width * height);
  const { centre, axes } = ELLIPSOID;
  const limit = validRadius(lens);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const straight = undistortPoint(lens, (x + 0.5 - lens.cx) / lens.fx, (y + 0.5 - lens.cy) / lens.fy, limit);
      if (!straight) continue;
      const ray: Vec3 = [straight[0], -straight[1], -1];
      const o = [0, 1, 2].map((i) => (pose[12 + i] - centre[i]) / axes[i]);
      const d = [0, 1, 2].map((i) => (pose[i] * ray[0] + pose[4 + i] * ray[1] + pose[8 + i] * ray[2]) / axes[i]);
      const a = d[0] * d[0] + d[1] * d[1] + d[2] * d[2];
      const b = o[0] * d[0] + o[1] * d[1] + o[2] * d[2];
      const discriminant = b * b - a * (o[0] * o[0] + o[1] * o[1] + o[2] * o[2] - 1);
      if (discriminant < 0) continue;
      const t = (-b - Math.sqrt(discriminant)) / a;
      const hit = [0, 1, 2].map((i) => o[i] + t * d[i]);
      const p = y * width + x;
      depth[p] = t;
      const check = (Math.floor(hit[0] * 4) + Math.floor(hit[1] * 4) + Math.floor(hit[2] * 4)) & 1;
      color.set(check ? [200, 80, 40, 255] : [40, 120, 190, 255], p * 4);
    }
  return { color: { width, height, data: color }, depth: { width, height, data: depth } };
}

const ENCODING = {
  png: {},
  jpeg: {},
  webp: { lossless: true, exact: true },
  avif: { lossless: true },
  tiff: { compression: 'lzw' },
};

export const encode = (image: ColorImage, format: 'png' | 'jpeg' | 'webp' | 'avif' | 'tiff' = 'png'): Promise<Buffer> =>
  sharp(image.data, { raw: { width: image.width, height: image.height, channels: 4 } })
    .toFormat(format, ENCODING[format])
    .toBuffer();

/** A 16-bit grey PNG of a depth map. */
export const encodeDepth = (depth: FloatImage, scale: number): Promise<Buffer> =>
  sharp(
    Uint16Array.from(depth.data, (v) => Math.round(v / scale)),
    { raw: { width: depth.width, height: depth.height, channels: 1 } },
  )
    .toColourspace('grey16')
    .png()
    .toBuffer();

/** World (+Y up) to the +Z up frame of transforms files, as rows. */
export function zUpRows(pose: Mat4): number[][] {
  const row = (r: number): number[] => [0, 1, 2, 3].map((c) => pose[c * 4 + r]);
  return [row(0), row(2).map((v) => -v), row(1), [0, 0, 0, 1]];
}

export interface TransformsOptions {
  count?: number;
  lens?: Lens;
  depthScale?: number;
  /** Changes the metadata before they are written. */
  change?(transforms: TransformsFixture): void;
  folder?: string;
  file?: string;
}

export interface FrameFixture extends Record<string, unknown> {
  file_path: string;
  transform_matrix: number[][];
}

export interface TransformsFixture extends Record<string, unknown> {
  frames: FrameFixture[];
}

/** Writes a capture of the ellipsoid with a transforms file. */
export async function writeTransforms(root: string, options: TransformsOptions = {}): Promise<void> {
  const { count = 6, lens = pinhole(96, 72, 90), depthScale, folder = 'images', file = 'transforms.json' } = options;
  const frames: FrameFixture[] = [];
  for (const [i, pose] of ringPoses(count).entries()) {
    const { color, depth } = renderEllipsoid(lens, pose);
    const frame: FrameFixture = { file_path: `${folder}/r_${i}.png`, transform_matrix: zUpRows(pose) };
    await put(root, frame.file_path, await encode(color));
    if (depthScale) {
      frame.depth_file_path = `depth/r_${i}.png`;
      await put(root, `depth/r_${i}.png`, await encodeDepth(depth, depthScale));
    }
    frames.push(frame);
  }
  const { width, height, fx, fy, cx, cy } = lens;
  const transforms: TransformsFixture = { w: width, h: height, fl_x: fx, fl_y: fy, cx, cy, frames };
  if (depthScale) transforms.depth_unit_scale_factor = depthScale;
  options.change?.(transforms);
  await put(root, file, JSON.stringify(transforms));
}

/** Writes a file below a folder, making the folders between. */
export async function put(root: string, name: string, data: string | Uint8Array): Promise<string> {
  const path = join(root, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, data);
  return path;
}

/** Temporary folders, removed after the tests of the file. */
export function useFolders(): () => Promise<string> {
  const folders: string[] = [];
  afterAll(async () => {
    for (const folder of folders) await rm(folder, { recursive: true, force: true });
  });
  return async () => {
    const folder = await mkdtemp(join(tmpdir(), 'plinth-test-'));
    folders.push(folder);
    return folder;
  };
}

/** The coded error that a promise rejects with; fails where it resolves or rejects with anything else. */
export async function errorOf(work: Promise<unknown>): Promise<PlinthError> {
  const result = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (result instanceof PlinthError) return result;
  throw new Error(`expected a coded error, got ${result instanceof Error ? result.stack : 'success'}`);
}
