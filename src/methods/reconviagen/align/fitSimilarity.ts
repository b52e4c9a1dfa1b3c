import { solveSymmetric } from '../../../core/linearSolve.js';
import {
  type Agreement,
  type Box,
  boxOf,
  Drawing,
  type Similarity,
  type SmallPhoto,
  type SquareCamera,
  scoreOf,
} from './comparison.js';
import { about, compose, inverse, type Rotation, spreadRotations, turned } from './rotations.js';
import type { SurfacePoints } from './surfacePoints.js';

/** A photo at both sizes at which it is compared, and its camera. */
export interface Sight {
  camera: SquareCamera;
  coarse: SmallPhoto;
  fine: SmallPhoto;
}

/** Sides of the pictures that are compared, and points drawn in them. */
export const COARSE = { side: 32, points: 2_500 };
export const FINE = { side: 96, points: 40_000 };
const MIDDLE_POINTS = 5_000;

const ROTATIONS = 4608;
/** Photos by which rotations are told apart at first. */
const MOST_SIGHTS = 6;
/** Rotations that are looked at more closely, and of these the ones that are refined. */
const CLOSER = 64;
const REFINED = 6;

/**
 * How a model lies in the world of cameras that see it: all rotations are tried by the outlines, the best are moved and
 * scaled until their boxes fit, and what is left is refined by outlines and colours.
 */
export function fitSimilarity(
  points: SurfacePoints,
  sights: readonly Sight[],
  tick: (share: number) => void,
): Similarity {
  const centre = commonPoint(sights);
  const some = sights.filter(
    (_, i) => Math.floor((i * MOST_SIGHTS) / sights.length) !== Math.floor(((i - 1) * MOST_SIGHTS) / sights.length),
  );
  const middle = centroid(points);
  const scale = firstScale(points, middle, sights, centre);
  const shapes = some.map(({ coarse }) => normalisedMask(coarse));
  const rated = spreadRotations(ROTATIONS).map((rotation, i) => {
    if (i % 256 === 0) tick((0.5 * i) / ROTATIONS);
    const place = placed(rotation, scale, middle, centre);
    return { place, score: shapeScore(points, place, some, shapes) };
  });
  rated.sort((a, b) => b.score - a.score);
  const coarse = new Drawing(COARSE.side);
  const closer = rated.slice(0, CLOSER).map(({ place }) => {
    const fitted = fitBoxes(points, place, sights, coarse);
    return { place: fitted, score: meanScore(points, MIDDLE_POINTS, fitted, sights, 'coarse', coarse) };
  });
  closer.sort((a, b) => b.score - a.score);
  tick(0.6);
  const refined = closer.slice(0, REFINED).map(({ place }, i) => {
    tick(0.6 + (0.2 * i) / REFINED);
    return refineSimilarity(points, MIDDLE_POINTS, place, sights, 'coarse', 0.12);
  });
  refined.sort((a, b) => b.score - a.score);
  tick(0.8);
  return refineSimilarity(points, FINE.points, refined[0].place, sights, 'fine', 0.04).place;
}

/** How well each photo agrees with the model there. */
export function agreements(points: SurfacePoints, place: Similarity, sights: readonly Sight[]): Agreement[] {
  const drawing = new Drawing(FINE.side);
  return sights.map(({ camera, fine }) => {
    drawing.draw(points, points.positions.length / 3, place, camera);
    return drawing.compare(points, fine);
  });
}

function meanScore(
  points: SurfacePoints,
  count: number,
  place: Similarity,
  sights: readonly Sight[],
  size: 'coarse' | 'fine',
  drawing: Drawing,
): number {
  let sum = 0;
  for (const sight of sights) {
    drawing.draw(points, Math.min(count, points.positions.length / 3), place, sight.camera);
    sum += scoreOf(drawing.compare(points, sight[size]));
  }
  return sum / sights.length;
}

function centroid({ positions }: SurfacePoints): number[] {
  const sum = [0, 0, 0];
  for (let i = 0; i < positions.length; i++) sum[i % 3] += positions[i];
  return sum.map((x) => (x * 3) / positions.length);
}

/** The model turned and scaled so that its middle lies at `centre`. */
const placed = (
  rotation: Rotation,
  scale: number,
  middle: readonly number[],
  centre: readonly number[],
): Similarity => ({
  rotation,
  scale,
  translation: turned(rotation, middle).map((x, k) => centre[k] - scale * x),
});

/** Where a camera stands. */
const positionOf = ({ rotation, translation }: SquareCamera): number[] =>
  turned(inverse(rotation), translation).map((x) => -x);

/** Direction of a point of the picture, in shares of its side, of length 1. */
function rayOf({ rotation, focal, centre }: SquareCamera, [u, v]: readonly number[]): number[] {
  const ray = turned(inverse(rotation), [(u - centre[0]) / focal, -(v - centre[1]) / focal, -1]);
  const length = Math.hypot(...ray);
  return ray.map((x) => x / length);
}

