import { describe, expect, it } from 'vitest';
import { identity, type Vec3 } from '../core/math.js';
import { doubtsOf } from './doubts.js';
import { boxText, objectWarnings } from './objectWarnings.js';
import type { WorkPhoto } from './photo.js';
import { type ObjectPlace, ON_OBJECT } from './place.js';
import type { Votes } from './vote.js';

const N = 30;
const box = { min: [-1, 0, -1] as Vec3, max: [1, 2, 1] as Vec3 };
const place = (more: Partial<ObjectPlace> = {}): ObjectPlace => ({
  frame: identity(),
  box,
  core: box,
  others: [],
  stands: true,
  roughness: 0.01,
  distance: 2,
  sides: new Uint8Array(0),
  ...more,
});

/** Votes of two photos that agree on what is of the object. */
function votesOf(isObject: (x: number, y: number, z: number) => boolean): Votes {
  const side = 2 / N;
  const object = Uint16Array.from({ length: N ** 3 }, (_, cell) => {
    const [x, y, z] = [cell % N, Math.floor(cell / N) % N, Math.floor(cell / N ** 2)].map((v) => (v + 0.5) * side);
    return isObject(x - 1, y, z - 1) ? 2 : 0;
  });
  return { box, size: [N, N, N], side, object, seen: new Uint16Array(N ** 3).fill(2) };
}

const doubts = (votes: Votes, at: ObjectPlace = place(), local = new Float64Array(0)) =>
  doubtsOf({ photos: [], masks: [], votes, place: at, local, share: 0.95 });

/** Spread over a sphere. */
const directions = Array.from({ length: 60 }, (_, i): Vec3 => {
  const y = 1 - (2 * (i + 0.5)) / 60;
  const r = Math.sqrt(1 - y * y);
  return [r * Math.cos(2.4 * i), y, r * Math.sin(2.4 * i)];
});

describe('doubtsOf', () => {
  const ball = (x: number, y: number, z: number): boolean => Math.hypot(x, y - 0.75, z) < 0.75;
  const codes = (given: ReturnType<typeof doubts>, at = place()): string[] =>
    objectWarnings({ place: at, turn: identity(), masks: [], doubts: given }).map(({ code }) => code);

  it('has none of a thing that stands free and has its points on its surface', () => {
    const local = Float64Array.from(directions.flatMap(([x, y, z]) => [0.7 * x, 0.75 + 0.7 * y, 0.7 * z]));
    const at = place({ sides: new Uint8Array(60).fill(ON_OBJECT) });
    const found = doubts(votesOf(ball), at, local);
    expect(found).toEqual({
      reached: [],
      beside: [],
      together: [],
      inside: 0,
      points: undefined,
      gap: expect.any(Number),
      cutByPicture: 0,
    });
    expect(codes(found, at)).toEqual([]);
  });

  it('tells a mirror by points that lie behind its surface', () => {
    // A convex mirror shows what is far away at half its radius.
    const local = Float64Array.from(directions.flatMap(([x, y, z]) => [0.37 * x, 0.75 + 0.37 * y, 0.37 * z]));
    const found = doubts(votesOf(ball), place({ sides: new Uint8Array(60).fill(ON_OBJECT) }), local);
    expect(found.inside).toBeGreaterThan(0.9);
    expect(codes(found)).toEqual(['OBJECT_MIRRORS']);
  });

  it('tells where the object goes on beyond the box, but not into the ground', () => {
    const found = doubts(votesOf((x, y, z) => Math.abs(z) < 0.3 && y < 0.5 && x > -0.5));
    expect(found.reached).toEqual([{ axis: 0, upper: true }]);
    expect(codes(found)).toEqual(['OBJECT_CUT']);
  });

  it('tells two things that were cut out together, and proposes a box for each', () => {
    const found = doubts(votesOf((x, y, z) => Math.abs(Math.abs(x) - 0.5) < 0.2 && y < 0.9 && Math.abs(z) < 0.3));
    expect(found.together).toHaveLength(2);
    const [warning] = objectWarnings({ place: place(), turn: identity(), masks: [], doubts: found });
    expect(warning.code).toBe('OBJECT_SEVERAL');
    expect(JSON.stringify(warning.remedy)).toContain('"option":"box"');
    // A leg in the air is no thing of its own.
    const hanging = (x: number, y: number, z: number): boolean => x > 0.4 && x < 0.7 && y > 1.2 && y < 1.8 && z > 0.1;
    expect(doubts(votesOf((x, y, z) => (x < 0 && ball(x, y, z)) || hanging(x, y, z))).together).toEqual([]);
  });

  it('proposes boxes that can be taken back in scenes of any unit', () => {
    for (const size of [1e-6, 0.003, 1, 4000]) {
      const text = boxText({ min: [-size, 0, 0.5 * size], max: [size, size, 0.6 * size] });
      const [, , near, , , far] = text.split(',').map(Number);
      expect((far - near) / (0.1 * size), text).toBeCloseTo(1, 1);
    }
    expect(boxText({ min: [-1, 0, 0.25], max: [1, 1, 1] })).toBe('-1.000,0.000,0.250,1.000,1.000,1.000');
  });

  it('tells another thing beside what was cut out, unless that is part of it', () => {
    const things = directions.map(([x, y, z]): Vec3 => [2 + 0.5 * x, 0.6 + 0.5 * y, 0.5 * z]);
    const at = place({ others: [{ members: things.map((_, i) => i), score: 9 }], sides: new Uint8Array(60) });
    const found = doubts(votesOf(ball), at, Float64Array.from(things.flat()));
    expect(found.beside).toHaveLength(1);
    expect(codes(found, at)).toEqual(['OBJECT_SEVERAL']);
    const own = Float64Array.from(directions.flatMap(([x, y, z]) => [0.6 * x, 0.75 + 0.6 * y, 0.6 * z]));
    expect(doubts(votesOf(ball), at, own).beside).toEqual([]);
  });

  it('tells that points are too few to show where the object ends', () => {
    const photo = { name: 'a', votes: true, inBox: new Uint8Array(0), projection: new Float64Array(12) } as WorkPhoto;
    const found = (count: number) =>
      doubtsOf({
        photos: [photo],
        masks: [new Uint8Array(0)],
        votes: votesOf(ball),
        place: place({ sides: new Uint8Array(60).fill(ON_OBJECT) }),
        local: new Float64Array(180),
        seen: new Map([['a', Uint32Array.from({ length: count }, (_, i) => i)]]),
        share: 0.95,
      });
    expect(codes(found(10))).toEqual(['OBJECT_UNSURE']);
    expect(codes(found(40))).toEqual([]);
  });

  it('tells a cut-out that hangs in the air, and ground that is rough', () => {
    expect(codes(doubts(votesOf((x, y, z) => ball(x, y, z) && y > 0.5)))).toEqual(['OBJECT_INCOMPLETE']);
    expect(codes(doubts(votesOf(ball)), place({ roughness: 0.05 }))).toEqual(['OBJECT_GROUND_ROUGH']);
  });
});
