import type { Camera } from '../../core/camera.js';
import { type LensModel, statesDistortion } from '../layout/statedIntrinsics.js';

/**
 * A lens maps a viewing direction to a pixel. With (x, y) = direction / depth, x right and y down:
 * - `brown`: r² = x² + y²; radial factor (1 + k₁r² + k₂r⁴ + k₃r⁶ + k₄r⁸) / (1 + d₁r² + d₂r⁴ + d₃r⁶), plus the
 * tangential terms
 *   2p₁xy + p₂(r² + 2x²) and p₁(r² + 2y²) + 2p₂xy (Brown–Conrady; OpenCV's rational model with a denominator).
 * - `fisheye`: (x, y) is first scaled by atan(r)/r (equidistant projection), then distorted as by `brown`, plus the
 * thin prism
 *   terms s₁r² and s₂r² (Kannala–Brandt without tangential terms; COLMAP's thin prism fisheye with them).
 * - `fov`: r becomes atan(2 r tan(ω/2)) / ω (Devernay and Faugeras 2001).
 * - `division`: (x, y) becomes 2(x, y) / (1 + √(1 − 4kr²)), the inverse of (x, y) / (1 + kr²) (Fitzgibbon 2001).
 * - `eucm`: (x, y) becomes (x, y) / (α√(βr² + 1) + 1 − α) (Khomutenko, Garcia and Martinet 2016).
 * - `thin-prism`: as `fisheye`, with a radial factor of k₁…k₆, then the tangential terms and s₁r² + s₂r⁴ (x), s₃r² +
 * s₄r⁴ (y) of what the
 *   radial factor gave (Project Aria's Fisheye624).
 */
export interface Lens extends Omit<Camera, 'cameraToWorld'> {
  model: LensModel;
  /** k₁…k₄, of `thin-prism` k₁…k₆; of `fov` ω in radians, of `division` k, of `eucm` α and β. */
  k: readonly number[];
  /** Denominator d₁…d₃ of the rational model. */
  d?: readonly number[];
  /** p₁, p₂. */
  p?: readonly [number, number];
  /** Thin prism s₁, s₂, of `thin-prism` s₁…s₄. */
  s?: readonly number[];
}

/** Whether the lens bends straight lines at all. */
export function isDistorted(lens: Lens): boolean {
  return statesDistortion(lens);
}

/** Undistorted normalised coordinates to distorted ones; `out` receives x, y. */
export function distort(lens: Lens, x: number, y: number, out: Float64Array): void {
  let u = x;
  let v = y;
  if (lens.model === 'fov') {
    const r = Math.hypot(x, y);
    const omega = lens.k[0];
    const factor = r < 1e-9 ? (2 * Math.tan(omega / 2)) / omega : Math.atan(2 * r * Math.tan(omega / 2)) / (omega * r);
    out[0] = x * factor;
    out[1] = y * factor;
    return;
  }
  if (lens.model === 'division' || lens.model === 'eucm') {
    const r2 = x * x + y * y;
    const [first, second] = lens.k;
    // Directions that the division model has no picture of become NaN, which ends the valid radius.
    const factor =
      lens.model === 'division'
        ? 2 / (1 + Math.sqrt(1 - 4 * first * r2))
        : 1 / (first * Math.sqrt(second * r2 + 1) + 1 - first);
    out[0] = x * factor;
    out[1] = y * factor;
    return;
  }
  if (lens.model === 'fisheye' || lens.model === 'thin-prism') {
    const r = Math.hypot(x, y);
    const factor = r < 1e-9 ? 1 : Math.atan(r) / r;
    u *= factor;
    v *= factor;
  }
  let r2 = u * u + v * v;
  const k = lens.k;
  if (lens.model === 'thin-prism') {
    let factor = 1;
    let power = 1;
    for (const coefficient of k) {
      power *= r2;
      factor += coefficient * power;
    }
    u *= factor;
    v *= factor;
    r2 = u * u + v * v;
    const [p1, p2] = lens.p ?? [0, 0];
    const [s1, s2, s3, s4] = lens.s ?? [0, 0, 0, 0];
    out[0] = u + 2 * p1 * u * v + p2 * (r2 + 2 * u * u) + (s1 + s2 * r2) * r2;
    out[1] = v + 2 * p2 * u * v + p1 * (r2 + 2 * v * v) + (s3 + s4 * r2) * r2;
    return;
  }
  let radial = 1 + r2 * ((k[0] ?? 0) + r2 * ((k[1] ?? 0) + r2 * ((k[2] ?? 0) + r2 * (k[3] ?? 0))));
  if (lens.d) radial /= 1 + r2 * ((lens.d[0] ?? 0) + r2 * ((lens.d[1] ?? 0) + r2 * (lens.d[2] ?? 0)));
  const p1 = lens.p?.[0] ?? 0;
  const p2 = lens.p?.[1] ?? 0;
  out[0] = u * radial + 2 * p1 * u * v + p2 * (r2 + 2 * u * u) + (lens.s?.[0] ?? 0) * r2;
  out[1] = v * radial + 2 * p2 * u * v + p1 * (r2 + 2 * v * v) + (lens.s?.[1] ?? 0) * r2;
}

