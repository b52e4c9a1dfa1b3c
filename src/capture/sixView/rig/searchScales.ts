import { throwIfCancelled } from '../../../core/errors.js';
import { pause } from '../../../core/pause.js';
import { Comparison, NOTHING, RESIDUAL } from './comparison.js';
import { type HullReach, spanHull } from './fitRig.js';
import type { Hypothesis } from './hypotheses.js';
import { type Relative, relativePoses } from './relativePoses.js';
import type { Arrangement } from './rig.js';
import type { RigParameters } from './rigParameters.js';
import { SamplePoint, sampleCells } from './samplePoint.js';
import type { ViewGrid } from './viewGrid.js';

/** Ratio of neighbouring focal lengths that are tried, and their ends: fields of view of about 95° to 8°. */
const FOCAL_STEP = 1.3;
const SHORTEST = 0.46;
const LONGEST = 7;
/** Shares of the hull's depth that a map's values may span. */
const SHARES = [0.06, 0.12, 0.2, 0.29, 0.39, 0.5, 0.62, 0.75, 0.88, 1];
/** Points of each view. */
const SAMPLES = 90;
/** Scale of the robust loss, as a share of the object's size, and the weight of what lies behind a surface. */
const SIGMA = 0.03;
const BEHIND = 0.15;
/** Weight of the silhouettes that an arrangement leaves empty. */
const UNCOVERED_WEIGHT = 2;
/** Rounds in which every view takes the span that suits the others best. */
const ROUNDS = 8;

/**
 * Looks for depth scales, focal lengths and meanings of the names everywhere: where a visual hull says little about the
 * surface, as of see-through and winding objects, fits that start from it end in the wrong valley.
 *
 * Every map's nearest value lies on the hull's nearest point, which nothing can hide; how far it reaches from there is
 * one of a few spans. How two maps with their spans suit each other depends on no other map, so that all pairs
 * of spans are compared once for every way in which the two views can lie to each other; then every arrangement takes
 * the spans with the least sum over its pairs.
 *
 * @param rated hypotheses with the hull's reach, of all arrangements
 * @param focal the focal length, where it is known
 * @returns for every arrangement and focal length the best hypothesis; best first
 */
export async function searchScales(
  grids: readonly ViewGrid[],
  rated: readonly Hypothesis[],
  sign: 1 | -1,
  focal?: number,
  signal?: AbortSignal,
): Promise<Hypothesis[]> {
  const samples = grids.map((grid) => sampleCells(grid, SAMPLES));
  const arrangements = new Map(rated.map((h) => [JSON.stringify(h.arrangement), h.arrangement]));
  const out: Hypothesis[] = [];
  for (const f of focal === undefined ? focalLengths() : [focal]) {
    const tables = new Map<string, Float32Array>();
    for (const left of ['viewer', 'object'] as const) {
      const same = rated.filter((h) => h.arrangement.left === left);
      if (same.length === 0) continue;
      const spans = spansOf(grids, same, f, sign);
      for (const [name, arrangement] of arrangements) {
        if (arrangement.left !== left) continue;
        throwIfCancelled(signal);
        const poses = relativePoses(grids, arrangement);
        const pairs = pairTables(grids, samples, spans, f, arrangement, poses, tables);
        const { chosen, cost } = bestSpans(grids.length, spans, pairs);
        const own = rated.filter((h) => JSON.stringify(h.arrangement) === name);
        const nearest = closest(own, f);
        // A hull at quite another focal length leaves silhouettes empty that this arrangement fills.
        const uncovered = Math.min(...own.map((h) => h.uncovered));
        const shrink = nearest.focal / f;
        out.push({
          arrangement,
          focal: f,
          model: 'linear',
          sign,
          a: Float64Array.from(chosen, (k, i) => spans[i][k].a),
          b: Float64Array.from(chosen, (k, i) => spans[i][k].b),
          near: nearest.near.map((z) => 1 + (z - 1) * shrink),
          far: nearest.far.map((z) => 1 + (z - 1) * shrink),
          uncovered,
          score: cost + UNCOVERED_WEIGHT * uncovered,
        });
      }
    }
    await pause();
  }
  return out.sort((p, q) => p.score - q.score);
}

function focalLengths(): number[] {
  const out: number[] = [];
  for (let f = SHORTEST; f < LONGEST; f *= FOCAL_STEP) out.push(f);
  return out;
}

const closest = (list: readonly Hypothesis[], focal: number): Hypothesis =>
  list.reduce((p, q) => (Math.abs(Math.log(q.focal / focal)) < Math.abs(Math.log(p.focal / focal)) ? q : p));

interface Span {
  a: number;
  b: number;
}

/** The depth coefficients that are tried for every view: one that does not matter where there is no depth map. */
function spansOf(grids: readonly ViewGrid[], rated: readonly Hypothesis[], focal: number, sign: 1 | -1): Span[][] {
  const { focal: hullFocal } = closest(rated, focal);
  const same = rated.filter((h) => h.focal === hullFocal);
  const reach: HullReach = {
    focal: hullFocal,
    near: same[0].near.map((_, i) => Math.min(...same.map((h) => h.near[i]))),
    far: same[0].far.map((_, i) => Math.max(...same.map((h) => h.far[i]))),
  };
  return grids.map((grid, i) => {
    if (!grid.hasDepth) return [{ a: 0, b: 1 }];
    return SHARES.map((share) => {
      const p = parametersAt(grids.length, focal, sign);
      spanHull(p, i, share, grid.ends, reach);
      return { a: p.a[i], b: p.b[i] };
    });
  });
}

