import type { View } from '../capture/capture.js';
import { areaDownscale, fittedSize } from '../capture/images/resample.js';
import { resizeCamera } from '../core/camera.js';
import type { ColorImage } from '../core/image.js';
import type { Rectangle } from './hints.js';
import {
  boxMeans,
  convexHull,
  fillConvex,
  projected,
  projectedCorners,
  projectionOf,
  type WorkPhoto,
} from './photo.js';
import { BESIDE, type ObjectPlace, ON_OBJECT } from './place.js';
import { STILL_SIZE } from './still.js';

/** Longer side of the part of a photo that is cut. */
const PART = 480;
/** Longest side of a photo at work size. */
const MOST_SIDE = 1600;
/** Loads the part of a photo around the box. */
export async function loadPhoto(
  view: View,
  place: ObjectPlace,
  local: Float64Array,
  seen: Uint32Array | undefined,
  rectangle: Rectangle | undefined,
): Promise<WorkPhoto> {
  const { camera } = view;
  const full = projectionOf(camera, place.frame);
  const corners = projectedCorners(full, place.box);
  const [xs, ys] = [0, 1].map((k) => (corners ?? []).map((p) => p[k]));
  const clip = (v: number, most: number): number => Math.max(0, Math.min(most, v));
  const area = corners
    ? {
        left: clip(Math.min(...xs), camera.width),
        right: clip(Math.max(...xs), camera.width),
        top: clip(Math.min(...ys), camera.height),
        bottom: clip(Math.max(...ys), camera.height),
      }
    : { left: 0, right: camera.width, top: 0, bottom: camera.height };
  const longest = Math.max(1, area.right - area.left, area.bottom - area.top);
  const side = Math.max(camera.width, camera.height);
  const scale = Math.min(1, PART / longest, MOST_SIDE / side);
  const image = await view.loadColor({ maxSize: Math.max(64, Math.round(side * scale)) });
  const size = resizeCamera(camera, image.width, image.height);
  const projection = projectionOf(size, place.frame);
  const s = image.width / camera.width;
  const margin = 0.15 * longest * s;
  const left = Math.floor(clip(area.left * s - margin, image.width - 1));
  const top = Math.floor(clip(area.top * s - margin, image.height - 1));
  const part = {
    left,
    top,
    partWidth: Math.max(1, Math.ceil(clip(area.right * s + margin, image.width)) - left),
    partHeight: Math.max(1, Math.ceil(clip(area.bottom * s + margin, image.height)) - top),
  };
  const box = projectedCorners(projection, place.box);
  const inBox = box ? fillConvex(convexHull(box), part) : new Uint8Array(part.partWidth * part.partHeight).fill(1);
  const colors = cropColors(image, part);
  const photo: WorkPhoto = {
    name: view.name,
    width: image.width,
    height: image.height,
    projection,
    ...part,
    colors,
    smooth: boxMeans(colors, part.partWidth, part.partHeight),
    small: smallPicture(image),
    inBox,
    seeds: new Uint8Array(part.partWidth * part.partHeight),
    votes: view.split === 'train',
  };
  if (rectangle) keepRectangle(photo, rectangle, image.width / camera.width, image.height / camera.height);
  if (seen) plantSeeds(photo, place, local, seen);
  return photo;
}

function smallPicture(image: ColorImage): WorkPhoto['small'] {
  const { width, height } = fittedSize(image.width, image.height, STILL_SIZE);
  const { data } = areaDownscale(image, width, height);
  return {
    width,
    height,
    colors: Uint8Array.from({ length: width * height * 3 }, (_, i) => data[i + Math.floor(i / 3)]),
  };
}

/** Nothing outside the rectangle is of the object. */
function keepRectangle({ left, top, partWidth, inBox }: WorkPhoto, rectangle: Rectangle, sx: number, sy: number): void {
  for (let i = 0; i < inBox.length; i++) {
    const x = (left + (i % partWidth) + 0.5) / sx;
    const y = (top + Math.floor(i / partWidth) + 0.5) / sy;
    if (x < rectangle[0] || y < rectangle[1] || x >= rectangle[2] || y >= rectangle[3]) inBox[i] = 0;
  }
}

function cropColors(
  { width, data }: ColorImage,
  { left, top, partWidth, partHeight }: Pick<WorkPhoto, 'left' | 'top' | 'partWidth' | 'partHeight'>,
): Uint8Array {
  const out = new Uint8Array(new SharedArrayBuffer(partWidth * partHeight * 3));
  for (let y = 0, o = 0; y < partHeight; y++)
    for (let x = 0; x < partWidth; x++, o += 3) {
      const i = ((top + y) * width + left + x) * 4;
      out[o] = data[i];
      out[o + 1] = data[i + 1];
      out[o + 2] = data[i + 2];
    }
  return out;
}

/** Sparse points that the photo shows are object or background for sure where they lie. */
function plantSeeds(photo: WorkPhoto, { sides }: ObjectPlace, local: Float64Array, seen: Uint32Array): void {
  const { partWidth, partHeight, left, top, seeds } = photo;
  for (const i of seen) {
    const side = sides[i];
    if (side !== ON_OBJECT && side !== BESIDE) continue;
    const p = projected(photo.projection, local[i * 3], local[i * 3 + 1], local[i * 3 + 2]);
    if (!p) continue;
    const [x, y] = [Math.floor(p[0]) - left, Math.floor(p[1]) - top];
    for (let v = Math.max(0, y - 1); v <= Math.min(partHeight - 1, y + 1); v++)
      for (let u = Math.max(0, x - 1); u <= Math.min(partWidth - 1, x + 1); u++) {
        const at = v * partWidth + u;
        // Points of both kinds next to each other decide nothing.
        seeds[at] = seeds[at] === 0 || seeds[at] === side ? side : 3;
      }
  }
}

/** Before the first cut: what lies within the outline of the object's points. */
export function firstGuess(photo: WorkPhoto, place: ObjectPlace, local: Float64Array): Uint8Array {
  const spots: [number, number][] = [];
  place.sides.forEach((side, i) => {
    if (side !== ON_OBJECT) return;
    const p = projected(photo.projection, local[i * 3], local[i * 3 + 1], local[i * 3 + 2]);
    if (p) spots.push(p);
  });
  if (spots.length >= 3) return fillConvex(convexHull(spots), photo);
  const core = projectedCorners(photo.projection, place.core);
  return core ? fillConvex(convexHull(core), photo) : photo.inBox.slice();
}
