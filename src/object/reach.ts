import type { Bounds } from '../core/bounds.js';
import { convexHull, fillConvex, projectedCorners, type WorkPhoto } from './photo.js';
import { type BoxSide, boxGrownBy, type ObjectPlace } from './place.js';
import { hullCells, type Votes } from './vote.js';

/**
 * Share of the photos by which a cell tells that the object goes on beyond the box: a thin part is missed by some, and
 * what few photos see wrong is no part.
 */
const REACHED_BY = 0.85;
/** Cells of the object in the outermost layer of a box, over those in its fullest one, that are no accident. */
const REACHES = 0.004;
const LEAST_REACHING = 4;

/**
 * The sides of the box that the object reaches, so that it may go on beyond them: by its cells, which tell of wide
 * parts, and by masks that reach the box's outline, which tell of thin ones. What it stands on is no such side.
 */
export function reachedSides(
  photos: readonly WorkPhoto[],
  masks: readonly Uint8Array[],
  votes: Votes,
  place: ObjectPlace,
): BoxSide[] {
  const voting = photos.flatMap((photo, i) => (photo.votes ? [{ photo, mask: masks[i] }] : []));
  const hull = hullCells(votes, REACHED_BY, voting.length);
  const layers = layersOf(hull, votes.size);
  const sides = ([0, 1, 2] as const).flatMap((axis) =>
    [false, true].flatMap((upper): BoxSide[] => (place.stands && axis === 1 && !upper ? [] : [{ axis, upper }])),
  );
  return sides.filter((side) => {
    const all = layers[side.axis];
    const outermost = all[side.upper ? all.length - 1 : 0];
    if (outermost >= LEAST_REACHING && outermost >= REACHES * all.reduce((most, v) => Math.max(most, v), 0))
      return true;
    const smaller = boxGrownBy(place.box, side, -RIM * longestOf(place.box));
    const cut = voting.filter(({ photo, mask }) => crosses(photo, mask, smaller)).length;
    return cut >= Math.max(LEAST_PHOTOS, CUT_IN * voting.length);
  });
}

const longestOf = ({ min, max }: Bounds): number => Math.max(...max.map((v, k) => v - min[k]));

/** How many cells of the object are in each layer along each axis. */
function layersOf(hull: Uint8Array, size: Votes['size']): Uint32Array[] {
  const layers = size.map((n) => new Uint32Array(n));
  for (let z = 0, cell = 0; z < size[2]; z++)
    for (let y = 0; y < size[1]; y++)
      for (let x = 0; x < size[0]; x++, cell++) {
        if (!hull[cell]) continue;
        layers[0][x]++;
        layers[1][y]++;
        layers[2][z]++;
      }
  return layers;
}

/** Photos in which masks must reach the box's outline, and how near, over its longest side. */
const LEAST_PHOTOS = 3;
const CUT_IN = 0.5;
const RIM = 0.04;
/** Length along which a mask crosses a line, over the object's width, that is no accident. */
const LENGTH = 0.08;

/** Whether a mask goes on where a smaller box ends. */
function crosses(photo: WorkPhoto, mask: Uint8Array, smaller: Bounds): boolean {
  const { partWidth: width, inBox, projection } = photo;
  const corners = projectedCorners(projection, smaller);
  if (!corners) return false;
  const inSmaller = fillConvex(convexHull(corners), photo);
  let [area, length] = [0, 0];
  const beyond = (j: number): boolean => mask[j] === 1 && inBox[j] === 1 && !inSmaller[j];
  for (let i = 0; i < mask.length; i++) {
    if (!mask[i]) continue;
    area++;
    if (!inSmaller[i]) continue;
    const x = i % width;
    if ((x > 0 && beyond(i - 1)) || (x + 1 < width && beyond(i + 1)) || beyond(i - width) || beyond(i + width))
      length++;
  }
  return length > LENGTH * Math.sqrt(area);
}
