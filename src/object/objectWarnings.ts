import type { Bounds } from '../core/bounds.js';
import type { Warning } from '../core/context.js';
import { type Mat4, multiply, transformPoint, type Vec3 } from '../core/math.js';
import { anyOf, option, step } from '../core/remedy.js';
import type { FoundObject } from './findObject.js';

/** Below this agreement with what all other photos show, a mask is flagged. */
export const LEAST_AGREEMENT = 0.8;
/** Roughness of the ground, in distances of the cameras, from which it may be cut out with the object. */
const ROUGH = 0.0075;
/** Share of the points that lie deep inside from which the object has no surface to be measured. */
const MIRRORS = 0.5;
/** Height above the ground, over its own, from which something of the object is missing below. */
const GAP = 0.12;
/** Points on the object that a photo shows, below which its extent is a guess. */
const FEW_POINTS = 20;
/** Share of the photos from which it matters that they do not show the whole object. */
const CUT_BY_PICTURE = 0.3;

/** What is to be told of masks that were found. */
export function objectWarnings({ place, turn, masks, doubts }: FoundObject): Warning[] {
  const frame = multiply(turn, place.frame);
  const warnings = masks.flatMap(({ name, agreement, mask }): Warning[] => {
    if (agreement >= LEAST_AGREEMENT && mask.some((v) => v > 0)) return [];
    return [
      {
        code: 'PHOTO_MASK_UNSURE',
        subject: name,
        message:
          `What was cut out of ${name} overlaps by ${(100 * agreement).toFixed(0)} % only with what the other photos ` +
          'show of the object.',
        remedy: 'Look at its cut-out; take the photo out, or give a box around the object.',
      },
    ];
  });
  const say = (code: string, message: string, remedy: Warning['remedy']): void =>
    void warnings.push({ code, subject: 'object', message, remedy });
  const { beside, together, reached, inside, points, gap, cutByPicture } = doubts;
  const { min, max } = place.core;
  if (beside.length > 0) {
    const box = boxText(boxOf(frame, beside[0]));
    const both = boxText(boxOf(frame, beside.reduce(around, place.core)));
    const middle = (b: Bounds): Vec3 => b.min.map((v, k) => (v + b.max[k]) / 2) as Vec3;
    const [a, b] = [middle(place.core), middle(beside[0])];
    say(
      'OBJECT_SEVERAL',
      `Beside what was cut out ${beside.length > 1 ? `stand ${beside.length} more things` : 'stands another thing'}, ` +
        `${Math.hypot(a[0] - b[0], a[2] - b[2]).toPrecision(2)} away, that the photos show as well: it was left out.`,
      anyOf(
        step`cut the other one out with ${option('box', box)}`,
        step`take all with ${option('box', both)}`,
        step`look at the cut-outs and leave it so`,
      ),
    );
  }
  if (together.length > 1) {
    say(
      'OBJECT_SEVERAL',
      `What was cut out is ${together.length} things that stand apart: they become one model.`,
      anyOf(
        step`cut one out with ${option('box', boxText(boxOf(frame, together[0])))}`,
        step`the other with ${option('box', boxText(boxOf(frame, together[1])))}`,
        step`look at the cut-outs and leave it so`,
      ),
    );
  }
  if (place.stands && place.roughness > ROUGH * place.distance) {
    const percent = ((100 * place.roughness) / Math.max(...max.map((v, k) => v - min[k]))).toFixed(0);
    say(
      'OBJECT_GROUND_ROUGH',
      `What the object lies on is uneven by about ${percent} % of the object's size, as cloth is: folds of it may be ` +
        'cut out with the object, or parts of the object that lie in them left out.',
      'Look at the cut-outs; lay the object on something flat, or give masks.',
    );
  }
  if (reached.length > 0) {
    say(
      'OBJECT_CUT',
      'The cut-outs end at the sides of the box in which the object was looked for: it goes on beyond them, or what is ' +
        'around it was taken for it.',
      anyOf(
        step`look at the cut-outs, and say where the object is with ${option('box')}`,
        step`${option('rectangles')}`,
      ),
    );
  }
  if (points !== undefined && points < FEW_POINTS) {
    say(
      'OBJECT_UNSURE',
      `A photo shows ${points} points that are surely on the object: where it ends is guessed from colours, and the ` +
        'cut-outs may lack parts of it.',
      anyOf(
        step`look at the cut-outs, and say where the object is with ${option('box')}`,
        step`stick a few patterned marks on it`,
      ),
    );
  }
  if (gap > GAP) {
    say(
      'OBJECT_INCOMPLETE',
      `What was cut out begins ${(100 * gap).toFixed(0)} % of its height above what it stands on: its lower part was ` +
        'taken for the ground, as happens where it mirrors the ground or is of the same colour.',
      anyOf(step`look at the cut-outs and give masks`, step`lay the object on something of another colour`),
    );
  }
  if (inside !== undefined && inside > MIRRORS) {
    say(
      'OBJECT_MIRRORS',
      `${(100 * inside).toFixed(0)} % of the points on the object lie deep inside its outlines: it mirrors or lets light ` +
        'through, so that they are what is seen in it, and its shape can be had from its outline alone.',
      'Dust it, or stick a few patterned marks on it.',
    );
  }
  const whole = masks.length;
  if (cutByPicture > CUT_BY_PICTURE * whole) {
    say(
      'OBJECT_LEAVES_PICTURES',
      `${cutByPicture} of ${whole} photos do not show the whole object: the border of the picture cuts it.`,
      'Step back, so that all of it is inside of most photos.',
    );
  }
  return warnings;
}

/** The box that holds two. */
const around = (a: Bounds, b: Bounds): Bounds => ({
  min: a.min.map((v, k) => Math.min(v, b.min[k])) as Vec3,
  max: a.max.map((v, k) => Math.max(v, b.max[k])) as Vec3,
});

/** Room that a box that is proposed leaves around what was seen, over its longest side. */
const ROOM = 0.1;

/** The box in the world around a box of a frame, with some room. */
export function boxOf(frame: Mat4, { min, max }: Bounds, room = ROOM): Bounds {
  const margin = room * Math.max(...max.map((v, k) => v - min[k]));
  const corners = Array.from({ length: 8 }, (_, i): Vec3 => {
    const at = [0, 1, 2].map((k) => ((i >> k) & 1 ? max[k] + margin : min[k] - margin)) as Vec3;
    return transformPoint(frame, at);
  });
  const ends = (end: (...values: number[]) => number): Vec3 =>
    [0, 1, 2].map((k) => end(...corners.map((c) => c[k]))) as Vec3;
  return { min: ends(Math.min), max: ends(Math.max) };
}

/** With as many decimals as three digits of its shortest side need: scenes may be in any unit. */
export function boxText({ min, max }: Bounds): string {
  const shortest = Math.min(...max.map((v, k) => v - min[k]));
  const decimals = Math.min(20, Math.max(3, 2 - Math.floor(Math.log10(shortest))));
  return [...min, ...max].map((v) => v.toFixed(decimals)).join(',');
}
