import { angleBetween } from '../solve/rotation.js';
import type { Matches } from './matcher.js';

/** Distance in pixels within which a match stayed at its place, as a share of the longer side, and at least. */
const STILL_SHARE = 1.5e-3;
const LEAST_STILL = 2;
/** Matches that make a pair one with a still or with a moving part. */
const ENOUGH = 15;
/** Share of the photos with features that still parts join, and of those that something moves in, on a turntable. */
const JOINED = 0.7;
const MOVED = 0.3;
/** Fewer photos than this do not show how they were taken. */
const LEAST_PHOTOS = 4;

/** Distance in pixels within which a match counts as one that stayed at its place. */
export const stillLimit = (longerSide: number): number => Math.max(LEAST_STILL, STILL_SHARE * longerSide);

/**
 * Rotation in radians below which a pair from a turntable rests on the surroundings all the same: on matches that
 * stayed at their place but for their noise.
 */
const LEAST_TURN = 0.03;

/** Whether the geometry of a pair from a turntable is that of what turned. */
export const isTurned = (rotation: ArrayLike<number>): boolean =>
  angleBetween(rotation, [1, 0, 0, 0, 1, 0, 0, 0, 1]) >= LEAST_TURN;

/** Splits matches by whether they stayed at their place in the picture. Places: x, y of every feature in pixels. */
export function splitStill(
  matches: Matches,
  placesA: ArrayLike<number>,
  placesB: ArrayLike<number>,
  limit: number,
): { still: Matches; moving: Matches } {
  const lists: [number[], number[]] = [[], []];
  for (let i = 0; i < matches.count; i++) {
    const [p, q] = [matches.pairs[i * 2] * 2, matches.pairs[i * 2 + 1] * 2];
    const apart = Math.hypot(placesA[p] - placesB[q], placesA[p + 1] - placesB[q + 1]);
    lists[apart <= limit ? 0 : 1].push(i);
  }
  const [still, moving] = lists.map(
    (list): Matches => ({
      count: list.length,
      pairs: Uint32Array.from(list.flatMap((i) => [matches.pairs[i * 2], matches.pairs[i * 2 + 1]])),
      ratios: Float32Array.from(list, (i) => matches.ratios[i]),
    }),
  );
  return { still, moving };
}

/** How many matches of a pair stayed at their place, and how many moved. */
export interface PairMotion {
  a: number;
  b: number;
  still: number;
  moving: number;
}

/**
 * Whether the camera stood still while the object turned: surroundings that stay at their place in the picture join
 * most photos, not neighbours alone, and in many pairs something moves before them. Photos from a hand share no place
 * of the picture but by accident; a burst shares it among a few; a still scene has nothing that moves.
 *
 * @param usable photos that count
 */
export function isTurntable(pairs: readonly PairMotion[], usable: readonly number[]): boolean {
  if (usable.length < LEAST_PHOTOS) return false;
  const joined = pairs.filter(({ still }) => still >= ENOUGH);
  const moved = new Set(joined.filter(({ moving }) => moving >= ENOUGH).flatMap(({ a, b }) => [a, b]));
  return largestComponent(joined) >= JOINED * usable.length && moved.size >= MOVED * usable.length;
}

function largestComponent(edges: readonly { a: number; b: number }[]): number {
  const neighbours = new Map<number, number[]>();
  for (const { a, b } of edges) {
    neighbours.set(a, [...(neighbours.get(a) ?? []), b]);
    neighbours.set(b, [...(neighbours.get(b) ?? []), a]);
  }
  const seen = new Set<number>();
  let largest = 0;
  for (const start of neighbours.keys()) {
    if (seen.has(start)) continue;
    const before = seen.size;
    const open = [start];
    seen.add(start);
    for (let node = open.pop(); node !== undefined; node = open.pop())
      for (const next of neighbours.get(node) ?? []) {
        if (seen.has(next)) continue;
        seen.add(next);
        open.push(next);
      }
    largest = Math.max(largest, seen.size - before);
  }
  return largest;
}

/**
 * What moved in every pair, where the photos are from a turntable: the still surroundings would win against the object,
 * and the cameras would all stand at one place.
 *
 * @param places x, y of the features of every photo, pixels
 * @param longerSides of every photo, pixels
 * @returns nothing where the camera moved
 */
export function movingPairs<Pair extends { a: number; b: number; matches: Matches }>(
  pairs: readonly Pair[],
  places: readonly ArrayLike<number>[],
  longerSides: readonly number[],
  usable: readonly number[],
): Pair[] | undefined {
  const split = pairs.map(({ a, b, matches }) =>
    splitStill(matches, places[a], places[b], stillLimit(Math.max(longerSides[a], longerSides[b]))),
  );
  const motion = pairs.map(({ a, b }, i) => ({ a, b, still: split[i].still.count, moving: split[i].moving.count }));
  if (!isTurntable(motion, usable)) return undefined;
  return pairs.map((pair, i) => ({ ...pair, matches: split[i].moving }));
}
