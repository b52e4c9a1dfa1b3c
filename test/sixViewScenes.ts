import { VIEW_NAMES, type ViewName } from '../src/capture/layout/names.js';
import { type Arrangement, rigPose, viewAxes } from '../src/capture/sixView/rig/rig.js';
import type { Vec3 } from '../src/core/math.js';
import { Random } from '../src/core/random.js';

/** A solid as a signed distance (a lower bound of it, negative inside) around the origin, within a radius of 1. */
export type Solid = (x: number, y: number, z: number) => number;

const box =
  (cx: number, cy: number, cz: number, hx: number, hy: number, hz: number, round = 0.02): Solid =>
  (x, y, z) => {
    const [dx, dy, dz] = [Math.abs(x - cx) - hx + round, Math.abs(y - cy) - hy + round, Math.abs(z - cz) - hz + round];
    return Math.hypot(Math.max(dx, 0), Math.max(dy, 0), Math.max(dz, 0)) + Math.min(Math.max(dx, dy, dz), 0) - round;
  };
const ellipsoid =
  (cx: number, cy: number, cz: number, rx: number, ry: number, rz: number): Solid =>
  (x, y, z) => {
    const [a, b, c] = [(x - cx) / rx, (y - cy) / ry, (z - cz) / rz];
    return (Math.hypot(a, b, c) - 1) * Math.min(rx, ry, rz);
  };
const union =
  (...solids: Solid[]): Solid =>
  (x, y, z) => {
    let d = Infinity;
    for (const s of solids) d = Math.min(d, s(x, y, z));
    return d;
  };

/** A cup with an opening at the top and a handle towards +x and a little to the front. */
const mug: Solid = (x, y, z) => {
  const r = Math.hypot(x, z);
  const outer = Math.max(r - 0.5, Math.abs(y) - 0.55);
  const inner = Math.max(r - 0.42, -(y + 0.45));
  const a = 0.6;
  const along = x * Math.cos(a) + z * Math.sin(a);
  const aside = -x * Math.sin(a) + z * Math.cos(a);
  const ring = Math.hypot(Math.hypot(along - 0.5, y) - 0.3, aside) - 0.07;
  return Math.max(Math.min(outer, r < 0.42 ? outer : ring), -inner);
};

export const SOLIDS: Record<string, Solid> = {
  mug,
  chair: union(
    box(0, -0.05, 0, 0.4, 0.05, 0.4),
    box(0, 0.4, -0.36, 0.4, 0.45, 0.04),
    box(0.34, -0.45, 0.34, 0.05, 0.4, 0.05),
    box(-0.34, -0.45, 0.34, 0.05, 0.4, 0.05),
    box(0.34, -0.45, -0.34, 0.05, 0.4, 0.05),
    box(-0.34, -0.45, -0.34, 0.05, 0.4, 0.05),
    box(0.4, 0.2, 0, 0.04, 0.03, 0.35),
  ),
  animal: union(
    ellipsoid(0, 0, -0.1, 0.35, 0.32, 0.6),
    ellipsoid(0.05, 0.35, 0.5, 0.22, 0.24, 0.26),
    ellipsoid(0.22, -0.4, 0.25, 0.09, 0.35, 0.1),
    ellipsoid(-0.22, -0.4, 0.3, 0.09, 0.35, 0.1),
    ellipsoid(0.22, -0.4, -0.4, 0.09, 0.35, 0.1),
    ellipsoid(-0.22, -0.4, -0.45, 0.09, 0.35, 0.1),
    ellipsoid(0.1, 0.15, -0.75, 0.06, 0.3, 0.08),
  ),
  /** The same on both sides, as faces and furniture are. */
  face: union(
    ellipsoid(0, 0, 0, 0.5, 0.65, 0.55),
    ellipsoid(0, -0.05, 0.55, 0.1, 0.12, 0.2),
    ellipsoid(0.5, 0.05, -0.05, 0.12, 0.2, 0.06),
    ellipsoid(-0.5, 0.05, -0.05, 0.12, 0.2, 0.06),
  ),
  plate: union(ellipsoid(0.05, -0.02, 0.03, 0.75, 0.1, 0.6), ellipsoid(0.3, 0.08, 0.1, 0.15, 0.1, 0.12)),
  box: box(0.05, 0.03, -0.06, 0.5, 0.35, 0.28, 0.04),
  ball: ellipsoid(0, 0, 0, 0.6, 0.6, 0.6),
  /** Round about the upright axis. */
  bottle: union(ellipsoid(0, -0.2, 0, 0.4, 0.5, 0.4), ellipsoid(0, 0.35, 0, 0.14, 0.45, 0.14)),
};

