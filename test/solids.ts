import { type Camera, unprojectPixel } from '../src/core/camera.js';
import type { FloatImage } from '../src/core/image.js';
import { add, lookAt, normalize, scale, sub, type Vec3 } from '../src/core/math.js';

/** A solid as its exact signed distance: negative inside. */
export type Solid = (p: Vec3) => number;

export const sphere =
  (radius: number, centre: Vec3 = [0, 0, 0]): Solid =>
  (p) =>
    Math.hypot(p[0] - centre[0], p[1] - centre[1], p[2] - centre[2]) - radius;

/** Ring around the y axis. */
export const torus =
  (major: number, minor: number): Solid =>
  (p) =>
    Math.hypot(Math.hypot(p[0], p[2]) - major, p[1]) - minor;

export const box =
  (half: Vec3): Solid =>
  (p) => {
    const q = p.map((v, i) => Math.abs(v) - half[i]);
    const outside = Math.hypot(...q.map((v) => Math.max(v, 0)));
    return outside + Math.min(Math.max(...q), 0);
  };

/** A camera with square pixels at `eye` looking at the origin; the field of view is 40°. */
export function cameraAt(eye: Vec3, size: number): Camera {
  const f = size / 2 / Math.tan((20 * Math.PI) / 180);
  return { cameraToWorld: lookAt(eye, [0, 0, 0]), width: size, height: size, fx: f, fy: f, cx: size / 2, cy: size / 2 };
}

/** Directions spread evenly over the sphere (Fibonacci lattice). */
export function directions(count: number): Vec3[] {
  return Array.from({ length: count }, (_, i) => {
    const y = 1 - (2 * i + 1) / count;
    const a = i * Math.PI * (3 - Math.sqrt(5));
    const r = Math.sqrt(1 - y * y);
    return [r * Math.cos(a), y, r * Math.sin(a)];
  });
}

export const AXES: Vec3[] = [
  [0, 0, 1],
  [0, 0, -1],
  [1, 0, 0],
  [-1, 0, 0],
  [0, 1, 0],
  [0, -1, 0],
];

/**
 * Depth by sphere tracing through pixel (x, y); `closest` is the least distance of the ray to the solid relative to the
 * pixel size.
 */
function trace(solid: Solid, camera: Camera, x: number, y: number): { depth: number; closest: number } {
  const eye: Vec3 = [camera.cameraToWorld[12], camera.cameraToWorld[13], camera.cameraToWorld[14]];
  const ray = sub(unprojectPixel(camera, x, y, 1), eye);
  const unit = normalize(ray);
  const perDepth = Math.hypot(...ray);
  const far = Math.hypot(...eye) * 2;
  let closest = Number.POSITIVE_INFINITY;
  let t = 0;
  for (let i = 0; t < far && i < 200; i++) {
    const d = solid(add(eye, scale(unit, t)));
    closest = Math.min(closest, (d * camera.fx) / Math.max(t, 1e-6));
    if (d < 1e-6) return { depth: t / perDepth, closest: 0 };
    t += d;
  }
  // A ray that creeps along a surface has as good as met it.
  return { depth: t < far ? t / perDepth : 0, closest };
}

/**
 * What a camera sees of a solid: exact depth at pixel centres (0 = none) and coverage by `samples` × `samples` per
 * pixel.
 */
export function view(
  solid: Solid,
  camera: Camera,
  samples = 4,
): { camera: Camera; depth: FloatImage; mask: FloatImage } {
  const { width, height } = camera;
  const depth = new Float32Array(width * height);
  const mask = new Float32Array(width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const at = y * width + x;
      const centre = trace(solid, camera, x + 0.5, y + 0.5);
      depth[at] = centre.depth;
      if (centre.closest > 1) continue;
      let hits = 0;
      for (let j = 0; j < samples; j++)
        for (let i = 0; i < samples; i++) {
          if (trace(solid, camera, x + (i + 0.5) / samples, y + (j + 0.5) / samples).depth > 0) hits++;
        }
      mask[at] = hits / samples ** 2;
    }
  return { camera, depth: { width, height, data: depth }, mask: { width, height, data: mask } };
}

/** Facts about the connectivity of an indexed mesh. */
export function topology(mesh: { positions: Float32Array; indices: Uint32Array }) {
  const { indices, positions } = mesh;
  const vertices = positions.length / 3;
  const directed = new Map<number, number>();
  const triangles = indices.length / 3;
  let volume = 0;
  const point = (i: number): Vec3 => [positions[i * 3], positions[i * 3 + 1], positions[i * 3 + 2]];
  for (let t = 0; t < triangles; t++) {
    const [a, b, c] = [indices[t * 3], indices[t * 3 + 1], indices[t * 3 + 2]];
    for (const [u, v] of [
      [a, b],
      [b, c],
      [c, a],
    ]) {
      directed.set(u * vertices + v, (directed.get(u * vertices + v) ?? 0) + 1);
    }
    const [p, q, r] = [point(a), point(b), point(c)];
    volume +=
      (p[0] * (q[1] * r[2] - q[2] * r[1]) + p[1] * (q[2] * r[0] - q[0] * r[2]) + p[2] * (q[0] * r[1] - q[1] * r[0])) /
      6;
  }
  // Closed and manifold: each directed edge once, and its opposite once.
  let bad = 0;
  for (const [key, n] of directed) {
    const u = Math.floor(key / vertices);
    const v = key % vertices;
    if (n !== 1 || directed.get(v * vertices + u) !== 1) bad++;
  }
  return { badEdges: bad, euler: vertices - directed.size / 2 + triangles, volume };
}
