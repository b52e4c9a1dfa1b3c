/** Small vectors and 4×4 matrices in float64. Matrices are column-major arrays of 16 numbers, as in WebGPU and glTF. */
export type Vec2 = [number, number];
/** x, y, z. */
export type Vec3 = [number, number, number];
export type Vec4 = [number, number, number, number];
/** Column-major 4×4: element (row r, column c) is at `c * 4 + r`. */
export type Mat4 = number[];

export const add = (a: Vec3, b: Vec3): Vec3 => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
export const sub = (a: Vec3, b: Vec3): Vec3 => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
export const scale = (a: Vec3, s: number): Vec3 => [a[0] * s, a[1] * s, a[2] * s];
export const dot = (a: Vec3, b: Vec3): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
export const cross = (a: Vec3, b: Vec3): Vec3 => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];
export const length = (a: Vec3): number => Math.hypot(a[0], a[1], a[2]);
/** Unit vector; the zero vector stays zero. */
export function normalize(a: Vec3): Vec3 {
  const n = length(a);
  return n > 0 ? scale(a, 1 / n) : [0, 0, 0];
}

export const identity = (): Mat4 => [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];

/** The product a·b. */
export function multiply(a: Mat4, b: Mat4): Mat4 {
  const out = new Array<number>(16).fill(0);
  for (let c = 0; c < 4; c++)
    for (let r = 0; r < 4; r++) {
      let s = 0;
      for (let k = 0; k < 4; k++) s += a[k * 4 + r] * b[c * 4 + k];
      out[c * 4 + r] = s;
    }
  return out;
}

export function transpose(m: Mat4): Mat4 {
  const out = new Array<number>(16);
  for (let c = 0; c < 4; c++) for (let r = 0; r < 4; r++) out[r * 4 + c] = m[c * 4 + r];
  return out;
}

/** From rows, as matrices are written in JSON files (`transform_matrix`). */
export function fromRows(rows: readonly (readonly number[])[]): Mat4 {
  const out = identity();
  for (let r = 0; r < rows.length && r < 4; r++) for (let c = 0; c < 4; c++) out[c * 4 + r] = rows[r][c];
  return out;
}

export function transformPoint(m: Mat4, p: Vec3): Vec3 {
  return [
    m[0] * p[0] + m[4] * p[1] + m[8] * p[2] + m[12],
    m[1] * p[0] + m[5] * p[1] + m[9] * p[2] + m[13],
    m[2] * p[0] + m[6] * p[1] + m[10] * p[2] + m[14],
  ];
}

export function transformDirection(m: Mat4, d: Vec3): Vec3 {
  return [
    m[0] * d[0] + m[4] * d[1] + m[8] * d[2],
    m[1] * d[0] + m[5] * d[1] + m[9] * d[2],
    m[2] * d[0] + m[6] * d[1] + m[10] * d[2],
  ];
}

/** The determinant of the upper-left 3×3 part: +1 for a rotation, −1 for a mirrored one. */
export function determinant3(m: Mat4): number {
  return dot([m[0], m[1], m[2]], cross([m[4], m[5], m[6]], [m[8], m[9], m[10]]));
}

/** The inverse of an affine matrix (last row 0 0 0 1). Throws `RangeError` where it is singular. */
export function invertAffine(m: Mat4): Mat4 {
  const a: Vec3 = [m[0], m[1], m[2]];
  const b: Vec3 = [m[4], m[5], m[6]];
  const c: Vec3 = [m[8], m[9], m[10]];
  const det = dot(a, cross(b, c));
  if (!Number.isFinite(det) || Math.abs(det) < 1e-30) throw new RangeError('singular matrix');
  const r0 = scale(cross(b, c), 1 / det);
  const r1 = scale(cross(c, a), 1 / det);
  const r2 = scale(cross(a, b), 1 / det);
  const t: Vec3 = [m[12], m[13], m[14]];
  return [
    r0[0],
    r1[0],
    r2[0],
    0,
    r0[1],
    r1[1],
    r2[1],
    0,
    r0[2],
    r1[2],
    r2[2],
    0,
    -dot(r0, t),
    -dot(r1, t),
    -dot(r2, t),
    1,
  ];
}

/** A camera-to-world matrix (OpenGL axes: x right, y up, looking along −z) at `eye`, looking at `target`. */
export function lookAt(eye: Vec3, target: Vec3, up: Vec3 = [0, 1, 0]): Mat4 {
  const z = normalize(sub(eye, target));
  let x = cross(up, z);
  if (length(x) < 1e-6) x = cross(Math.abs(z[2]) < 0.9 ? [0, 0, 1] : [1, 0, 0], z);
  x = normalize(x);
  const y = cross(z, x);
  return [...x, 0, ...y, 0, ...z, 0, ...eye, 1];
}

/** 0 up to `from`, 1 from `to` on, and between them a cubic without kinks, as in GLSL and WGSL. */
export function smoothstep(from: number, to: number, x: number): number {
  const t = Math.min(1, Math.max(0, (x - from) / (to - from)));
  return t * t * (3 - 2 * t);
}
