import type { View } from '../../../capture/capture.js';
import { areaDownscale } from '../../../capture/images/resample.js';
import { type Camera, cameraPosition, resizeCamera } from '../../../core/camera.js';
import { throwIfCancelled } from '../../../core/errors.js';
import type { ColorImage, FloatImage } from '../../../core/image.js';
import { length, sub, type Vec3 } from '../../../core/math.js';

/** How often pictures may be halved where memory is short. */
export const HALVINGS = 2;
/** Windows are multiples of this, so that the smallest pictures are whole: quarter size, halved `HALVINGS` times. */
export const WINDOW_MULTIPLE = 4 * 2 ** HALVINGS;

/** Space around the object in its window: share of the window's longer side, and pixels. */
const MARGIN_SHARE = 0.03;
const MARGIN_PIXELS = 4;

/** The part of a picture that shows the object, with a camera of its own. All windows of a set have one size. */
export interface Window {
  name: string;
  /** Camera of the window's pixels. */
  camera: Camera;
  /** sRGB, straight alpha, `width` × `height` of the set. */
  image: ColorImage;
  /** Pixels of the window over those of the whole picture. */
  share: number;
  /** Depth seen from the same place, with the intrinsics of its own map. */
  depth?: WindowDepth;
}

export interface WindowDepth {
  camera: Camera;
  /** Distance along the viewing axis in scene units, 0 = none. */
  image: FloatImage;
  /** Expected error of a value, in scene units. */
  accuracy: number;
}

export interface WindowSet {
  /** Multiples of `multiple`. */
  width: number;
  height: number;
  windows: Window[];
}

interface Box {
  x0: number;
  y0: number;
  /** Exclusive. */
  x1: number;
  y1: number;
}

/**
 * Loads views and cuts each to a window around what its alpha shows: what lies outside is background in picture and
 * rendering alike, and costs time only. Windows are cut, not scaled, so that pixels stay pixels.
 * @param options.maxSize the longer side of the pictures before they are cut, in pixels
 * @param options.multiple sizes of the windows are multiples of it, so that they can be halved
 */
export async function loadWindows(
  views: readonly View[],
  options: { maxSize: number; multiple: number },
  hooks: { signal?: AbortSignal; progress?: (fraction: number) => void } = {},
): Promise<WindowSet> {
  const loaded: { view: View; image: ColorImage; box: Box; depth?: WindowDepth }[] = [];
  for (const [i, view] of views.entries()) {
    throwIfCancelled(hooks.signal);
    const image = await view.loadColor({ maxSize: options.maxSize });
    const box = alphaBox(image);
    loaded.push({ view, image: cut(image, box), box, depth: await depthOf(view, options.maxSize) });
    hooks.progress?.((i + 1) / views.length);
  }
  const extent = (of: (box: Box) => number) => Math.max(...loaded.map(({ box }) => of(box)));
  const across = extent((b) => b.x1 - b.x0);
  const down = extent((b) => b.y1 - b.y0);
  const margin = Math.max(MARGIN_PIXELS, Math.ceil(MARGIN_SHARE * Math.max(across, down)));
  const fitted = (n: number) => Math.ceil((n + 2 * margin) / options.multiple) * options.multiple;
  const width = fitted(across);
  const height = fitted(down);
  const windows = loaded.map(({ view, image, box, depth }) => {
    const full = resizeCamera(view.camera, ...sizeOf(view, options.maxSize));
    const x = placed((box.x0 + box.x1 - width) / 2, width, full.width);
    const y = placed((box.y0 + box.y1 - height) / 2, height, full.height);
    return {
      name: view.name,
      camera: { ...full, width, height, cx: full.cx - x, cy: full.cy - y },
      image: paste(image, box.x0 - x, box.y0 - y, width, height),
      share: (width * height) / (full.width * full.height),
      depth,
    };
  });
  return { width, height, windows };
}

/** Pixels per scene unit at `center`, mean over the windows at full size. */
export function meanResolution({ windows }: WindowSet, center: Vec3): number {
  const each = windows.map(({ camera }) => camera.fx / length(sub(cameraPosition(camera), center)));
  return each.reduce((sum, r) => sum + r, 0) / each.length;
}

