import { type Camera, cameraPosition, unprojectPixel } from '../../core/camera.js';
import { solveSymmetric } from '../../core/linearSolve.js';
import { determinant3, dot, normalize, scale, sub, type Vec3 } from '../../core/math.js';

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
 * The point nearest to all rays: least squares with weights 1/distance, iterated, so that single rays that point
 * elsewhere hardly count. Undefined where the rays are (nearly) parallel.
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
    // Of nearly parallel rays any point is as good as the next.
    const size = determinant3([a[0], a[1], a[2], 0, a[3], a[4], a[5], 0, a[6], a[7], a[8], 0]);
    const found = size > 1e-6 * total ** 3 ? solveSymmetric(a, b) : undefined;
    if (!found) return undefined;
    const solved: Vec3 = [found[0], found[1], found[2]];
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
