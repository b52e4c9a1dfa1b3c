import type { Bounds } from '../core/bounds.js';
import { type Camera, worldToCamera } from '../core/camera.js';
import { type Mat4, multiply } from '../core/math.js';

/** A photo as the search for the object sees it: a part around the object's box, at work size. */
export interface WorkPhoto {
  name: string;
  /** Size of the whole picture at work size. */
  width: number;
  height: number;
  /** From the box's frame to pixels of the whole picture: rows of u·w, v·w, w; w is the depth. */
  projection: Float64Array;
  /** The part that is looked at. */
  left: number;
  top: number;
  partWidth: number;
  partHeight: number;
  /** Red, green, blue of the part. */
  colors: Uint8Array;
  /** The same with each pixel the mean of those around it, by which even tones are compared. */
  smooth: Uint8Array;
  /** The whole picture, small. */
  small: { width: number; height: number; colors: Uint8Array };
  /** 1 where the box is, of the part. */
  inBox: Uint8Array;
  /** Of the part: 1 object for sure, 2 background for sure. */
  seeds: Uint8Array;
  /** Whether it may decide about others: not so where it is kept for scoring. */
  votes: boolean;
}

/** The projection of points of a frame. */
export function projectionOf(camera: Camera, frame: Mat4): Float64Array {
  const m = multiply(worldToCamera(camera), frame);
  const { fx, fy, cx, cy } = camera;
  const out = new Float64Array(12);
  for (let c = 0; c < 4; c++) {
    const [x, y, w] = [m[c * 4], m[c * 4 + 1], -m[c * 4 + 2]];
    out[c] = fx * x + cx * w;
    out[4 + c] = -fy * y + cy * w;
    out[8 + c] = w;
  }
  return out;
}

/** Pixel coordinates of a point, or undefined where it is behind the camera. */
export function projected(m: Float64Array, x: number, y: number, z: number): [number, number] | undefined {
  const w = m[8] * x + m[9] * y + m[10] * z + m[11];
  if (!(w > 1e-9)) return undefined;
  return [(m[0] * x + m[1] * y + m[2] * z + m[3]) / w, (m[4] * x + m[5] * y + m[6] * z + m[7]) / w];
}

/** The corners of a box as pixels; undefined where one is behind the camera. */
export function projectedCorners(m: Float64Array, { min, max }: Bounds): [number, number][] | undefined {
  const out: [number, number][] = [];
  for (let i = 0; i < 8; i++) {
    const p = projected(m, i & 1 ? max[0] : min[0], i & 2 ? max[1] : min[1], i & 4 ? max[2] : min[2]);
    if (!p) return undefined;
    out.push(p);
  }
  return out;
}

/** The convex hull of points, in order (monotone chain, Andrew 1979). */
export function convexHull(points: readonly [number, number][]): [number, number][] {
  const sorted = [...points].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  if (sorted.length < 3) return sorted;
  const chain = (list: readonly [number, number][]): [number, number][] => {
    const out: [number, number][] = [];
    for (const p of list) {
      while (out.length > 1) {
        const [a, b] = [out[out.length - 2], out[out.length - 1]];
        if ((b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0]) > 0) break;
        out.pop();
      }
      out.push(p);
    }
    out.pop();
    return out;
  };
  return [...chain(sorted), ...chain([...sorted].reverse())];
}

/** 1 in pixels whose centre is inside a convex polygon; the polygon is in pixels of the whole, the result of a part. */
export function fillConvex(
  polygon: readonly [number, number][],
  part: Pick<WorkPhoto, 'left' | 'top' | 'partWidth' | 'partHeight'>,
): Uint8Array {
  const { left, top, partWidth, partHeight } = part;
  const out = new Uint8Array(partWidth * partHeight);
  for (let y = 0; y < partHeight; y++) {
    const v = top + y + 0.5;
    let [from, to] = [Infinity, -Infinity];
    polygon.forEach((a, i) => {
      const b = polygon[(i + 1) % polygon.length];
      if (a[1] > v === b[1] > v) return;
      const x = a[0] + ((v - a[1]) / (b[1] - a[1])) * (b[0] - a[0]);
      from = Math.min(from, x);
      to = Math.max(to, x);
    });
    const first = Math.max(0, Math.ceil(from - left - 0.5));
    const last = Math.min(partWidth - 1, Math.floor(to - left - 0.5));
    if (first <= last) out.fill(1, y * partWidth + first, y * partWidth + last + 1);
  }
  return out;
}

/** Half width of the square over which `smooth` is the mean. */
const REACH = 3;

/** Means over squares of three bytes a pixel; squares end at the rim. */
export function boxMeans(colors: Uint8Array, width: number, height: number): Uint8Array {
  const rows = new Float32Array(colors.length);
  const sum = new Float64Array(3);
  for (let y = 0; y < height; y++) {
    const row = y * width;
    for (let c = 0; c < 3; c++) {
      sum[c] = 0;
      for (let x = 0; x < Math.min(REACH, width); x++) sum[c] += colors[(row + x) * 3 + c];
      for (let x = 0; x < width; x++) {
        if (x + REACH < width) sum[c] += colors[(row + x + REACH) * 3 + c];
        if (x - REACH > 0) sum[c] -= colors[(row + x - REACH - 1) * 3 + c];
        const count = Math.min(width - 1, x + REACH) - Math.max(0, x - REACH) + 1;
        rows[(row + x) * 3 + c] = sum[c] / count;
      }
    }
  }
  const out = new Uint8Array(colors.length);
  const line = new Float64Array(width * 3);
  const add = (y: number, sign: number): void => {
    for (let i = 0; i < line.length; i++) line[i] += sign * rows[y * width * 3 + i];
  };
  for (let y = 0; y < Math.min(REACH, height); y++) add(y, 1);
  for (let y = 0; y < height; y++) {
    if (y + REACH < height) add(y + REACH, 1);
    if (y - REACH > 0) add(y - REACH - 1, -1);
    const count = Math.min(height - 1, y + REACH) - Math.max(0, y - REACH) + 1;
    for (let i = 0; i < line.length; i++) out[y * width * 3 + i] = Math.round(line[i] / count);
  }
  return out;
}
