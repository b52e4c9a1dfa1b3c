/** An object with ground truth, drawn from any camera: the true mesh, coloured from posed pictures of it. */

import { join } from 'node:path';
import { readCapture } from '../../src/capture/readCapture.js';
import { boundsOf, diagonalOf } from '../../src/core/bounds.js';
import { type Camera, cameraPosition, projectPoint, worldToCamera } from '../../src/core/camera.js';
import type { ColorImage, FloatImage } from '../../src/core/image.js';
import type { Vec3 } from '../../src/core/math.js';
import { readPly } from '../scoring/readPly.js';
import type { Part } from './shapes.js';

export interface TrueObject {
  /** +Y up, the front towards +Z, in scene units. */
  positions: Float32Array;
  indices: Uint32Array;
  /** Of the bounding box. */
  diagonal: number;
  /** Posed pictures that colour it; none where `colorAt` does. */
  sources: Source[];
  /** Encoded colour, 0…255, of a place on a triangle with this outward normal. */
  colorAt?(triangle: number, point: Vec3, normal: Vec3): readonly [number, number, number];
}

interface Source {
  camera: Camera;
  color: ColorImage;
  depth: FloatImage;
}

/** What a camera sees: depth along its axis (0 = none), and the colour where asked for. */
export interface Drawn {
  depth: FloatImage;
  /** Encoded colour with 255 or 0 in alpha. */
  color?: ColorImage;
}

/**
 * Difference between a point's depth and a source's depth map, as a share of the diagonal, up to which the source sees
 * the point.
 */
const SEEN = 0.006;
const UNSEEN = [110, 108, 105];

/**
 * @param captures folder with `<name>/gt.ply` and the posed six views `<name>-six`
 */
export async function readTrueObject(captures: string, name: string): Promise<TrueObject> {
  const mesh = await readPly(join(captures, name, 'gt.ply'));
  const positions = new Float32Array(mesh.positions.length);
  for (let i = 0; i < positions.length; i += 3) {
    // The captures' own frame is +Z up.
    positions.set([mesh.positions[i], mesh.positions[i + 2], -mesh.positions[i + 1]], i);
  }
  const capture = await readCapture(join(captures, `${name}-six`));
  const sources: Source[] = [];
  for (const view of capture.views) {
    if (!view.depth) throw new Error(`${view.source} has no depth map`);
    sources.push({ camera: view.camera, color: await view.loadColor(), depth: await view.depth.load() });
  }
  await capture.dispose();
  return {
    positions,
    indices: mesh.indices,
    diagonal: diagonalOf(boundsOf(positions)),
    sources,
  };
}

/** An object made of parts, lit by one soft light from above, the front and the viewer's left. */
export function objectOf(parts: readonly Part[]): TrueObject {
  const positions: number[] = [];
  const indices: number[] = [];
  const owner: Part[] = [];
  for (const part of parts) {
    const first = positions.length / 3;
    for (const v of part.positions) positions.push(v);
    for (const i of part.indices) indices.push(first + i);
    for (let t = 0; t < part.indices.length; t += 3) owner.push(part);
  }
  const centred = Float32Array.from(positions);
  const { min, max } = boundsOf(centred);
  const middle = min.map((v, k) => (v + max[k]) / 2);
  for (let i = 0; i < centred.length; i++) centred[i] -= middle[i % 3];
  return {
    positions: centred,
    indices: Uint32Array.from(indices),
    diagonal: diagonalOf(boundsOf(centred)),
    sources: [],
    colorAt: (triangle, [x, y, z], n) => {
      const light = 0.62 + 0.28 * n[1] + 0.14 * n[2] - 0.12 * n[0];
      const color = owner[triangle].paint(x + middle[0], y + middle[1], z + middle[2]);
      return [color[0] * light, color[1] * light, color[2] * light];
    },
  };
}

