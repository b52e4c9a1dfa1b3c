/**
 * Six views as generative tools deliver them, made from an object with ground truth: pictures and depth maps with known
 * defects.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { VIEW_NAMES, type ViewName } from '../../src/capture/layout/names.js';
import { type Arrangement, rigPose, viewAxes } from '../../src/capture/sixView/rig/rig.js';
import type { Camera } from '../../src/core/camera.js';
import type { ColorImage, FloatImage } from '../../src/core/image.js';
import { Random } from '../../src/core/random.js';
import { draw, type TrueObject } from './trueObject.js';

export interface Variant {
  name: string;
  /** Focal length over picture width. */
  focal: number;
  /** What the names mean; left out: drawn from the seed. */
  arrangement?: Arrangement;
  /** Share of the picture that the object's longest side takes. Default: drawn from 0.6…0.9. */
  fill?: number;
  /** Pixels of a side of the pictures and of the depth maps. Defaults: 1024 and 1024. */
  size?: number;
  depthSize?: number;
  /** `farther` (default) and `nearer`: linear in distance; `disparity`: linear in 1 / distance. */
  encoding?: 'farther' | 'nearer' | 'disparity';
  bits?: 8 | 16;
  /** Views without a depth map. Default: none. `all`: the capture has no depth. */
  withoutDepth?: readonly ViewName[] | 'all';
  /** Whether depth maps are smoothed over their edges, as by resizing. Default: false. */
  smoothDepth?: boolean;
  /** Default: `shadow`, near-white with a soft contact shadow. */
  background?: 'shadow' | 'white' | 'grey' | 'dark' | 'transparent';
  /** Pixels of 1024 between colour and depth. Default: 3. */
  shift?: number;
  /** Dots of noise in every picture and depth map. Default: 12. */
  specks?: number;
  /** Deviation of noise in the picture, of 255. Default: 0.7. */
  noise?: number;
  /** Default: `png`. */
  format?: 'png' | 'jpg' | 'webp';
  quality?: number;
  /** Widths by which each view, its depth map with it, is bent slowly to and fro. Default: 0. */
  bend?: number;
  /** Deviation of each view's gain and of its channels' against each other. Default: 0. */
  tone?: number;
  /** Amplitude of slow waves on each depth map, as a share of the object's diagonal. Default: 0. */
  depthWaves?: number;
}

/** What was done, for checking. */
export interface Truth {
  focal: number;
  distance: number;
  arrangement: Arrangement;
  /** True depth in the frame of the depth map. */
  views: {
    name: ViewName;
    depth: FloatImage /** Share of the object in each pixel of the picture. */;
    cover: FloatImage;
  }[];
}

/** A picture and its depth map as they would be saved. */
export interface DegradedView {
  name: ViewName;
  color: ColorImage;
  /** Values 0…1, 0 = none; undefined where there is no depth map. */
  depth?: FloatImage;
}

/** Writes the capture `folder` and returns the truth about it. */
export async function writeVariant(object: TrueObject, variant: Variant, seed: number, folder: string): Promise<Truth> {
  const { format = 'png' } = variant;
  const { truth, views } = makeVariant(object, variant, seed);
  await mkdir(join(folder, 'multi_views'), { recursive: true });
  if (views.some((v) => v.depth)) await mkdir(join(folder, 'depth_renders'), { recursive: true });
  for (const { name, color, depth } of views) {
    await saveColor(color, join(folder, 'multi_views', name), format, variant);
    if (depth) await saveDepth(depth, variant.bits ?? 8, join(folder, 'depth_renders', `${name}.png`));
  }
  const { focal, distance, arrangement } = truth;
  await writeFile(
    `${folder}.truth.json`,
    `${JSON.stringify({ focal, distance, arrangement, variant }, undefined, 1)}\n`,
  );
  return truth;
}

/** Draws the object and spoils the pictures as the variant says. */
export function makeVariant(
  object: TrueObject,
  variant: Variant,
  seed: number,
): { truth: Truth; views: DegradedView[] } {
  const random = new Random(seed, 11);
  const more = new Random(seed, 12);
  const arrangement = variant.arrangement ?? {
    left: random.float() < 0.5 ? 'viewer' : 'object',
    topTurn: random.integer(4),
    bottomTurn: random.integer(4),
  };
  const { focal, size = 1024, depthSize = 1024, withoutDepth = [], bend = 0, tone = 0 } = variant;
  const distance = distanceFor(object, focal, variant.fill ?? 0.6 + 0.3 * random.float());
  const none = VIEW_NAMES.filter((name) => withoutDepth === 'all' || withoutDepth.includes(name));
  const truths: Truth['views'] = [];
  const views: DegradedView[] = [];
  for (const name of VIEW_NAMES) {
    const pose = rigPose(viewAxes(name, arrangement), distance);
    const at = (width: number, scale = 1, x = 0, y = 0): Camera => ({
      cameraToWorld: pose,
      width,
      height: width,
      fx: focal * scale * width,
      fy: focal * scale * width,
      cx: width / 2 + x * width,
      cy: width / 2 + y * width,
    });
    const shift = (variant.shift ?? 3) / 1024;
    const off = [random.normal() * shift, random.normal() * shift];
    const bends = bender(bend, more);
    const fine = draw(object, at(2 * size, 1 + 0.0025 * random.normal() * Math.sign(shift), off[0], off[1]), true);
    const { color, cover } = halve(bends(fine.color as ColorImage, 4) as ColorImage);
    toned(color, tone, more);
    const finished = finish(color, cover, variant, random);
    const depth = draw(object, at(depthSize), false).depth;
    const encoded = encodeDepth(bends(waved(depth, object, variant, more), 1), variant, random);
    views.push({ name, color: finished, depth: none.includes(name) ? undefined : encoded });
    truths.push({ name, depth, cover });
  }
  return { truth: { focal, distance, arrangement, views: truths }, views };
}

