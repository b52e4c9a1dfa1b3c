import { throwIfCancelled } from '../../../core/errors.js';
import { pause } from '../../../core/pause.js';
import { type ResolvedSixViewOptions, SIX_VIEW_DEFAULTS } from '../options.js';
import { colorDifference } from './colorAgreement.js';
import { type FitSettings, fitRig, type MetricDepth, type RigFit, spanHull } from './fitRig.js';
import { type Hypothesis, rateHypotheses } from './hypotheses.js';
import type { Arrangement } from './rig.js';
import { copyParameters, type NormalEquations, type RigParameters } from './rigResiduals.js';
import type { ViewGrid } from './viewGrid.js';

export interface RigEstimate {
  arrangement: Arrangement;
  parameters: RigParameters;
  /** Where the focal length comes from; `default` where the pictures fit a wide range of focal lengths. */
  focalFrom: 'option' | 'pictures' | 'default';
  /** Standard deviation of the logarithm of the focal length; only with depth maps. */
  focalDeviation?: number;
  /** Focal lengths over width that the silhouettes allow; only without depth maps. */
  focalRange?: [number, number];
  /** Disagreement after a coarse fit of depth maps (mean robust loss per comparison), or the share of the silhouettes that the visual hull leaves empty. */
  misfit: number;
  /** Arrangements that fit about as well, the chosen one excluded. */
  rivals: { arrangement: Arrangement; misfit: number }[];
  /** Mean difference in colour, 0…1, between points that two views see; only where colours had to choose between arrangements. */
  colorDifference?: number;
  /** Whether smaller depth values are farther. */
  inverted: boolean;
  /** Comparisons of the fine fit; only with depth maps. */
  last?: NormalEquations;
}

/** Focal lengths over width from which the search starts: fields of view of about 75°, 40° and 19°. */
export const START_FOCALS = [0.65, 1.4, 3];
/** Arrangements whose fit is tried, best rated first. */
const TRIED = 8;
/** As many again that leave the silhouettes as full as the fullest does: deep hollows spoil the rating, never the silhouettes. */
const FULL_TRIED = 4;
const FULL = 5e-4;
/** Where nothing tried fits better than this, everything is tried. */
const POOR = 4e-3;
/** A rating this many times the best one, plus a floor, is not worth a fit. */
const RATING_FACTOR = 1.3;
const RATING_FLOOR = 0.02;
/** A rating this many times the best one is as good. */
const EQUAL_RATING = 1.05;
/** Another kind of depth values than larger = farther must fit this many times better, plus a floor: flat-sided objects fit all kinds. */
const MODEL_FACTOR = 0.5;
const MODEL_FLOOR = 2e-3;
/** Coarse scales draw surfaces together from afar, fine ones count only what cannot be: points in front of a surface or off the object. */
const COARSE = [
  { sigma: 0.09, behind: 0.05, leap: true },
  { sigma: 0.045, behind: 0.05, leap: true },
  { sigma: 0.02, behind: 0.05 },
];
const FINE = [
  { sigma: 0.02, behind: 0.05, leap: true },
  { sigma: 0.012, behind: 0.02, leap: true },
  { sigma: 0.006, behind: 0 },
  { sigma: 0.003, behind: 0 },
  { sigma: 0.0015, behind: 0 },
];
const CLOSER = [
  { sigma: 0.02, behind: 0.05, leap: true },
  { sigma: 0.01, behind: 0.02 },
];
/** A coarse fit this many times worse than the best may still be the true one. */
const CLOSE_FACTOR = 3;
const ONE_VIEW = [
  { sigma: 0.04, behind: 0 },
  { sigma: 0.015, behind: 0 },
  { sigma: 0.006, behind: 0 },
  { sigma: 0.003, behind: 0 },
];
/** Misfit of a capture whose silhouettes were left empty altogether. */
const UNCOVERED_WEIGHT = 2;
/** A fit this many times worse than the best, plus a floor for noise, is no rival. */
const RIVAL_FACTOR = 1.6;
const RIVAL_FLOOR = 3e-4;
/** Colours that differ this many times more decide. */
const COLOR_FACTOR = 1.12;

/** Every meaning of the names that the options leave open. */
export function possibleArrangements(options: ResolvedSixViewOptions): Arrangement[] {
  const lefts = options.left === 'auto' ? (['viewer', 'object'] as const) : [options.left];
  const turns = (turn: ResolvedSixViewOptions['topTurn']): number[] => (turn === 'auto' ? [0, 1, 2, 3] : [turn / 90]);
  return lefts.flatMap((left) =>
    turns(options.topTurn).flatMap((topTurn) =>
      turns(options.bottomTurn).map((bottomTurn) => ({ left, topTurn, bottomTurn })),
    ),
  );
}

/**
 * Finds arrangement, focal length and depth coefficients of views of which most have depth maps; the others count by their outlines. Rates every meaning of the names on a
 * coarse visual hull, fits the best, and refines the one that agrees best.
 *
 * @param metric scale and offset of metric depth; the scale for a value of 1
 */
