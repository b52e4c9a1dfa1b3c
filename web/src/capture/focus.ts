import type { UnderstoodView } from './understanding.js';

/** The point nearest to all lines of sight. */
export function focus(views: UnderstoodView[]): [number, number, number] {
  const m = [0, 0, 0, 0, 0, 0];
  const v = [0, 0, 0];
  for (const { camera } of views) {
    const { pose } = camera!;
    const d = [pose[2], pose[6], pose[10]];
    const c = [pose[3], pose[7], pose[11]];
    const a = [1 - d[0] * d[0], -d[0] * d[1], -d[0] * d[2], 1 - d[1] * d[1], -d[1] * d[2], 1 - d[2] * d[2]];
    for (let i = 0; i < 6; i++) m[i] += a[i];
    v[0] += a[0] * c[0] + a[1] * c[1] + a[2] * c[2];
    v[1] += a[1] * c[0] + a[3] * c[1] + a[4] * c[2];
    v[2] += a[2] * c[0] + a[4] * c[1] + a[5] * c[2];
  }
  const [a, b, c, d, e, f] = m;
  const det = a * (d * f - e * e) - b * (b * f - c * e) + c * (b * e - c * d);
  if (Math.abs(det) < 1e-9) return [0, 0, 0];
  return [
    (v[0] * (d * f - e * e) - b * (v[1] * f - e * v[2]) + c * (v[1] * e - d * v[2])) / det,
    (a * (v[1] * f - e * v[2]) - v[0] * (b * f - c * e) + c * (b * v[2] - v[1] * c)) / det,
    (a * (d * v[2] - v[1] * e) - b * (b * v[2] - v[1] * c) + v[0] * (b * e - c * d)) / det,
  ];
}
