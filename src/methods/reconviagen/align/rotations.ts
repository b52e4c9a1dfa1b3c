/** A rotation as nine numbers, row by row. */
export type Rotation = readonly number[];

/** The rotation that does nothing. */
export const UPRIGHT: Rotation = [1, 0, 0, 0, 1, 0, 0, 0, 1];

/** Of a unit quaternion. */
export function rotationOf([x, y, z, w]: readonly number[]): Rotation {
  return [
    1 - 2 * (y * y + z * z),
    2 * (x * y - z * w),
    2 * (x * z + y * w),
    2 * (x * y + z * w),
    1 - 2 * (x * x + z * z),
    2 * (y * z - x * w),
    2 * (x * z - y * w),
    2 * (y * z + x * w),
    1 - 2 * (x * x + y * y),
  ];
}

/** a · b: b first. */
export function compose(a: Rotation, b: Rotation): Rotation {
  const result = new Array<number>(9);
  for (let i = 0; i < 3; i++) {
    for (let j = 0; j < 3; j++) {
      result[i * 3 + j] = a[i * 3] * b[j] + a[i * 3 + 1] * b[3 + j] + a[i * 3 + 2] * b[6 + j];
    }
  }
  return result;
}

/** The rotation back. */
export const inverse = (r: Rotation): Rotation => [r[0], r[3], r[6], r[1], r[4], r[7], r[2], r[5], r[8]];

/** A vector turned. */
export const turned = (r: Rotation, [x, y, z]: readonly number[]): [number, number, number] => [
  r[0] * x + r[1] * y + r[2] * z,
  r[3] * x + r[4] * y + r[5] * z,
  r[6] * x + r[7] * y + r[8] * z,
];

/** By `angle` radians about axis 0, 1 or 2. */
export function about(axis: number, angle: number): Rotation {
  const half = angle / 2;
  const quaternion = [0, 0, 0, Math.cos(half)];
  quaternion[axis] = Math.sin(half);
  return rotationOf(quaternion);
}

/** Ratios of the spirals, solutions of ψ⁴ = ψ + 4 and φ² = 2. */
const PSI = 1.5337511687552043;

/** `count` rotations spread evenly over all there are: super-Fibonacci spirals (Alexa 2022). */
export function spreadRotations(count: number): Rotation[] {
  return Array.from({ length: count }, (_, i) => {
    const s = i + 0.5;
    const t = s / count;
    const [r, rest] = [Math.sqrt(t), Math.sqrt(1 - t)];
    const [alpha, beta] = [(2 * Math.PI * s) / Math.SQRT2, (2 * Math.PI * s) / PSI];
    return rotationOf([r * Math.sin(alpha), r * Math.cos(alpha), rest * Math.sin(beta), rest * Math.cos(beta)]);
  });
}
