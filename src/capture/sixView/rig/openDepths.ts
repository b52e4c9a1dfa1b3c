import type { Fitting } from './coarseFit.js';
import type { Hypothesis } from './hypotheses.js';
import { accumulate } from './normalEquations.js';
import { relativePoses } from './relativePoses.js';
import { copyParameters, type RigParameters } from './rigParameters.js';
import { sampleCells } from './samplePoint.js';

/** How deep a depth map reaches where the other views do not tell it, in sizes of the object. */
export interface OpenDepth {
  /** Index of the view. */
  view: number;
  /** Least and greatest depth that fit as well. */
  least: number;
  greatest: number;
}

/** Points of each view, and the scale of the robust loss, as a share of the object's size. */
const SAMPLES = 500;
const SIGMA = 0.006;
/** Loss that a map may have more than now and still fit as well. */
const AS_WELL = 1.5e-3;
/** Ratio of the depths that are tried one after the other, and where they end, in sizes of the object. */
const STEP = 1.04;
const SHALLOWEST = 0.01;
const DEEPEST = 1.5;
/** Depths that differ by less than this are one. */
const OPEN = 0.08;
/** How thick walls are taken to be. */
const WALL = 0.01;

/**
 * Finds the views whose depth map may reach less deep or deeper and still fit: the inside of a cup is seen from above
 * alone, and nothing but the wall around it bounds its depth. Hollow things have thin walls, so that the map is taken
 * to reach nearly as deep as that wall lets it. Changes the parameters in place.
 */
export function openDepths({ grids, base }: Fitting, { arrangement, sign }: Hypothesis, p: RigParameters): OpenDepth[] {
  if (base.metric || p.model !== 'linear') return [];
  const poses = relativePoses(grids, arrangement);
  const samples = grids.map((grid) => sampleCells(grid, SAMPLES));
  const size = (2 * Math.max(...grids.map((grid) => Math.max(grid.extentX, grid.extentY)))) / p.focal;
  const settings = { sigma: SIGMA * size, behind: 0 };
  const found: OpenDepth[] = [];
  grids.forEach((grid, view) => {
    const [low, high] = grid.ends;
    if (!grid.hasDepth || !(high > low)) return;
    // The nearest value stays where it is: nothing hides that point from its camera.
    const nearest = sign > 0 ? low : high;
    const near = p.a[view] * nearest + p.b[view];
    const reaching = (depth: number): RigParameters => {
      const q = copyParameters(p);
      q.a[view] = (sign * depth * size) / (high - low);
      q.b[view] = near - q.a[view] * nearest;
      return q;
    };
    const costOf = (q: RigParameters): number => accumulate(grids, samples, poses, q, settings, view, true).cost;
    const limit = costOf(p) + AS_WELL;
    // What is not told can come out flat, and then even the wrong way round.
    const own = Math.max(SHALLOWEST, (sign * p.a[view] * (high - low)) / size);
    const end = (step: number): number => {
      let depth = own;
      while (depth * step > SHALLOWEST && depth * step < DEEPEST && costOf(reaching(depth * step)) <= limit) {
        depth *= step;
      }
      return depth;
    };
    const [least, greatest] = [end(1 / STEP), end(STEP)];
    if (greatest - least < OPEN) return;
    found.push({ view, least, greatest });
    const chosen = reaching(Math.max(own, greatest - WALL));
    p.a[view] = chosen.a[view];
    p.b[view] = chosen.b[view];
  });
  return found;
}
