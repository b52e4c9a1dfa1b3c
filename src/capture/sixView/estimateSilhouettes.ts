import { type ResolvedSixViewOptions, SIX_VIEW_DEFAULTS } from './options.js';
import { possibleArrangements, type RigEstimate, START_FOCALS } from './rig/estimateRig.js';
import { type Hypothesis, rateHypotheses } from './rig/hypotheses.js';
import type { ViewGrid } from './rig/viewGrid.js';

/** Difference in the share of the silhouettes left empty below which two hulls are equally good. */
const EQUAL = 4e-4;
/** The same on coarse hulls, which hardly show that near parts look larger; and how many are looked at finely. */
const COARSELY_EQUAL = 3e-3;
const LOOKED_AT = 8;
/** Focal lengths that are tried: fields of view of 80° to 12°. */
const FOCALS = Array.from({ length: 17 }, (_, i) => 0.6 * (4.8 / 0.6) ** (i / 16));
/**
 * Widest range (ratio of its ends) of focal lengths of which the middle is taken; within a wider one the default is.
 */
const NARROW = 2;
const MODELS = [{ model: 'linear', sign: 1 }] as const;

/**
 * Finds arrangement and focal length from silhouettes alone: the true ones leave no part of a silhouette empty in the
 * visual hull. Several may do so: then the usual arrangement is taken (the viewer's left, unturned), and the default
 * focal length where the range is wide and holds it.
 */
export async function estimateSilhouettes(
  grids: readonly ViewGrid[],
  options: ResolvedSixViewOptions,
  signal?: AbortSignal,
): Promise<RigEstimate> {
  const arrangements = possibleArrangements(options);
  const rated = await rateHypotheses(grids, {
    arrangements,
    focals: options.focal === undefined ? START_FOCALS : [options.focal],
    models: MODELS,
    signal,
  });
  const least = new Map<string, Hypothesis>();
  for (const h of rated) {
    const key = JSON.stringify(h.arrangement);
    const other = least.get(key);
    if (!other || h.uncovered < other.uncovered) least.set(key, h);
  }
  const all = arrangements.map((arrangement) => least.get(JSON.stringify(arrangement))!);
  const limit = Math.min(...all.map((h) => h.uncovered));
  const equal = all.filter((h) => h.uncovered <= limit + EQUAL);
  const close = all
    .filter((h) => h.uncovered > limit + EQUAL && h.uncovered <= limit + COARSELY_EQUAL)
    .sort((p, q) => p.uncovered - q.uncovered);
  const looked = [...equal, ...close].slice(0, LOOKED_AT).map((h) => h.arrangement);
  const scans = await rateHypotheses(grids, {
    arrangements: looked,
    focals: options.focal === undefined ? FOCALS : [options.focal],
    models: MODELS,
    voxels: 88,
    signal,
  });
  const scanOf = (arrangement: Hypothesis['arrangement']): Hypothesis[] =>
    scans.filter((h) => h.arrangement === arrangement).sort((p, q) => p.focal - q.focal);
  const bottoms = looked.map((arrangement) => ({
    arrangement,
    misfit: Math.min(...scanOf(arrangement).map((h) => h.uncovered)),
  }));
  const lowest = Math.min(...bottoms.map((r) => r.misfit));
  const [best, ...rivals] = bottoms.filter((r) => r.misfit <= lowest + EQUAL);
  const views = grids.length;
  const zeros = (): Float64Array => new Float64Array(views);
  const estimate: RigEstimate = {
    arrangement: best.arrangement,
    parameters: {
      focal: options.focal ?? SIX_VIEW_DEFAULTS.focal,
      model: 'linear',
      a: zeros(),
      b: zeros(),
      shiftX: zeros(),
      shiftY: zeros(),
    },
    focalFrom: 'option',
    misfit: best.misfit,
    rivals: [
      ...rivals,
      ...equal.slice(LOOKED_AT).map(({ arrangement, uncovered }) => ({ arrangement, misfit: uncovered })),
    ],
    inverted: false,
  };
  if (options.focal !== undefined) return estimate;
  const scan = scanOf(best.arrangement);
  const [low, high] = rangeBelow(scan, best.misfit + EQUAL);
  estimate.focalRange = [low, high];
  const usual = SIX_VIEW_DEFAULTS.focal;
  if (high / low > NARROW && usual >= low && usual <= high) {
    estimate.focalFrom = 'default';
  } else {
    estimate.focalFrom = 'pictures';
    estimate.parameters.focal = Math.sqrt(low * high);
  }
  return estimate;
}

/** Where the piecewise linear curve through the samples lies below a level around its lowest sample. */
function rangeBelow(scan: readonly Hypothesis[], level: number): [number, number] {
  let lowest = 0;
  scan.forEach((h, i) => {
    if (h.uncovered < scan[lowest].uncovered) lowest = i;
  });
  const end = (direction: 1 | -1): number => {
    let i = lowest;
    while (scan[i + direction] && scan[i + direction].uncovered <= level) i += direction;
    const next = scan[i + direction];
    if (!next) return scan[i].focal;
    const t = (level - scan[i].uncovered) / (next.uncovered - scan[i].uncovered);
    return scan[i].focal * (next.focal / scan[i].focal) ** t;
  };
  return [end(-1), end(1)];
}