/**
 * The radius (in undistorted normalised coordinates) up to which the radial part grows. Beyond it polynomial models
 * fold back and would show the middle of the picture once more in the corners.
 */
export function validRadius(lens: Lens): number {
  const straight: Lens = { ...lens, p: undefined, s: undefined };
  const out = new Float64Array(2);
  let last = 0;
  for (let r = 0.005; r < 12; r += 0.005 + r * 0.01) {
    distort(straight, r, 0, out);
    if (!(out[0] > last)) return r * 0.985;
    last = out[0];
  }
  return 12;
}

/** Inverse of `distort` by Newton's method; undefined where it does not converge within the valid radius. */
export function undistortPoint(lens: Lens, xd: number, yd: number, limit: number): [number, number] | undefined {
  const f = new Float64Array(2);
  const fx = new Float64Array(2);
  const fy = new Float64Array(2);
  const h = 1e-6;
  let x = xd;
  let y = yd;
  for (let step = 0; step < 50; step++) {
    distort(lens, x, y, f);
    const ex = f[0] - xd;
    const ey = f[1] - yd;
    if (Math.abs(ex) + Math.abs(ey) < 1e-10) return Math.hypot(x, y) <= limit ? [x, y] : undefined;
    distort(lens, x + h, y, fx);
    distort(lens, x, y + h, fy);
    const a = (fx[0] - f[0]) / h;
    const b = (fy[0] - f[0]) / h;
    const c = (fx[1] - f[1]) / h;
    const d = (fy[1] - f[1]) / h;
    const det = a * d - b * c;
    if (!(Math.abs(det) > 1e-12)) return undefined;
    let dx = (d * ex - b * ey) / det;
    let dy = (a * ey - c * ex) / det;
    // A full step may jump over the fold; half the radius is as far as one step may go.
    const most = 0.5 * (1 + Math.hypot(x, y));
    const norm = Math.hypot(dx, dy);
    if (norm > most) {
      dx *= most / norm;
      dy *= most / norm;
    }
    x -= dx;
    y -= dy;
  }
  return undefined;
}

/** The same lens for a picture of another size. */
export function resizeLens(lens: Lens, width: number, height: number): Lens {
  const sx = width / lens.width;
  const sy = height / lens.height;
  return { ...lens, width, height, fx: lens.fx * sx, fy: lens.fy * sy, cx: lens.cx * sx, cy: lens.cy * sy };
}

/**
 * The pinhole camera of the undistorted picture: the same focal length, with a border added so that what a barrel lens
 * saw in its corners is kept, at most a quarter of the picture's size on each side.
 */
export function undistortedIntrinsics(lens: Lens): Omit<Camera, 'cameraToWorld'> {
  const { width, height, fx, fy, cx, cy } = lens;
  if (!isDistorted(lens)) return { width, height, fx, fy, cx, cy };
  const limit = validRadius(lens);
  let [left, top, right, bottom] = [0, 0, width, height];
  const steps = 32;
  for (let i = 0; i <= steps; i++) {
    const u = (i / steps) * width;
    const v = (i / steps) * height;
    for (const [px, py] of [
      [u, 0],
      [u, height],
      [0, v],
      [width, v],
    ]) {
      const point = undistortPoint(lens, (px - cx) / fx, (py - cy) / fy, limit);
      if (!point) continue;
      const x = point[0] * fx + cx;
      const y = point[1] * fy + cy;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
    }
  }
  const pad = (amount: number, size: number): number => Math.min(Math.ceil(amount - 1e-6), Math.floor(size / 4));
  const padLeft = pad(-left, width);
  const padTop = pad(-top, height);
  return {
    width: width + padLeft + pad(right - width, width),
    height: height + padTop + pad(bottom - height, height),
    fx,
    fy,
    cx: cx + padLeft,
    cy: cy + padTop,
  };
}