export async function estimateRig(
  grids: readonly ViewGrid[],
  options: ResolvedSixViewOptions,
  metric?: MetricDepth,
  signal?: AbortSignal,
): Promise<RigEstimate> {
  const hypotheses = await rateHypotheses(grids, {
    arrangements: possibleArrangements(options),
    focals: options.focal === undefined ? START_FOCALS : [options.focal],
    models: metric
      ? [{ model: 'linear', sign: 1 }]
      : [
          { model: 'linear', sign: 1 },
          { model: 'linear', sign: -1 },
          { model: 'inverse', sign: 1 },
        ],
    signal,
  });
  const base: Omit<FitSettings, 'stages' | 'steps' | 'samples'> = {
    fixedFocal: options.focal !== undefined,
    focalPrior: options.focal ?? SIX_VIEW_DEFAULTS.focal,
    shiftDeviation: 0,
    metric,
    signal,
  };
  const coarse = async (candidates: readonly Hypothesis[]): Promise<Tried[]> => {
    const tried: Tried[] = [];
    for (const hypothesis of candidates) {
      throwIfCancelled(signal);
      const start = startOf(hypothesis, metric);
      const settings = { ...base, reach: hypothesis, stages: COARSE, steps: 7, samples: 130 };
      tried.push({ hypothesis, fit: fitRig(grids, hypothesis.arrangement, start, settings) });
      await pause();
    }
    return tried.sort(byMisfit);
  };
  const nameOf = (h: Hypothesis): string => JSON.stringify(h.arrangement);
  const byName = distinct(hypotheses, nameOf);
  const worthwhile = RATING_FACTOR * hypotheses[0].score + RATING_FLOOR;
  const byUncovered = [...hypotheses].sort((p, q) => p.uncovered - q.uncovered);
  const full = hypotheses.filter((h) => h.uncovered <= byUncovered[0].uncovered + FULL);
  const tried = await coarse(
    distinct(
      [...byName.filter((h) => h.score <= worthwhile).slice(0, TRIED), ...distinct(full, nameOf).slice(0, FULL_TRIED)],
      nameOf,
    ),
  );
  const isTried = (h: Hypothesis): boolean => tried.some((t) => nameOf(t.hypothesis) === nameOf(h));
  if (misfitOf(tried[0]) > POOR) {
    tried.push(...(await coarse(byName.filter((h) => !isTried(h)))));
    tried.sort(byMisfit);
  }
  /** Looks closer at the most promising where the coarse fits do not differ much, and puts them in order of what it finds. */
  const sharpen = (list: readonly Tried[]): Tried[] => {
    const close = list.filter((t) => misfitOf(t) <= CLOSE_FACTOR * misfitOf(list[0]) + RIVAL_FLOOR);
    if (close.length === 1) return close;
    const settings = { ...base, stages: CLOSER, steps: 8, samples: 250 };
    return promising(grids, close)
      .map(({ hypothesis, fit }) => ({
        hypothesis,
        fit: fitRig(grids, hypothesis.arrangement, fit.parameters, { ...settings, reach: hypothesis }),
      }))
      .sort(byMisfit);
  };
  const untried = byName.filter((h) => h.score <= EQUAL_RATING * hypotheses[0].score && !isTried(h));
  if (untried.length > 0) {
    // Fully symmetric: every arrangement fits, with the same parameters. Colours choose the one that is worth a fit.
    const shared = tried[0].fit.parameters;
    const rated = untried.map((h) => ({ h, difference: colorDifference(grids, h.arrangement, shared) ?? 1 }));
    rated.sort((p, q) => p.difference - q.difference);
    tried.push(...(await coarse([rated[0].h])));
    tried.sort(byMisfit);
  }
  const { first, rivals, difference } = byColor(grids, sharpen(tried));
  const chosen = JSON.stringify(first.hypothesis.arrangement);
  // The kind of depth values is told apart on the chosen arrangement alone; it hardly depends on it.
  const models = hypotheses.filter((h) => JSON.stringify(h.arrangement) === chosen);
  const kinds = await coarse(distinct(models, (h) => `${h.model} ${h.sign}`));
  const usual = kinds.find((k) => k.hypothesis.model === 'linear' && k.hypothesis.sign > 0);
  const best = usual && usual.fit.cost * MODEL_FACTOR - MODEL_FLOOR <= kinds[0].fit.cost ? usual : kinds[0];
  const { arrangement, model } = best.hypothesis;
  // Flat-sided objects have several shallow minima along the focal length: the best of several starts counts.
  const starts = [
    best,
    ...(await coarse(
      models.filter((h) => h.model === model && h.sign === best.hypothesis.sign && h !== best.hypothesis),
    )),
  ];
  const fine = (start: RigParameters, stages: FitSettings['stages'], samples: number): RigFit =>
    fitRig(grids, arrangement, start, {
      ...base,
      reach: best.hypothesis,
      stages,
      steps: 15,
      samples,
      shiftDeviation: 0.0012,
    });
  /** One view after the other, from several depths of its map: what only one view sees, such as the inside of a cup, is easily missed. */
  const secondLook = (start: RigParameters): RigParameters => {
    let current = start;
    const settings = { ...base, stages: ONE_VIEW, steps: 6, samples: 300 };
    grids.forEach((grid, only) => {
      if (!grid.hasDepth) return;
      const known = fitRig(grids, arrangement, current, { ...settings, stages: ONE_VIEW.slice(-1), only });
      let least = known.cost * 0.98;
      let better = known.parameters;
      for (const share of [0.35, 0.65, 0.95]) {
        const p = copyParameters(current);
        spanHull(p, only, share, grid.ends, best.hypothesis);
        const other = fitRig(grids, arrangement, p, { ...settings, only });
        if (other.cost < least) [least, better] = [other.cost, other.parameters];
      }
      current = better;
    });
    return current;
  };
  const refined: RigFit[] = [];
  for (const start of starts) {
    refined.push(fine(start.fit.parameters, FINE.slice(0, 3), 300));
    await pause();
  }
  refined.sort((p, q) => p.energy - q.energy);
  const parameters = metric
    ? refined[0].parameters
    : secondLook(fine(refined[0].parameters, FINE.slice(2), 500).parameters);
  const fit = fine(parameters, FINE.slice(-3), 1500);
  const a = fit.parameters.a.reduce((sum, v) => sum + Math.sign(v), 0);
  return {
    arrangement,
    parameters: fit.parameters,
    focalFrom: base.fixedFocal ? 'option' : 'pictures',
    focalDeviation: fit.focalDeviation,
    misfit: misfitOf(best),
    rivals: rivals.map((o) => ({ arrangement: o.hypothesis.arrangement, misfit: misfitOf(o) })),
    colorDifference: difference,
    inverted: model === 'linear' ? a < 0 : a > 0,
    last: fit.last,
  };
}

