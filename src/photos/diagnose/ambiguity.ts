import { sub, type Vec3 } from '../../core/math.js';
import type { Pose } from '../mapper/p3p.js';
import type { Scene } from '../mapper/scene.js';
import { centreOf } from '../mapper/triangulate.js';

/** Pairs of photos that stand next to each other by the cameras found, and those of them that see unlike things. */
export interface NearPairs {
  near: number;
  unlike: number;
}

/** Widest angle in radians between the views of neighbours, and farthest step over their distance from the middle. */
const NEAR_ANGLE = 0.3;
const NEAR_STEP = 0.3;
/** Cells along each side of a picture. */
const CELLS = 4;
/** Points that a cell must be expected to show, and cells that are so judged. */
const EXPECTED = 10;
const LEAST_CELLS = 3;
/** Share of the judged cells that show none of what is expected. */
const UNLIKE_SHARE = 0.4;
/** A photo with fewer points than this share of the median is blurred or empty: what it lacks says nothing. */
const POOR = 0.4;

/**
 * Looks for what is missing (after Zach, Irschara and Bischof 2008): a photo sees, of the points that its neighbour
 * sees, about as many in every part of the picture. Where whole parts show none of them, the two are of different sides
 * that look alike, laid upon each other.
 */
export function nearPairs(scene: Scene): NearPairs {
  const counts = scene.registered().map((photo) => ({ photo, count: scene.pointCount(photo) }));
  const usual = counts.map(({ count }) => count).sort((a, b) => a - b)[counts.length >> 1] ?? 0;
  const rich = counts.filter(({ count }) => count >= POOR * usual).map(({ photo }) => photo);
  const centres = new Map(rich.map((photo) => [photo, centreOf(scene.poses[photo] as Pose)]));
  let [near, unlike] = [0, 0];
  for (const a of rich) {
    for (const b of rich) {
      if (a === b || !areNear(scene, a, b, centres)) continue;
      const verdict = looksUnlike(scene, a, b);
      if (verdict === undefined) continue;
      near++;
      if (verdict) unlike++;
    }
  }
  return { near, unlike };
}

function areNear(scene: Scene, a: number, b: number, centres: ReadonlyMap<number, Vec3>): boolean {
  const [p, q] = [scene.poses[a] as Pose, scene.poses[b] as Pose];
  let cos = 0;
  for (let k = 6; k < 9; k++) cos += p.rotation[k] * q.rotation[k];
  if (cos < Math.cos(NEAR_ANGLE)) return false;
  const step = sub(centres.get(a) as Vec3, centres.get(b) as Vec3);
  return Math.hypot(step[0], step[1], step[2]) < NEAR_STEP * medianDepth(scene, a);
}

function medianDepth(scene: Scene, photo: number): number {
  const { rotation: r, translation: t } = scene.poses[photo] as Pose;
  const depths: number[] = [];
  for (const o of scene.sightingsOf[photo]) {
    if (!scene.active[o]) continue;
    const [x, y, z] = scene.position(scene.trackOf[o]);
    depths.push(r[6] * x + r[7] * y + r[8] * z + t[2]);
  }
  return depths.sort((a, b) => a - b)[depths.length >> 1] ?? 0;
}

/** Whether parts of photo `b` show nothing of what `a` sees there; nothing where too little is expected to tell. */
function looksUnlike(scene: Scene, a: number, b: number): boolean | undefined {
  const seen = new Set<number>();
  for (const o of scene.sightingsOf[b]) if (scene.active[o]) seen.add(scene.trackOf[o]);
  const { rotation: r, translation: t } = scene.poses[b] as Pose;
  const { f, cx, cy, width, height } = scene.lensOf(b);
  const expected = new Uint32Array(CELLS * CELLS);
  const found = new Uint32Array(CELLS * CELLS);
  for (const o of scene.sightingsOf[a]) {
    if (!scene.active[o]) continue;
    const track = scene.trackOf[o];
    const [x, y, z] = scene.position(track);
    const depth = r[6] * x + r[7] * y + r[8] * z + t[2];
    if (!(depth > 0)) continue;
    const u = Math.floor(((cx + (f * (r[0] * x + r[1] * y + r[2] * z + t[0])) / depth) / width) * CELLS);
    const v = Math.floor(((cy + (f * (r[3] * x + r[4] * y + r[5] * z + t[1])) / depth) / height) * CELLS);
    if (u < 0 || v < 0 || u >= CELLS || v >= CELLS) continue;
    expected[v * CELLS + u]++;
    if (seen.has(track)) found[v * CELLS + u]++;
  }
  const judged = [...expected.keys()].filter((cell) => expected[cell] >= EXPECTED);
  if (judged.length < LEAST_CELLS) return undefined;
  return judged.filter((cell) => found[cell] === 0).length >= UNLIKE_SHARE * judged.length;
}