/** Middle of a photo's outline, in shares of its side. */
function middleOf({ mask, side }: SmallPhoto): [number, number] {
  const box = boxOf(side, (i) => mask[i] === 1) ?? { x: 0, y: 0, width: side, height: side };
  return [(box.x + box.width / 2) / side, (box.y + box.height / 2) / side];
}

/** The point nearest to the rays through the middles of all outlines; one unit away where they hardly differ. */
function commonPoint(sights: readonly Sight[]): number[] {
  const matrix = new Float64Array(9);
  const right = new Float64Array(3);
  for (const { camera, fine } of sights) {
    const ray = rayOf(camera, middleOf(fine));
    const eye = positionOf(camera);
    for (let i = 0; i < 3; i++) {
      for (let j = 0; j < 3; j++) {
        const part = (i === j ? 1 : 0) - ray[i] * ray[j];
        matrix[i * 3 + j] += part;
        right[i] += part * eye[j];
      }
    }
  }
  const trace = matrix[0] + matrix[4] + matrix[8];
  // Where all rays are parallel one direction is left open; a little of nearly anything closes it.
  const solved = sights.length > 1 && spreadOf(matrix) > 1e-4 * trace ? solveSymmetric(matrix, right) : undefined;
  const inFront = solved && sights.every(({ camera }) => depthOf(camera, [...solved]) > 0);
  if (solved && inFront) return [...solved];
  const [{ camera, fine }] = sights;
  const [eye, ray] = [positionOf(camera), rayOf(camera, middleOf(fine))];
  return eye.map((x, k) => x + ray[k]);
}

/** Determinant over the square of the trace: nearly 0 where a direction is left open. */
function spreadOf(m: Float64Array): number {
  const determinant =
    m[0] * (m[4] * m[8] - m[5] * m[7]) - m[1] * (m[3] * m[8] - m[5] * m[6]) + m[2] * (m[3] * m[7] - m[4] * m[6]);
  return determinant / (m[0] + m[4] + m[8]) ** 2;
}

const depthOf = ({ rotation, translation }: SquareCamera, point: readonly number[]): number =>
  -(turned(rotation, point)[2] + translation[2]);

/** The scale at which the model's extent is about that of the outlines. */
function firstScale(
  { positions }: SurfacePoints,
  middle: readonly number[],
  sights: readonly Sight[],
  centre: readonly number[],
): number {
  let square = 0;
  for (let i = 0; i < positions.length; i++) square += (positions[i] - middle[i % 3]) ** 2;
  // An outline shows two of three directions.
  const radius = Math.sqrt(((square * 3) / positions.length) * (2 / 3));
  let sum = 0;
  for (const { camera, fine } of sights) {
    let [spread, count] = [0, 0];
    const [u, v] = middleOf(fine);
    for (let i = 0; i < fine.mask.length; i++) {
      if (fine.mask[i] === 0) continue;
      count++;
      spread += ((i % fine.side) / fine.side - u) ** 2 + (Math.floor(i / fine.side) / fine.side - v) ** 2;
    }
    sum += (Math.sqrt(spread / Math.max(1, count)) * depthOf(camera, centre)) / camera.focal;
  }
  return Math.max(1e-6, sum / sights.length / Math.max(1e-9, radius));
}

/** An outline moved and scaled to fill a square, so that only its shape counts. */
function normalisedMask({ mask, side }: SmallPhoto): Uint8Array {
  const result = new Uint8Array(COARSE.side ** 2);
  const box = boxOf(side, (i) => mask[i] === 1);
  if (!box) return result;
  const longest = Math.max(box.width, box.height);
  for (let i = 0; i < result.length; i++) {
    const [x, y] = [(i % COARSE.side) + 0.5, Math.floor(i / COARSE.side) + 0.5].map(
      (c) => (c / COARSE.side - 0.5) * longest,
    );
    const [u, v] = [Math.floor(box.x + box.width / 2 + x), Math.floor(box.y + box.height / 2 + y)];
    if (u >= 0 && v >= 0 && u < side && v < side) result[i] = mask[v * side + u];
  }
  return result;
}

const seen = new Uint8Array(COARSE.side ** 2);
const places = new Float32Array(COARSE.points * 2);

