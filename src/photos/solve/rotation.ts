import type { Mat3 } from './svd3.js';

/** The rotation by |w| about w (Rodrigues), row-major. */
export function rotationOf(x: number, y: number, z: number): Mat3 {
  const square = x * x + y * y + z * z;
  const angle = Math.sqrt(square);
  const a = angle < 1e-4 ? 1 - square / 6 : Math.sin(angle) / angle;
  const b = angle < 1e-4 ? 0.5 - square / 24 : (1 - Math.cos(angle)) / square;
  return Float64Array.of(
    1 - b * (y * y + z * z),
    b * x * y - a * z,
    b * x * z + a * y,
    b * x * y + a * z,
    1 - b * (x * x + z * z),
    b * y * z - a * x,
    b * x * z - a * y,
    b * y * z + a * x,
    1 - b * (x * x + y * y),
  );
}

/** Angle in radians between two row-major rotations. */
export function angleBetween(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let trace = 0;
  for (let i = 0; i < 9; i++) trace += a[i] * b[i];
  // By the sine of half the angle, which is exact for small ones.
  let square = 0;
  for (let i = 0; i < 9; i++) square += (a[i] - b[i]) ** 2;
  return trace > 0 ? 2 * Math.asin(Math.min(1, Math.sqrt(square / 8))) : Math.acos(Math.max(-1, (trace - 1) / 2));
}
