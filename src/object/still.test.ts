import { expect, it } from 'vitest';
import { Random } from '../core/random.js';
import type { WorkPhoto } from './photo.js';
import { stillEvidence } from './still.js';

const SIZE = 40;
const isObject = (i: number): boolean => Math.hypot((i % SIZE) - 20, Math.floor(i / SIZE) - 20) < 8;
/** A hole through the object, within the outline of its points. */
const isGap = (i: number): boolean => Math.hypot((i % SIZE) - 20, Math.floor(i / SIZE) - 20) < 3;
const guess = Uint8Array.from({ length: SIZE * SIZE }, (_, i) => Number(isObject(i)));

/** Photos of a thing before a wall; the wall moves where the camera does, and the thing changes where it has texture. */
function photosOf({ moving = false, plain = false }): WorkPhoto[] {
  return Array.from({ length: 7 }, (_, k) => {
    const [wall, thing] = [new Random(moving ? k : 99), new Random(plain ? 5 : 50 + k)];
    // Each at another exposure.
    const gain = 0.8 + 0.05 * k;
    const colors = Uint8Array.from({ length: SIZE * SIZE * 3 }, (_, byte) => {
      const i = Math.floor(byte / 3);
      const [behind, before] = [40 + wall.float() * 140, 40 + thing.float() * 140];
      return gain * (isObject(i) && !isGap(i) ? before : behind);
    });
    const whole = { width: SIZE, height: SIZE, left: 0, top: 0, partWidth: SIZE, partHeight: SIZE, votes: true };
    return { ...whole, small: { width: SIZE, height: SIZE, colors } } as WorkPhoto;
  });
}

const shares = (photos: WorkPhoto[]) => {
  const evidence = stillEvidence(
    photos,
    photos.map(() => guess),
  );
  const share = (wanted: (i: number) => boolean): number => {
    const found = Array.from({ length: SIZE * SIZE }, (_, i) => i).filter(wanted);
    return found.filter((i) => (evidence?.[3][i] ?? 0) < 0).length / found.length;
  };
  return { object: share((i) => isObject(i) && !isGap(i)), gap: share(isGap), around: share((i) => !isObject(i)) };
};

it('tells what is around a thing that turns before a camera that stands still, also through a gap', () => {
  const { object, gap, around } = shares(photosOf({}));
  expect(object).toBeLessThan(0.1);
  expect(gap).toBeGreaterThan(0.9);
  expect(around).toBeGreaterThan(0.95);
});

it('takes no thing that looks alike from all sides for its surroundings, and says nothing where the camera moves', () => {
  const { object, around } = shares(photosOf({ plain: true }));
  expect(object).toBe(0);
  expect(around).toBeGreaterThan(0.95);
  expect(stillEvidence(photosOf({ moving: true }), Array(7).fill(guess))).toBeUndefined();
});
