import { describe, expect, test } from 'vitest';
import {
  cross,
  determinant3,
  dot,
  fromRows,
  identity,
  invertAffine,
  length,
  lookAt,
  type Mat4,
  multiply,
  normalize,
  smoothstep,
  transformDirection,
  transformPoint,
  transpose,
  type Vec3,
} from './math.js';

const affine = fromRows([
  [2, 1, 0, 5],
  [-1, 3, 0.5, -2],
  [0, 0.25, 1, 7],
  [0, 0, 0, 1],
]);
const close = (a: readonly number[], b: readonly number[]): void =>
  a.forEach((v, i) => {
    expect(v).toBeCloseTo(b[i], 12);
  });

describe('matrices', () => {
  test('rows of a file stand in columns', () => {
    expect(affine.slice(0, 4)).toEqual([2, -1, 0, 0]);
    expect(affine.slice(12)).toEqual([5, -2, 7, 1]);
    expect(fromRows([[1, 0, 0, 9]])[12]).toBe(9);
  });

  test('a product applies its right side first', () => {
    const turn: Mat4 = [0, 1, 0, 0, -1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
    const move = fromRows([
      [1, 0, 0, 1],
      [0, 1, 0, 0],
      [0, 0, 1, 0],
      [0, 0, 0, 1],
    ]);
    close(transformPoint(multiply(turn, move), [0, 0, 0]), [0, 1, 0]);
    close(transformPoint(multiply(move, turn), [0, 0, 0]), [1, 0, 0]);
    close(transformDirection(multiply(move, turn), [1, 0, 0]), [0, 1, 0]);
  });

  test('the inverse undoes, and a singular matrix has none', () => {
    close(multiply(affine, invertAffine(affine)), identity());
    close(multiply(invertAffine(affine), affine), identity());
    expect(() => invertAffine(multiply(affine, fromRows([[0, 0, 0, 0]])))).toThrow(RangeError);
  });

  test('the determinant tells rotations from mirrors; transposing twice changes nothing', () => {
    expect(determinant3(identity())).toBe(1);
    expect(determinant3(fromRows([[-1, 0, 0, 0]]))).toBe(-1);
    expect(transpose(transpose(affine))).toEqual(affine);
    expect(transpose(affine)[1]).toBe(1);
  });
});

describe('lookAt', () => {
  test.each<[string, Vec3, Vec3]>([
    ['from the front', [0, 0, 5], [0, 0, 0]],
    ['from above, where up is of no use', [0, 4, 0], [0, 0, 0]],
    ['from anywhere', [1, 2, 3], [-2, 0.5, 1]],
  ])('is a rotation that looks along −z: %s', (_, eye, target) => {
    const m = lookAt(eye, target);
    expect(determinant3(m)).toBeCloseTo(1, 12);
    close(transformPoint(m, [0, 0, 0]), eye);
    const forward = transformDirection(m, [0, 0, -1]);
    close(forward, normalize([target[0] - eye[0], target[1] - eye[1], target[2] - eye[2]]));
    expect(transformDirection(m, [0, 1, 0])[1]).toBeGreaterThanOrEqual(-1e-12);
  });
});

test('vectors: right-handed product, lengths, and a zero that stays zero', () => {
  expect(cross([1, 0, 0], [0, 1, 0])).toEqual([0, 0, 1]);
  expect(dot([1, 2, 3], [4, -5, 6])).toBe(12);
  expect(length([2, 3, 6])).toBe(7);
  expect(normalize([0, 0, 0])).toEqual([0, 0, 0]);
  close(normalize([0, 3, 4]), [0, 0.6, 0.8]);
});

test('smoothstep is flat at both ends and a half between', () => {
  expect([-1, 0, 0.5, 1, 2].map((x) => smoothstep(0, 1, x))).toEqual([0, 0, 0.5, 1, 1]);
  expect(smoothstep(2, 4, 2.5)).toBeCloseTo(0.15625, 12);
});