export interface SixViewScene {
  solid: Solid;
  /** Focal length over width. */
  focal: number;
  arrangement: Arrangement;
  /** Picture size. Default 256. */
  size?: number;
  /** Factor on the solid. Default: such that it fills the pictures to about 85 %. */
  scale?: number;
  seed?: number;
  /** Share of pixels with random depth. Default 2e-4. */
  specks?: number;
  /** How the values fall with distance. Default: `farther` is brighter. */
  encoding?: 'farther' | 'nearer' | 'disparity';
}

export interface SceneView {
  name: ViewName;
  size: number;
  /** Distance along the viewing axis at unit camera distance, 0 = none. */
  depth: Float32Array;
  /** 8-bit values with a scale and an offset of the view's own. */
  values: Uint8Array;
  /** Normals towards the camera, in the world, three per pixel. */
  normals: Float32Array;
}

/** Views of a solid from cameras at unit distance, by sphere tracing. */
export function renderSixViews(scene: SixViewScene): SceneView[] {
  const { focal, arrangement, size = 256, seed = 1, specks = 2e-4, encoding = 'farther' } = scene;
  const random = new Random(seed);
  const scale = scene.scale ?? fitScale(scene.solid, focal);
  const solid: Solid = (x, y, z) => scale * scene.solid(x / scale, y / scale, z / scale);
  return VIEW_NAMES.map((name) => {
    const pose = rigPose(viewAxes(name, arrangement), 1);
    const depth = new Float32Array(size * size);
    const normals = new Float32Array(size * size * 3);
    for (let y = 0; y < size; y++)
      for (let x = 0; x < size; x++) {
        const u = ((x + 0.5) / size - 0.5) / focal;
        const v = -((y + 0.5) / size - 0.5) / focal;
        const d: Vec3 = [0, 1, 2].map((k) => pose[k] * u + pose[4 + k] * v - pose[8 + k]) as Vec3;
        const length = Math.hypot(...d);
        const at = (t: number): Vec3 => [pose[12] + t * d[0], pose[13] + t * d[1], pose[14] + t * d[2]];
        let t = Math.max(0.02, 1 - scale * 1.1) / length;
        for (let step = 0; step < 160; step++) {
          const p = at(t);
          const gap = solid(...p);
          if (gap < 2e-4) {
            depth[y * size + x] = t;
            const e = 1e-3;
            const n = [0, 1, 2].map((k) => {
              const q: Vec3 = [...p];
              q[k] += e;
              return solid(...q) - gap;
            });
            const l = Math.hypot(...n) || 1;
            for (let k = 0; k < 3; k++) normals[(y * size + x) * 3 + k] = n[k] / l;
            break;
          }
          t += (gap * 0.9) / length;
          if (t > 1 + scale * 1.5) break;
        }
      }
    return { name, size, depth, normals, values: encode(depth, size, random, specks, encoding) };
  });
}

function fitScale(solid: Solid, focal: number): number {
  // Largest radius of the solid, from samples on rays from the origin outside in.
  let radius = 0;
  const random = new Random(7);
  for (let i = 0; i < 3000; i++) {
    const d = [random.normal(), random.normal(), random.normal()];
    const l = Math.hypot(...d);
    for (let r = 1.2; r > radius; r -= 0.02) {
      if (solid((d[0] / l) * r, (d[1] / l) * r, (d[2] / l) * r) < 0) radius = r;
    }
  }
  // A sphere of radius s seen from distance 1 has the tangent s / √(1 − s²).
  const tangent = (0.5 * 0.9) / focal;
  return Math.min(0.62, tangent / Math.sqrt(1 + tangent * tangent)) / radius;
}

function encode(
  depth: Float32Array,
  size: number,
  random: Random,
  specks: number,
  encoding: NonNullable<SixViewScene['encoding']>,
): Uint8Array {
  const amount = (z: number): number => (encoding === 'farther' ? z : encoding === 'nearer' ? -z : 1 / z);
  let least = Infinity;
  let most = -Infinity;
  for (const z of depth) {
    if (z === 0) continue;
    least = Math.min(least, amount(z));
    most = Math.max(most, amount(z));
  }
  const low = 20 + 140 * random.float();
  const high = 235 + 20 * random.float();
  const values = new Uint8Array(size * size);
  for (let i = 0; i < values.length; i++) {
    if (depth[i] > 0)
      values[i] = Math.round(low + ((high - low) * (amount(depth[i]) - least)) / Math.max(1e-9, most - least));
  }
  for (let n = Math.round(specks * values.length); n > 0; n--)
    values[random.integer(values.length)] = 40 + random.integer(215);
  return values;
}