const parametersAt = (views: number, focal: number, sign: number): RigParameters => ({
  focal,
  model: 'linear',
  a: new Float64Array(views).fill(sign),
  b: new Float64Array(views).fill(1),
  shiftX: new Float64Array(views),
  shiftY: new Float64Array(views),
});

/** Loss of each pair of views for every two spans, `[i * views + j][span of i * spans of j + span of j]`, for i < j. */
function pairTables(
  grids: readonly ViewGrid[],
  samples: readonly Int32Array[],
  spans: readonly Span[][],
  focal: number,
  arrangement: Arrangement,
  poses: readonly Relative[][],
  known: Map<string, Float32Array>,
): (Float32Array | undefined)[] {
  const views = grids.length;
  const turnOf = (i: number): number =>
    grids[i].name === 'top' ? arrangement.topTurn : grids[i].name === 'bottom' ? arrangement.bottomTurn : 0;
  const out: (Float32Array | undefined)[] = [];
  for (let i = 0; i < views; i++)
    for (let j = i + 1; j < views; j++) {
      const key = `${arrangement.left} ${i} ${turnOf(i)} ${j} ${turnOf(j)}`;
      let table = known.get(key);
      if (!table) {
        table = new Float32Array(spans[i].length * spans[j].length);
        addLoss(grids, samples[i], spans, focal, poses[i][j], i, j, table, spans[j].length, 1);
        addLoss(grids, samples[j], spans, focal, poses[j][i], j, i, table, 1, spans[j].length);
        known.set(key, table);
      }
      out[i * views + j] = table;
    }
  return out;
}

/** Adds the mean loss of the points of view i in view j to a table with these strides of i's and j's spans. */
function addLoss(
  grids: readonly ViewGrid[],
  cells: Int32Array,
  spans: readonly Span[][],
  focal: number,
  pose: Relative,
  i: number,
  j: number,
  table: Float32Array,
  strideI: number,
  strideJ: number,
): void {
  const p = parametersAt(grids.length, focal, 1);
  const sigma = (SIGMA * 2 * Math.max(...grids.map((g) => Math.max(g.extentX, g.extentY)))) / focal;
  const settings = { sigma, behind: BEHIND };
  const point = new SamplePoint();
  const comparison = new Comparison();
  const share = 1 / Math.max(1, cells.length);
  for (let u = 0; u < spans[i].length; u++) {
    p.a[i] = spans[i][u].a;
    p.b[i] = spans[i][u].b;
    for (const c of cells) {
      const isThere = point.lift(grids[i], c, p, i);
      for (let v = 0; v < spans[j].length; v++) {
        let loss = 1;
        if (isThere) {
          p.a[j] = spans[j][v].a;
          p.b[j] = spans[j][v].b;
          const outcome = comparison.make(point, pose, grids[j], p, j, settings);
          if (outcome === NOTHING) loss = 0;
          else if (outcome === RESIDUAL) {
            const scaled = (comparison.residual / sigma) ** 2;
            loss = (comparison.weight * scaled) / (1 + scaled);
          }
        }
        table[u * strideI + v * strideJ] += loss * share;
      }
    }
  }
}

/** The spans with the least sum over all pairs, from every span that all views may share, one view after the other. */
function bestSpans(
  views: number,
  spans: readonly Span[][],
  pairs: readonly (Float32Array | undefined)[],
): { chosen: Int32Array; cost: number } {
  const lossOf = (i: number, u: number, j: number, v: number): number =>
    i < j ? pairs[i * views + j]![u * spans[j].length + v] : pairs[j * views + i]![v * spans[i].length + u];
  const own = (chosen: Int32Array, i: number, u: number): number => {
    let sum = 0;
    for (let j = 0; j < views; j++) if (j !== i) sum += lossOf(i, u, j, chosen[j]);
    return sum;
  };
  let best = new Int32Array(views);
  let least = Number.POSITIVE_INFINITY;
  for (let start = 0; start < SHARES.length; start++) {
    const chosen = Int32Array.from(spans, (list) => Math.min(start, list.length - 1));
    for (let round = 0; round < ROUNDS; round++) {
      let changed = false;
      for (let i = 0; i < views; i++) {
        let [at, lowest] = [chosen[i], own(chosen, i, chosen[i])];
        for (let u = 0; u < spans[i].length; u++) {
          const cost = own(chosen, i, u);
          if (cost < lowest - 1e-9) [at, lowest] = [u, cost];
        }
        if (at !== chosen[i]) changed = true;
        chosen[i] = at;
      }
      if (!changed) break;
    }
    let sum = 0;
    for (let i = 0; i < views; i++) sum += own(chosen, i, chosen[i]);
    if (sum < least) [best, least] = [chosen, sum];
  }
  // Every pair was counted from both its ends, and has a mean from both.
  return { chosen: best, cost: least / (2 * views * (views - 1)) };
}