/** Windows at a fraction of their size as u32 pixels (r | g << 8 | b << 16 | a << 24), one picture after the other. */
export function packWindows(set: WindowSet, divisor: number, indices: readonly number[]): Uint32Array {
  const width = set.width / divisor;
  const height = set.height / divisor;
  const out = new Uint32Array(indices.length * width * height);
  const bytes = new Uint8Array(out.buffer);
  indices.forEach((index, i) => {
    bytes.set(areaDownscale(set.windows[index].image, width, height).data, i * width * height * 4);
  });
  return out;
}

/**
 * Depth of the windows' pixels at a fraction of their size, one map after the other: the nearest sample, never a mean;
 * 0 = none, and where a window has no depth at all.
 */
export function packDepths(set: WindowSet, divisor: number, indices: readonly number[]): Float32Array {
  const width = set.width / divisor;
  const height = set.height / divisor;
  const out = new Float32Array(indices.length * width * height);
  indices.forEach((index, i) => {
    const { camera, depth } = set.windows[index];
    if (!depth) return;
    const { image } = depth;
    for (let y = 0; y < height; y++) {
      const v = Math.floor((((y + 0.5) * divisor - camera.cy) / camera.fy) * depth.camera.fy + depth.camera.cy);
      if (v < 0 || v >= image.height) continue;
      for (let x = 0; x < width; x++) {
        const u = Math.floor((((x + 0.5) * divisor - camera.cx) / camera.fx) * depth.camera.fx + depth.camera.cx);
        if (u >= 0 && u < image.width) out[(i * height + y) * width + x] = image.data[v * image.width + u];
      }
    }
  });
  return out;
}

/** The view's depth, where it was taken from where the picture was. */
async function depthOf({ camera, depth }: View, maxSize: number): Promise<WindowDepth | undefined> {
  if (!depth) return undefined;
  const scale = Math.hypot(...camera.cameraToWorld.slice(12, 15)) || 1;
  const apart = camera.cameraToWorld.some((v, i) => Math.abs(v - depth.camera.cameraToWorld[i]) > 1e-6 * scale);
  if (apart) return undefined;
  const image = await depth.load({ maxSize });
  return { image, camera: resizeCamera(depth.camera, image.width, image.height), accuracy: depth.accuracy };
}

function sizeOf(view: View, maxSize: number): [number, number] {
  const { width, height } = view.camera;
  const scale = Math.min(1, maxSize / Math.max(width, height));
  return [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
}

/** Start of a window of `size` as near to `start` as keeps it inside 0…`limit`; centred where it is larger. */
function placed(start: number, size: number, limit: number): number {
  if (size >= limit) return Math.floor((limit - size) / 2);
  return Math.min(limit - size, Math.max(0, Math.floor(start)));
}

/** The smallest box around all pixels with alpha; the whole picture where there is none. */
function alphaBox({ width, height, data }: ColorImage): Box {
  const box: Box = { x0: width, y0: height, x1: 0, y1: 0 };
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (data[(y * width + x) * 4 + 3] === 0) continue;
      box.x0 = Math.min(box.x0, x);
      box.x1 = Math.max(box.x1, x + 1);
      box.y0 = Math.min(box.y0, y);
      box.y1 = y + 1;
    }
  }
  return box.x1 > box.x0 ? box : { x0: 0, y0: 0, x1: width, y1: height };
}

function cut(image: ColorImage, box: Box): ColorImage {
  const width = box.x1 - box.x0;
  const height = box.y1 - box.y0;
  const data = new Uint8ClampedArray(width * height * 4);
  for (let y = 0; y < height; y++) {
    const from = ((box.y0 + y) * image.width + box.x0) * 4;
    data.set(image.data.subarray(from, from + width * 4), y * width * 4);
  }
  return { width, height, data };
}

function paste(image: ColorImage, x: number, y: number, width: number, height: number): ColorImage {
  const data = new Uint8ClampedArray(width * height * 4);
  const left = Math.max(0, x);
  const right = Math.min(width, x + image.width);
  for (let row = Math.max(0, y); row < Math.min(height, y + image.height); row++) {
    const from = ((row - y) * image.width + left - x) * 4;
    data.set(image.data.subarray(from, from + (right - left) * 4), (row * width + left) * 4);
  }
  return { width, height, data };
}