/** Moves what an image shows by slow waves of this amplitude in widths; the same for images of any size. */
function bender(
  amplitude: number,
  random: Random,
): <T extends ColorImage | FloatImage>(image: T, channels: number) => T {
  const [a, b, c, d] = [0, 1, 2, 3].map(() => 2 * Math.PI * random.float());
  return (image, channels) => {
    if (amplitude === 0) return image;
    const { width, height, data } = image;
    const out = data.slice();
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const [u, v] = [(9 * x) / width, (9 * y) / width];
        const dx = amplitude * width * Math.sin(v + a + Math.sin(u + b));
        const dy = amplitude * width * Math.sin(u + c + Math.sin(v + d));
        const p = Math.max(0, Math.min(width - 1, Math.round(x + dx)));
        const q = Math.max(0, Math.min(height - 1, Math.round(y + dy)));
        for (let k = 0; k < channels; k++) out[(y * width + x) * channels + k] = data[(q * width + p) * channels + k];
      }
    return { ...image, data: out };
  };
}

function toned(color: Float32Array, deviation: number, random: Random): void {
  if (deviation === 0) return;
  const all = 1 + deviation * random.normal();
  const gains = [0, 1, 2].map(() => all * (1 + 0.4 * deviation * random.normal()));
  for (let i = 0; i < color.length; i++) color[i] *= gains[i % 3];
}

function waved(depth: FloatImage, { diagonal }: TrueObject, variant: Variant, random: Random): FloatImage {
  const amplitude = (variant.depthWaves ?? 0) * diagonal;
  if (amplitude === 0) return depth;
  const [a, b] = [2 * Math.PI * random.float(), 2 * Math.PI * random.float()];
  const data = depth.data.map((z, i) => {
    const [u, v] = [(11 * (i % depth.width)) / depth.width, (11 * Math.floor(i / depth.width)) / depth.width];
    return z === 0 ? 0 : z + amplitude * Math.sin(u + a + Math.sin(1.3 * v)) * Math.sin(v + b);
  });
  return { ...depth, data };
}

/** The distance from which the object fills this share of the pictures. */
function distanceFor({ positions }: TrueObject, focal: number, fill: number): number {
  const largest = (distance: number): number => {
    let most = 0;
    for (let i = 0; i < positions.length; i += 3)
      for (let k = 0; k < 3; k++) {
        const nearest = distance - Math.abs(positions[i + k]);
        const across = Math.max(Math.abs(positions[i + ((k + 1) % 3)]), Math.abs(positions[i + ((k + 2) % 3)]));
        most = Math.max(most, nearest > 0 ? across / nearest : Number.POSITIVE_INFINITY);
      }
    return 2 * focal * most;
  };
  let [low, high] = [0, 1e4];
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (largest(middle) > fill) low = middle;
    else high = middle;
  }
  return high;
}

/** Averages 2 × 2 pixels of a picture whose alpha is all or nothing. */
function halve(fine: ColorImage): { color: Float32Array; cover: FloatImage } {
  const size = fine.width / 2;
  const color = new Float32Array(size * size * 3);
  const cover = new Float32Array(size * size);
  for (let i = 0; i < fine.width * fine.height; i++) {
    if (fine.data[4 * i + 3] === 0) continue;
    const c = Math.floor(i / fine.width / 2) * size + Math.floor((i % fine.width) / 2);
    cover[c] += 0.25;
    for (let k = 0; k < 3; k++) color[3 * c + k] += fine.data[4 * i + k];
  }
  for (let c = 0; c < cover.length; c++) for (let k = 0; k < 3; k++) color[3 * c + k] /= Math.max(1, 4 * cover[c]);
  return { color, cover: { width: size, height: size, data: cover } };
}

