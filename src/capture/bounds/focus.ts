import { type Camera, cameraPosition, unprojectPixel } from '../../core/camera.js';
import { dot, normalize, scale, sub, type Vec3 } from '../../core/math.js';

export interface Ray {
  origin: Vec3;
  /** Unit vector. */
  direction: Vec3;
}

export function pixelRay(camera: Camera, x: number, y: number): Ray {
  const origin = cameraPosition(camera);
  return { origin, direction: normalize(sub(unprojectPixel(camera, x, y, 1), origin)) };
}

/**
 * The point nearest to all rays: least squares with weights 1/distance, iterated, so that single rays that point elsewhere
 * hardly count. Undefined where the rays are (nearly) parallel.
 */
export function focusPoint(rays: readonly Ray[]): Vec3 | undefined {
  let weights = rays.map(() => 1);
  let point: Vec3 | undefined;
  for (let step = 0; step < 20; step++) {
    // Σ w (I − d dᵀ) p = Σ w (I − d dᵀ) o
    const a = [0, 0, 0, 0, 0, 0, 0, 0, 0];
    const b: Vec3 = [0, 0, 0];
    rays.forEach(({ origin, direction }, i) => {
      const along = dot(origin, direction);
      for (let r = 0; r < 3; r++) {
        for (let c = 0; c < 3; c++) a[r * 3 + c] += weights[i] * ((r === c ? 1 : 0) - direction[r] * direction[c]);
        b[r] += weights[i] * (origin[r] - along * direction[r]);
      }
    });
    const total = weights.reduce((sum, w) => sum + w, 0);
    const solved = solve3(a, b, 1e-6 * total ** 3);
    if (!solved) return undefined;
    point = solved;
    const distances = rays.map((ray) => distanceToRay(ray, solved));
    const typical = [...distances].sort((x, y) => x - y)[Math.floor(distances.length / 2)] + 1e-12;
    weights = distances.map((d) => 1 / Math.max(d, 0.1 * typical));
    const most = Math.max(...weights);
    weights = weights.map((w) => w / most);
  }
  return point;
}

function distanceToRay(ray: Ray, p: Vec3): number {
  const v = sub(p, ray.origin);
  const side = sub(v, scale(ray.direction, dot(v, ray.direction)));
  return Math.sqrt(dot(side, side));
}

function solve3(a: readonly number[], b: Vec3, least: number): Vec3 | undefined {
  const det3 = (m: readonly number[]): number =>
    m[0] * (m[4] * m[8] - m[5] * m[7]) - m[1] * (m[3] * m[8] - m[5] * m[6]) + m[2] * (m[3] * m[7] - m[4] * m[6]);
  const det = det3(a);
  if (!(Math.abs(det) > least)) return undefined;
  const column = (c: number): number => det3(a.map((v, i) => (i % 3 === c ? b[Math.floor(i / 3)] : v))) / det;
  return [column(0), column(1), column(2)];
}