/** Overlap of the normalised outlines, in the mean over the photos. */
function shapeScore(
  { positions }: SurfacePoints,
  place: Similarity,
  sights: readonly Sight[],
  shapes: readonly Uint8Array[],
): number {
  const count = Math.min(COARSE.points, positions.length / 3);
  let score = 0;
  for (const [s, { camera }] of sights.entries()) {
    const m = compose(camera.rotation, place.rotation).map((x) => x * place.scale);
    const t = turned(camera.rotation, place.translation).map((x, k) => x + camera.translation[k]);
    let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
    for (let i = 0; i < count; i++) {
      const [x, y, z] = [positions[i * 3], positions[i * 3 + 1], positions[i * 3 + 2]];
      const far = Math.max(1e-6, -(m[6] * x + m[7] * y + m[8] * z + t[2]));
      const u = (m[0] * x + m[1] * y + m[2] * z + t[0]) / far;
      const v = -(m[3] * x + m[4] * y + m[5] * z + t[1]) / far;
      places[i * 2] = u;
      places[i * 2 + 1] = v;
      left = Math.min(left, u);
      right = Math.max(right, u);
      top = Math.min(top, v);
      bottom = Math.max(bottom, v);
    }
    const step = COARSE.side / Math.max(1e-9, right - left, bottom - top);
    const [x0, y0] = [(left + right) / 2, (top + bottom) / 2];
    seen.fill(0);
    for (let i = 0; i < count; i++) {
      const u = Math.min(COARSE.side - 1, Math.floor((places[i * 2] - x0) * step + COARSE.side / 2));
      const v = Math.min(COARSE.side - 1, Math.floor((places[i * 2 + 1] - y0) * step + COARSE.side / 2));
      seen[v * COARSE.side + u] = 1;
    }
    const shape = shapes[s];
    let [both, either] = [0, 0];
    for (let i = 0; i < seen.length; i++) {
      both += seen[i] & shape[i];
      either += seen[i] | shape[i];
    }
    score += either === 0 ? 0 : both / either;
  }
  return score / sights.length;
}

/** Moves and scales the model until the boxes of what is drawn and of the outlines are the same, as far as all can be. */
function fitBoxes(points: SurfacePoints, first: Similarity, sights: readonly Sight[], drawing: Drawing): Similarity {
  let place = first;
  for (let round = 0; round < 3; round++) {
    const shift = [0, 0, 0];
    let [growth, count] = [0, 0];
    for (const { camera, coarse } of sights) {
      drawing.draw(points, MIDDLE_POINTS, place, camera);
      const drawn = drawing.box();
      const wanted = boxOf(coarse.side, (i) => coarse.mask[i] === 1);
      if (!drawn || !wanted) continue;
      const far = depthOf(camera, place.translation);
      const middle = ({ x, y, width, height }: Box): number[] => [x + width / 2, y + height / 2];
      const [du, dv] = [0, 1].map((k) => ((middle(wanted)[k] - middle(drawn)[k]) / coarse.side) * (far / camera.focal));
      turned(inverse(camera.rotation), [du, -dv, 0]).forEach((x, k) => {
        shift[k] += x;
      });
      growth += Math.log((wanted.width + wanted.height) / (drawn.width + drawn.height));
      count++;
    }
    if (count === 0) return place;
    // Each photo tells nothing of its own direction, so that the mean over many falls short by a third.
    const share = sights.length > 2 ? 1.5 / count : 1 / count;
    place = {
      ...place,
      scale: place.scale * Math.exp(growth / count),
      translation: place.translation.map((x, k) => x + shift[k] * share),
    };
  }
  return place;
}

/** Tries small changes of rotation, place and scale as long as they help, then smaller ones. */
export function refineSimilarity(
  points: SurfacePoints,
  count: number,
  first: Similarity,
  sights: readonly Sight[],
  size: 'coarse' | 'fine',
  begin: number,
): { place: Similarity; score: number } {
  const drawing = new Drawing(size === 'coarse' ? COARSE.side : FINE.side);
  const rate = (place: Similarity): number => meanScore(points, count, place, sights, size, drawing);
  const middle = centroid(points);
  let best = { place: first, score: rate(first) };
  for (let step = begin; step > 0.004; step /= 2) {
    for (let improved = true, round = 0; improved && round < 6; round++) {
      improved = false;
      for (let parameter = 0; parameter < 7; parameter++) {
        for (const sign of [1, -1]) {
          const place = changed(best.place, parameter, sign * step, middle);
          const score = rate(place);
          if (score <= best.score) continue;
          best = { place, score };
          improved = true;
          break;
        }
      }
    }
  }
  return best;
}

/** Parameters 0…2 turn about the model's middle, 3…5 move by a share of its size, 6 scales about its middle. */
function changed(place: Similarity, parameter: number, by: number, middle: readonly number[]): Similarity {
  const { rotation, scale, translation } = place;
  if (parameter >= 3 && parameter < 6) {
    return { ...place, translation: translation.map((x, k) => x + (k === parameter - 3 ? 0.5 * by * scale : 0)) };
  }
  const centre = turned(rotation, middle).map((x, k) => scale * x + translation[k]);
  if (parameter === 6) return placed(rotation, scale * Math.exp(by), middle, centre);
  return placed(compose(about(parameter, by), rotation), scale, middle, centre);
}