/** Puts the object on its background and adds noise and dust. */
function finish(color: Float32Array, cover: FloatImage, variant: Variant, random: Random): ColorImage {
  const { width, height } = cover;
  const { background = 'shadow', specks = 12, noise = 0.7 } = variant;
  const tint = { shadow: 249, white: 255, grey: 216, dark: 9, transparent: 0 }[background];
  const ground = [0, 1, 2].map(() => Math.min(255, tint + (background === 'white' ? 0 : random.integer(5) - 2)));
  const shade = background === 'shadow' ? contactShadow(cover) : undefined;
  const data = new Uint8ClampedArray(width * height * 4);
  for (let i = 0; i < cover.data.length; i++) {
    const a = cover.data[i];
    const grain = noise * random.normal();
    for (let k = 0; k < 3; k++) {
      const behind = ground[k] * (1 - (shade?.[i] ?? 0));
      const shown = background === 'transparent' ? color[3 * i + k] : a * color[3 * i + k] + (1 - a) * behind;
      data[4 * i + k] = shown + grain;
    }
    data[4 * i + 3] = background === 'transparent' ? 255 * a : 255;
  }
  for (let s = 0; s < specks; s++) {
    const v = random.integer(256);
    dots(width, height, random, (i) => data.set([v, v, v, 255], 4 * i));
  }
  return { width, height, data };
}

/** Darkness of a soft shadow around the object's lower end, 0…1. */
function contactShadow({ width, data }: FloatImage): Float32Array {
  let [left, right, bottom] = [width, 0, 0];
  for (let i = 0; i < data.length; i++) {
    if (data[i] < 0.5) continue;
    left = Math.min(left, i % width);
    right = Math.max(right, i % width);
    bottom = Math.max(bottom, Math.floor(i / width));
  }
  const [cx, rx, ry] = [(left + right) / 2, 0.55 * (right - left), 0.1 * (right - left)];
  return Float32Array.from(data, (_, i) => {
    const d = ((i % width) - cx) ** 2 / rx ** 2 + (Math.floor(i / width) - bottom + 0.3 * ry) ** 2 / ry ** 2;
    return 0.35 * Math.exp(-1.5 * d);
  });
}

/** Calls `set` for the pixels of a dot of one to three pixels across. */
function dots(width: number, height: number, random: Random, set: (i: number) => void): void {
  const r = 1 + random.integer(3);
  const [x, y] = [random.integer(width - r), random.integer(height - r)];
  for (let v = 0; v < r; v++) for (let u = 0; u < r; u++) set((y + v) * width + x + u);
}

/** Values 0…1 with a scale and an offset of their own; 0 = none. */
function encodeDepth(depth: FloatImage, variant: Variant, random: Random): FloatImage {
  const { encoding = 'farther', specks = 12, smoothDepth } = variant;
  const of = (z: number): number => (encoding === 'disparity' ? 1 / z : encoding === 'nearer' ? -z : z);
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const z of depth.data) {
    if (z === 0) continue;
    least = Math.min(least, of(z));
    most = Math.max(most, of(z));
  }
  const low = 0.1 + 0.55 * random.float();
  const high = random.float() < 0.5 ? 1 : 0.85 + 0.15 * random.float();
  const { width, height } = depth;
  let data = depth.data.map((z) => (z === 0 ? 0 : low + ((of(z) - least) / (most - least)) * (high - low)));
  if (smoothDepth) data = smooth(data, width, height);
  for (let s = 0; s < specks; s++) {
    const v = random.float();
    dots(width, height, random, (i) => {
      data[i] = v;
    });
  }
  return { width, height, data };
}

/** Means of 3 × 3, zeros included: what a resized depth map looks like. */
function smooth(data: Float32Array, width: number, height: number): Float32Array<ArrayBuffer> {
  const out = new Float32Array(data.length);
  for (let y = 1; y < height - 1; y++)
    for (let x = 1; x < width - 1; x++) {
      let sum = 0;
      for (let v = -1; v <= 1; v++) for (let u = -1; u <= 1; u++) sum += data[(y + v) * width + x + u];
      out[y * width + x] = sum / 9;
    }
  return out;
}

async function saveColor(
  image: ColorImage,
  path: string,
  format: NonNullable<Variant['format']>,
  variant: Variant,
): Promise<void> {
  const { width, height, data } = image;
  let out = sharp(Buffer.from(data.buffer), { raw: { width, height, channels: 4 } });
  if (variant.background !== 'transparent') out = out.removeAlpha();
  if (format === 'png') out = out.png({ compressionLevel: 3 });
  else if (format === 'jpg') out = out.jpeg({ quality: variant.quality ?? 80 });
  else out = out.webp({ quality: variant.quality ?? 80 });
  await out.toFile(`${path}.${format}`);
}

async function saveDepth({ width, height, data }: FloatImage, bits: 8 | 16, path: string): Promise<void> {
  const values =
    bits === 8
      ? Uint8Array.from(data, (v) => Math.round(255 * v))
      : Uint16Array.from(data, (v) => Math.round(65535 * v));
  await sharp(values, { raw: { width, height, channels: 1 } })
    .toColourspace(bits === 8 ? 'b-w' : 'grey16')
    .png()
    .toFile(path);
}
