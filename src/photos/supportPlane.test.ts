import { describe, expect, it } from 'vitest';
import { dot, normalize, type Vec3 } from '../core/math.js';
import { Random } from '../core/random.js';
import { findSupportPlane } from './supportPlane.js';

/** A table at height −0.2 with a lump on it, tilted against the cameras' up, which stand around. */
function table(onTable: number, onObject: number, below = 0): { points: Vec3[]; normal: Vec3; centres: Vec3[] } {
  const random = new Random(4);
  const normal = normalize([0.15, 1, -0.1]);
  const side = normalize([1, -0.15, 0]);
  const other: Vec3 = [
    normal[1] * side[2] - normal[2] * side[1],
    normal[2] * side[0] - normal[0] * side[2],
    normal[0] * side[1] - normal[1] * side[0],
  ];
  const at = (u: number, v: number, h: number): Vec3 =>
    [0, 1, 2].map((k) => u * side[k] + v * other[k] + h * normal[k]) as Vec3;
  const spread = (): number => random.float() * 1.4 - 0.7;
  const points = [
    ...Array.from({ length: onTable }, () => at(spread(), spread(), -0.2 + 0.003 * random.normal())),
    ...Array.from({ length: onObject }, () => at(0.3 * spread(), 0.3 * spread(), -0.2 + 0.4 * random.float())),
    ...Array.from({ length: below }, () => at(spread(), spread(), -0.2 - 0.3 * random.float())),
  ];
  const centres = Array.from({ length: 12 }, (_, i) => at(Math.cos(i / 2), Math.sin(i / 2), 0.4));
  return { points, normal, centres };
}

describe('findSupportPlane', () => {
  it('finds the table that the object stands on, though the cameras were not held level', () => {
    const { points, normal, centres } = table(400, 600);
    const plane = findSupportPlane(points, centres, [0, 1, 0]);
    expect(plane).toBeDefined();
    if (!plane) return;
    expect(Math.acos(Math.min(1, dot(plane.normal, normal)))).toBeLessThan(0.01);
    expect(plane.height).toBeCloseTo(-0.2, 2);
    expect(findSupportPlane(points, centres, [0, 1, 0])).toEqual(plane);
  });

  it('finds none where few points are on one, where much is below, or where the cameras are', () => {
    expect(findSupportPlane(table(40, 600).points, table(1, 1).centres, [0, 1, 0])).toBeUndefined();
    const { points, centres } = table(300, 200, 300);
    expect(findSupportPlane(points, centres, [0, 1, 0])).toBeUndefined();
    const good = table(400, 300);
    expect(findSupportPlane(good.points, [...good.centres, [0, -1, 0]], [0, 1, 0])).toBeUndefined();
    expect(findSupportPlane(good.points, good.centres, [1, 0, 0])).toBeUndefined();
  });
});