/** Draws the object. */
export function draw(object: TrueObject, camera: Camera, withColor: boolean): Drawn {
  const { width, height } = camera;
  const toCamera = worldToCamera(camera);
  const { positions, indices } = object;
  const count = positions.length / 3;
  const screen = new Float64Array(count * 3);
  for (let i = 0; i < count; i++) {
    const p = projectPoint(camera, [positions[3 * i], positions[3 * i + 1], positions[3 * i + 2]], toCamera);
    screen.set([p.x, p.y, 1 / p.depth], 3 * i);
  }
  const inverse = new Float64Array(width * height);
  const triangle = new Int32Array(width * height).fill(-1);
  for (let t = 0; t < indices.length; t += 3) {
    const [a, b, c] = [3 * indices[t], 3 * indices[t + 1], 3 * indices[t + 2]];
    const [ax, ay, bx, by, cx, cy] = [screen[a], screen[a + 1], screen[b], screen[b + 1], screen[c], screen[c + 1]];
    const area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay);
    if (area === 0) continue;
    const x1 = Math.min(width - 1, Math.ceil(Math.max(ax, bx, cx)));
    const y1 = Math.min(height - 1, Math.ceil(Math.max(ay, by, cy)));
    for (let y = Math.max(0, Math.floor(Math.min(ay, by, cy))); y <= y1; y++)
      for (let x = Math.max(0, Math.floor(Math.min(ax, bx, cx))); x <= x1; x++) {
        const [px, py] = [x + 0.5, y + 0.5];
        const wb = ((px - ax) * (cy - ay) - (cx - ax) * (py - ay)) / area;
        const wc = ((bx - ax) * (py - ay) - (px - ax) * (by - ay)) / area;
        if (wb < 0 || wc < 0 || wb + wc > 1) continue;
        const z = (1 - wb - wc) * screen[a + 2] + wb * screen[b + 2] + wc * screen[c + 2];
        if (z <= inverse[y * width + x]) continue;
        inverse[y * width + x] = z;
        triangle[y * width + x] = t;
      }
  }
  const depth = { width, height, data: Float32Array.from(inverse, (z) => (z > 0 ? 1 / z : 0)) };
  return { depth, color: withColor ? paint(object, camera, depth, triangle) : undefined };
}

function paint(object: TrueObject, camera: Camera, depth: FloatImage, triangle: Int32Array): ColorImage {
  const { width, height } = camera;
  const { positions, indices, sources } = object;
  const data = new Uint8ClampedArray(width * height * 4);
  const m = camera.cameraToWorld;
  const eyes = sources.map((s) => cameraPosition(s.camera));
  const inward = sources.map((s) => worldToCamera(s.camera));
  const normal = (t: number): Vec3 => {
    const [a, b, c] = [3 * indices[t], 3 * indices[t + 1], 3 * indices[t + 2]];
    const u = [0, 1, 2].map((k) => positions[b + k] - positions[a + k]);
    const v = [0, 1, 2].map((k) => positions[c + k] - positions[a + k]);
    const n: Vec3 = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
    const l = Math.hypot(...n) || 1;
    return [n[0] / l, n[1] / l, n[2] / l];
  };
  for (let i = 0; i < triangle.length; i++) {
    if (triangle[i] < 0) continue;
    const z = depth.data[i];
    const X = (((i % width) + 0.5 - camera.cx) / camera.fx) * z;
    const Y = (-(Math.floor(i / width) + 0.5 - camera.cy) / camera.fy) * z;
    const p = [0, 1, 2].map((k) => m[k] * X + m[4 + k] * Y - m[8 + k] * z + m[12 + k]) as Vec3;
    const n = normal(triangle[i]);
    if (object.colorAt) {
      data.set(object.colorAt(triangle[i] / 3, p, n), 4 * i);
      data[4 * i + 3] = 255;
      continue;
    }
    let weight = 1e-4;
    const sum = UNSEEN.map((v) => v * weight);
    for (let s = 0; s < sources.length; s++) {
      const towards = [0, 1, 2].map((k) => eyes[s][k] - p[k]);
      const cosine = (towards[0] * n[0] + towards[1] * n[1] + towards[2] * n[2]) / Math.hypot(...towards);
      if (cosine < 0.05) continue;
      const { camera: c, color, depth: map } = sources[s];
      const q = projectPoint(c, p, inward[s]);
      const [x, y] = [Math.floor(q.x), Math.floor(q.y)];
      if (x < 0 || y < 0 || x >= c.width || y >= c.height) continue;
      if (Math.abs(map.data[y * map.width + x] - q.depth) > SEEN * object.diagonal) continue;
      const o = (y * c.width + x) * 4;
      const w = cosine ** 3 * (color.data[o + 3] / 255);
      weight += w;
      for (let k = 0; k < 3; k++) sum[k] += w * color.data[o + k];
    }
    for (let k = 0; k < 3; k++) data[4 * i + k] = sum[k] / weight;
    data[4 * i + 3] = 255;
  }
  return { width, height, data };
}