/** At most four: the two whose shape fits best and the two whose colours do, as round objects fit in every way. */
function promising(grids: readonly ViewGrid[], close: readonly Tried[]): readonly Tried[] {
  if (close.length <= 4) return close;
  const rated = close.map((t) => ({
    t,
    difference: colorDifference(grids, t.hypothesis.arrangement, t.fit.parameters) ?? 1,
  }));
  rated.sort((p, q) => p.difference - q.difference);
  return [...new Set([close[0], close[1], ...rated.map((r) => r.t)])].slice(0, 4);
}

/** Among arrangements whose shape fits about as well, the one whose colours fit best; the others stay rivals unless theirs fit clearly worse. */
function byColor(
  grids: readonly ViewGrid[],
  tried: readonly Tried[],
): { first: Tried; rivals: Tried[]; difference?: number } {
  const limit = misfitOf(tried[0]) * RIVAL_FACTOR + RIVAL_FLOOR;
  const equals = tried.filter((t) => misfitOf(t) <= limit);
  if (equals.length === 1) return { first: tried[0], rivals: [] };
  const rated = equals.map((t) => ({
    t,
    difference: colorDifference(grids, t.hypothesis.arrangement, t.fit.parameters),
  }));
  if (rated.some((r) => r.difference === undefined)) return { first: tried[0], rivals: equals.slice(1) };
  const sorted = rated.sort((p, q) => (p.difference ?? 0) - (q.difference ?? 0));
  const least = sorted[0].difference ?? 0;
  const rivals = sorted.slice(1).filter((r) => (r.difference ?? 0) < COLOR_FACTOR * least);
  return { first: sorted[0].t, rivals: rivals.map((r) => r.t), difference: least };
}

interface Tried {
  hypothesis: Hypothesis;
  fit: RigFit;
}

/** Disagreement of the depth maps, and the parts of the silhouettes that the arrangement leaves empty, which depth maps do not tell. */
const misfitOf = ({ fit, hypothesis }: Tried): number => fit.cost + UNCOVERED_WEIGHT * hypothesis.uncovered;
const byMisfit = (p: Tried, q: Tried): number => misfitOf(p) - misfitOf(q);

/** The first of those with the same key, in order. */
function distinct(hypotheses: readonly Hypothesis[], keyOf: (h: Hypothesis) => string): Hypothesis[] {
  const seen = new Set<string>();
  return hypotheses.filter((h) => {
    const key = keyOf(h);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

function startOf(h: Hypothesis, metric?: MetricDepth): RigParameters {
  const views = h.a.length;
  const a = h.a.slice();
  const b = h.b.slice();
  if (metric) {
    // One unknown: how long the camera distance is in scene units.
    let sum = 0;
    for (let i = 0; i < views; i++) sum += (h.a[i] * 0.5 + h.b[i]) / (metric.scale * 0.5 + metric.offset);
    const maps = h.a.reduce((count, a) => count + (a === 0 ? 0 : 1), 0);
    const unit = metric.distance === undefined ? sum / Math.max(1, maps) : 1 / metric.distance;
    a.fill(unit * metric.scale);
    b.fill(unit * metric.offset);
  }
  return {
    focal: h.focal,
    model: h.model,
    a,
    b,
    shiftX: new Float64Array(views),
    shiftY: new Float64Array(views),
  };
}
