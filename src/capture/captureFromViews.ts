import { resolve } from 'node:path';
import type { Camera } from '../core/camera.js';
import { PlinthError } from '../core/errors.js';
import type { ColorImage, FloatImage } from '../core/image.js';
import { identity, multiply } from '../core/math.js';
import { checkIntrinsics, checkRigid } from './cameras/checkCamera.js';
import { stateLens } from './cameras/statedLens.js';
import type { Capture } from './capture.js';
import { mapLimited } from './concurrency.js';
import { finishCapture } from './finish.js';
import type { ReadSources } from './formats/sources.js';
import { Z_UP_TO_Y_UP } from './formats/transforms.js';
import type { MaskImage } from './images/color.js';
import { type ImageHeader, readImageHeader } from './images/header.js';
import { type ReadOptions, type ResolvedReadOptions, resolveReadOptions } from './options.js';
import { type ViewSource, viewNames } from './viewSource.js';

/** A view that the caller made: pixels or files, with a camera. */
export interface ObjectView {
  /** Default: the file's name, else `view_0`, `view_1`, … */
  name?: string;
  /** sRGB pixels with straight alpha, or the path of a picture file. */
  color: ColorImage | string;
  /** Pinhole camera of the picture; see `Camera`. */
  camera: Camera;
  /** 0 (background) … 255 (object), of the picture's shape; lowers the picture's own alpha. */
  mask?: MaskImage;
  depth?: {
    /** Distance along the viewing axis in scene units, 0 = none. */
    image: FloatImage;
    /** Default: the picture's camera at the depth map's size. */
    camera?: Camera;
    /** Expected absolute error in scene units. Default: 10⁻⁴ of the mean distance. */
    accuracy?: number;
  };
  /** Default: `train`. */
  split?: 'train' | 'test';
}

/** How pictures in memory are understood as a capture. */
export interface ObjectCaptureOptions extends ReadOptions {
  /** Default: `views`. */
  name?: string;
  /** Which way is up in the cameras' frame; Plinth's world is +Y up. Default: `y`. */
  up?: 'y' | 'z';
}

/**
 * Makes a capture of views that a program holds. The same checks, mask choice and bounds as for files.
 * Throws the errors of `readCapture`; `OPTION_INVALID` for pixel arrays of a wrong length.
 */
export async function captureFromViews(
  views: readonly ObjectView[],
  options: ObjectCaptureOptions = {},
): Promise<Capture> {
  const resolved = resolveReadOptions(options);
  const inputToWorld = options.up === 'z' ? Z_UP_TO_Y_UP : identity();
  const names = viewNames(views.map(({ name, color }, i) => name ?? (typeof color === 'string' ? color : `view_${i}`)));
  const sources = await mapLimited(views, 8, (view, i) => sourceOf(view, names[i], resolved), resolved.signal);
  for (const source of sources) {
    source.cameraToWorld = multiply(inputToWorld, source.cameraToWorld);
    const { depth } = source;
    if (depth?.camera) {
      depth.camera = { ...depth.camera, cameraToWorld: multiply(inputToWorld, depth.camera.cameraToWorld) };
    }
  }
  const name = options.name ?? 'views';
  const read: ReadSources = { format: 'object', sources, inputToWorld, warnings: [] };
  return { ...(await finishCapture(read, name, resolved)), name, source: name, dispose: async () => {} };
}

async function sourceOf(view: ObjectView, name: string, options: ResolvedReadOptions): Promise<ViewSource> {
  const { color, camera, mask, depth, split = 'train' } = view;
  const file = typeof color === 'string' ? resolve(color) : name;
  const header: ImageHeader =
    typeof color === 'string'
      ? await readImageHeader(file, options.maxPixels)
      : {
          format: 'raw',
          width: color.width,
          height: color.height,
          channels: 4,
          bits: 8,
          hasAlpha: true,
          orientation: 1,
        };
  if (typeof color !== 'string') checkLength(`color of ${name}`, color, 4);
  if (mask) checkLength(`mask of ${name}`, mask, 1);
  if (depth) checkLength(`depth of ${name}`, depth.image, 1);
  if (depth?.camera) checkIntrinsics(depth.camera, `the depth of ${name}`);
  const { width, height, fx, fy, cx, cy } = camera;
  const { lens, orient } = stateLens({ width, height, fx, fy, cx, cy }, header, file, true);
  return {
    name,
    image: file,
    orient,
    lens,
    cameraToWorld: checkRigid(camera.cameraToWorld, name),
    split,
    mask: mask && name,
    depth: depth && {
      file: `the depth of ${name}`,
      accuracy: depth.accuracy,
      camera: depth.camera && { ...depth.camera, cameraToWorld: checkRigid(depth.camera.cameraToWorld, name) },
    },
    memory: { color: typeof color === 'string' ? undefined : color, mask, depth: depth?.image },
  };
}

function checkLength(
  what: string,
  image: { width: number; height: number; data: ArrayLike<number> },
  channels: number,
): void {
  const expected = image.width * image.height * channels;
  if (image.data.length === expected && expected > 0) return;
  throw new PlinthError('OPTION_INVALID', {
    found: `The ${what} has ${image.data.length} numbers for ${image.width} × ${image.height} pixels`,
    expected: `${channels} per pixel`,
    subject: what,
  });
}
