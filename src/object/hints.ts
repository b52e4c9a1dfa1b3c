import { basename } from 'node:path';
import type { View } from '../capture/capture.js';
import type { Bounds } from '../core/bounds.js';
import type { Camera } from '../core/camera.js';
import { PlinthError } from '../core/errors.js';
import { invertAffine, transformPoint, type Vec3 } from '../core/math.js';
import { projected, projectionOf } from './photo.js';
import type { ObjectPlace } from './place.js';

/** Left, top, right, bottom in pixels of the upright picture at full size. */
export type Rectangle = readonly [number, number, number, number];

/** What a user says about where the object is. */
export interface ObjectHints {
  /** A box in the world that holds all of it, as `plinth inspect` prints one. */
  box?: Bounds;
  /** Rectangles that hold all of it in some of the pictures, by the name of the view or of the picture's file. */
  rectangles?: Readonly<Record<string, Rectangle>>;
}

/**
 * The rectangles in the order of the views.
 * @throws OPTION_INVALID for names of no view and for rectangles that are none
 */
export function rectanglesOf(views: readonly View[], { rectangles }: ObjectHints): (Rectangle | undefined)[] {
  const found = views.map((): Rectangle | undefined => undefined);
  for (const [name, rectangle] of Object.entries(rectangles ?? {})) {
    const i = views.findIndex((view) => view.name === name || basename(view.source) === name);
    if (i < 0) {
      throw new PlinthError('OPTION_INVALID', {
        found: `There is a rectangle for ${name}, which is no picture with a camera`,
        expected: `names of pictures such as ${basename(views[0].source)}`,
        subject: 'rectangles',
      });
    }
    const { width, height } = views[i].camera;
    const [left, top, right, bottom] = rectangle;
    const sound = rectangle.length === 4 && left < right && top < bottom;
    if (!sound || right <= 0 || bottom <= 0 || left >= width || top >= height) {
      throw new PlinthError('OPTION_INVALID', {
        found: `The rectangle of ${name} is ${JSON.stringify(rectangle)}`,
        expected: `left, top, right, bottom in pixels of a picture of ${width} × ${height}`,
        subject: 'rectangles',
      });
    }
    found[i] = rectangle;
  }
  return found;
}

/** The box of a place's frame around a box of the world. */
export function boxInFrame(place: Pick<ObjectPlace, 'frame' | 'stands'>, { min, max }: Bounds): Bounds {
  const toFrame = invertAffine(place.frame);
  const corners = Array.from({ length: 8 }, (_, i) =>
    transformPoint(toFrame, [i & 1 ? max[0] : min[0], i & 2 ? max[1] : min[1], i & 4 ? max[2] : min[2]]),
  );
  const ends = (end: (...values: number[]) => number): Vec3 =>
    [0, 1, 2].map((k) => end(...corners.map((c) => c[k]))) as Vec3;
  const box = { min: ends(Math.min), max: ends(Math.max) };
  if (place.stands && box.max[1] > 0) box.min[1] = Math.max(0, box.min[1]);
  return box;
}

const CELLS = 48;
const PASSES = 2;

/**
 * The part of space that all rectangles allow, in a place's frame.
 * @throws OPTION_INVALID where they have nothing in common
 */
export function boxOfRectangles(
  place: Pick<ObjectPlace, 'frame' | 'stands' | 'distance'>,
  cameras: readonly Camera[],
  rectangles: readonly (Rectangle | undefined)[],
): Bounds {
  const given = rectangles.flatMap((rectangle, i) =>
    rectangle ? [{ rectangle, projection: projectionOf(cameras[i], place.frame) }] : [],
  );
  const reach = 0.9 * place.distance;
  let box: Bounds = { min: [-reach, place.stands ? 0 : -reach, -reach], max: [reach, reach, reach] };
  for (let pass = 0; pass < PASSES; pass++) {
    const side = box.max.map((v, k) => (v - box.min[k]) / CELLS);
    const min: Vec3 = [Infinity, Infinity, Infinity];
    const max: Vec3 = [-Infinity, -Infinity, -Infinity];
    for (let cell = 0; cell < CELLS ** 3; cell++) {
      const at = [cell % CELLS, Math.floor(cell / CELLS) % CELLS, Math.floor(cell / CELLS ** 2)];
      const [x, y, z] = at.map((v, k) => box.min[k] + (v + 0.5) * side[k]);
      const allowed = given.every(({ rectangle, projection }) => {
        const p = projected(projection, x, y, z);
        return p && p[0] >= rectangle[0] && p[1] >= rectangle[1] && p[0] < rectangle[2] && p[1] < rectangle[3];
      });
      if (!allowed) continue;
      for (let k = 0; k < 3; k++) {
        min[k] = Math.min(min[k], box.min[k] + at[k] * side[k]);
        max[k] = Math.max(max[k], box.min[k] + (at[k] + 1) * side[k]);
      }
    }
    if (!(min[0] < max[0])) {
      throw new PlinthError('OPTION_INVALID', {
        found: 'The rectangles have nothing in common: no place is inside all of them',
        expected: 'a rectangle around the same object in each of these pictures',
        subject: 'rectangles',
      });
    }
    box = { min, max };
  }
  return box;
}
