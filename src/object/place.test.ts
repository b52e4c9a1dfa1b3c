import { describe, expect, it } from 'vitest';
import type { Camera } from '../core/camera.js';
import { lookAt, type Vec3 } from '../core/math.js';
import { Random } from '../core/random.js';
import { BESIDE, findPlace, ON_OBJECT } from './place.js';

const cameras = Array.from({ length: 8 }, (_, i): Camera => {
  const a = (Math.PI * i) / 4;
  const cameraToWorld = lookAt([Math.cos(a), 0.8, Math.sin(a)], [0, 0.1, 0]);
  return { cameraToWorld, width: 400, height: 300, fx: 400, fy: 400, cx: 200, cy: 150 };
});

/** Points on the sides and the top of a block that stands at x. */
function block(random: Random, x: number, count = 700): Vec3[] {
  return Array.from({ length: count }, () => {
    const p: Vec3 = [random.float() * 0.24 - 0.12, random.float() * 0.3, random.float() * 0.24 - 0.12];
    const face = random.integer(5);
    if (face === 4) p[1] = 0.3;
    else p[face % 2 === 0 ? 0 : 2] = face < 2 ? 0.12 : -0.12;
    return [p[0] + x, p[1], p[2]];
  });
}

function ground(random: Random, heightAt: (x: number, z: number) => number): Vec3[] {
  return Array.from({ length: 2500 }, () => {
    const [x, z] = [random.float() * 1.4 - 0.7, random.float() * 1.4 - 0.7];
    return [x, heightAt(x, z) + 0.001 * random.normal(), z];
  });
}

const placeOf = (points: readonly Vec3[]) => findPlace(cameras, Float64Array.from(points.flat()), new Random(0));

describe('findPlace', () => {
  it('finds what stands on a table, and the table flat', () => {
    const random = new Random(1);
    const things = block(random, 0);
    const place = placeOf([...things, ...ground(random, () => 0)]);
    expect(place).toMatchObject({ stands: true, others: [] });
    expect(place?.roughness).toBeLessThan(0.01 * (place?.distance ?? 0));
    expect(place?.box.max[1]).toBeGreaterThan(0.3);
    expect(place?.box.min[1]).toBe(0);
  });

  it('takes no folds of a blanket for the object', () => {
    const random = new Random(2);
    const folds = (x: number, z: number): number =>
      0.03 * Math.sin(9 * x + 1) * Math.cos(7 * z) + 0.02 * Math.sin(23 * z);
    const things = block(random, 0);
    const points = [...things, ...ground(random, folds)];
    const place = placeOf(points);
    expect(place?.stands).toBe(true);
    const taken = points.flatMap((p, i) => (place?.sides[i] === ON_OBJECT ? [p] : []));
    expect(taken.length).toBeGreaterThan(0.4 * things.length);
    expect(taken.filter(([x, , z]) => Math.max(Math.abs(x), Math.abs(z)) > 0.125)).toEqual([]);
    // Nothing of it is taken for the ground, however low.
    expect(things.filter((_, i) => place?.sides[i] === BESIDE)).toEqual([]);
    expect(place?.roughness).toBeGreaterThan(0.01 * (place?.distance ?? 0));
    expect(place?.box.min[1]).toBeLessThan(0);
  });

  it('tells of a second thing on the table', () => {
    const random = new Random(3);
    const place = placeOf([...block(random, -0.19), ...block(random, 0.19, 600), ...ground(random, () => 0)]);
    expect(place?.others).toHaveLength(1);
    expect(place?.others[0].members.length).toBeGreaterThan(400);
  });
});
