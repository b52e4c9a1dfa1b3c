import { type Rotation, turned } from './rotations.js';
import type { SurfacePoints } from './surfacePoints.js';

/**
 * A square picture's camera: a point of the world is turned and moved into OpenGL axes (x right, y up, −z forwards), and
 * seen at centre + focal · (x, −y) / −z. Focal length and centre are shares of the picture's side.
 */
export interface SquareCamera {
  rotation: Rotation;
  translation: readonly number[];
  focal: number;
  centre: readonly [number, number];
}

/** A photo at the size at which it is compared. */
export interface SmallPhoto {
  side: number;
  /** 1 where the object is. */
  mask: Uint8Array;
  /** Red, green, blue in 0…1, sRGB, of each pixel. */
  colours: Float32Array;
}

/** How a model lies in the world: world = scale · rotation · model + translation. */
export interface Similarity {
  rotation: Rotation;
  scale: number;
  translation: readonly number[];
}

/** What a comparison found. */
export interface Agreement {
  /** Overlap of the outlines: intersection over union. */
  iou: number;
  /** Mean difference of the colours within the intersection, 0…1; 1 where there is none. */
  difference: number;
}

/** How much a difference of colours counts against overlap: outlines decide, colours between those that are alike. */
const COLOUR_WEIGHT = 0.5;

/** One number to compare by. */
export const scoreOf = ({ iou, difference }: Agreement): number => iou - COLOUR_WEIGHT * difference;

/** What was drawn of points. */
export class Drawing {
  readonly side: number;
  private readonly depth: Float32Array;
  private readonly nearest: Int32Array;

  constructor(side: number) {
    this.side = side;
    this.depth = new Float32Array(side * side);
    this.nearest = new Int32Array(side * side);
  }

  /** Draws the first `count` points of a model as a camera sees them, the nearest in front. */
  draw({ positions }: SurfacePoints, count: number, place: Similarity, camera: SquareCamera): void {
    const { side, depth, nearest } = this;
    nearest.fill(-1);
    depth.fill(Number.POSITIVE_INFINITY);
    const { m, t } = intoCamera(place, camera);
    const focal = camera.focal * side;
    const [cx, cy] = [camera.centre[0] * side, camera.centre[1] * side];
    for (let i = 0; i < count; i++) {
      const [x, y, z] = [positions[i * 3], positions[i * 3 + 1], positions[i * 3 + 2]];
      const far = -(m[6] * x + m[7] * y + m[8] * z + t[2]);
      if (far <= 1e-6) continue;
      const u = Math.floor(cx + (focal * (m[0] * x + m[1] * y + m[2] * z + t[0])) / far);
      const v = Math.floor(cy - (focal * (m[3] * x + m[4] * y + m[5] * z + t[1])) / far);
      if (u < 0 || v < 0 || u >= side || v >= side) continue;
      const pixel = v * side + u;
      if (far >= depth[pixel]) continue;
      depth[pixel] = far;
      nearest[pixel] = i;
    }
  }

  /** Holds what was drawn against a photo of the same size. */
  compare({ colours: own }: SurfacePoints, { mask, colours }: SmallPhoto): Agreement {
    let both = 0;
    let either = 0;
    let difference = 0;
    for (let i = 0; i < mask.length; i++) {
      const point = this.nearest[i];
      if (mask[i] === 1 || point >= 0) either++;
      if (mask[i] === 0 || point < 0) continue;
      both++;
      for (let c = 0; c < 3; c++) difference += Math.abs(own[point * 3 + c] - colours[i * 3 + c]) / 3;
    }
    return { iou: either === 0 ? 0 : both / either, difference: both === 0 ? 1 : difference / both };
  }

  /** Calls for each pixel that shows a point of the model. */
  eachPixel(see: (pixel: number, point: number) => void): void {
    this.nearest.forEach((point, pixel) => {
      if (point >= 0) see(pixel, point);
    });
  }

  /** The box of what was drawn, in pixels; `undefined` where nothing was. */
  box(): Box | undefined {
    return boxOf(this.side, (i) => this.nearest[i] >= 0);
  }
}

/** From the model into a camera's axes: x → m x + t. */
function intoCamera(place: Similarity, camera: SquareCamera): { m: number[]; t: number[] } {
  const m = new Array<number>(9);
  for (let i = 0; i < 3; i++) {
    for (let j = 0; j < 3; j++) {
      m[i * 3 + j] = 0;
      for (let k = 0; k < 3; k++) {
        m[i * 3 + j] += camera.rotation[i * 3 + k] * place.rotation[k * 3 + j] * place.scale;
      }
    }
  }
  const moved = turned(camera.rotation, place.translation);
  return { m, t: moved.map((x, i) => x + camera.translation[i]) };
}

/** Left, top, and lengths, in pixels. */
export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** The box of a square picture's pixels that count. */
export function boxOf(side: number, counts: (pixel: number) => boolean): Box | undefined {
  let [left, right, top, bottom] = [side, -1, side, -1];
  for (let i = 0; i < side * side; i++) {
    if (!counts(i)) continue;
    const [x, y] = [i % side, Math.floor(i / side)];
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
  }
  return right < 0 ? undefined : { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
}

/** A square picture at a smaller size: means of colours, masks by the majority. @param pixels RGBA, opaque or not */
export function smallPhoto(pixels: Uint8Array, from: number, side: number): SmallPhoto {
  const mask = new Uint8Array(side * side);
  const colours = new Float32Array(side * side * 3);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const [left, right] = [x, x + 1].map((c) => Math.floor((c * from) / side));
      const [top, bottom] = [y, y + 1].map((c) => Math.floor((c * from) / side));
      let opaque = 0;
      const sum = [0, 0, 0];
      for (let v = top; v < Math.max(bottom, top + 1); v++) {
        for (let u = left; u < Math.max(right, left + 1); u++) {
          const at = (v * from + u) * 4;
          if (pixels[at + 3] <= 127) continue;
          opaque++;
          for (let c = 0; c < 3; c++) sum[c] += pixels[at + c] / 255;
        }
      }
      const all = Math.max(1, right - left) * Math.max(1, bottom - top);
      const pixel = y * side + x;
      if (opaque * 2 < all) continue;
      mask[pixel] = 1;
      for (let c = 0; c < 3; c++) colours[pixel * 3 + c] = sum[c] / opaque;
    }
  }
  return { side, mask, colours };
}
