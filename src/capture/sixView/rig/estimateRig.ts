import { type ResolvedSixViewOptions, SIX_VIEW_DEFAULTS } from '../options.js';
import { chooseArrangement } from './chooseArrangement.js';
import { byMisfit, distinct, type Fitting, fitCoarsely, misfitOf, type Tried } from './coarseFit.js';
import { decide } from './decide.js';
import type { MetricDepth } from './fitRig.js';
import { type Hypothesis, rateHypotheses } from './hypotheses.js';
import type { NormalEquations } from './normalEquations.js';
import type { OpenDepth } from './openDepths.js';
import { fitsUsualFocal, refineRig } from './refineRig.js';
import type { Arrangement } from './rig.js';
import type { RigParameters } from './rigParameters.js';
import type { ViewGrid } from './viewGrid.js';

export interface RigEstimate {
  arrangement: Arrangement;
  parameters: RigParameters;
  /** Where the focal length comes from; `default` where the pictures fit a wide range of focal lengths. */
  focalFrom: 'option' | 'pictures' | 'default';
  /** Standard deviation of the logarithm of the focal length; only with depth maps. */
  focalDeviation?: number;
  /**
   * Focal lengths over width that the silhouettes allow, without depth maps; with them the two compared ones, where
   * the usual one was taken.
   */
  focalRange?: [number, number];
  /**
   * Disagreement after a coarse fit of depth maps (mean robust loss per comparison), or the share of the silhouettes
   * that the visual hull leaves empty.
   */
  misfit: number;
  /** Arrangements that fit about as well, the chosen one excluded. */
  rivals: { arrangement: Arrangement; misfit: number }[];
  /**
   * Mean difference in colour, 0…1, between points that two views see; only where colours had to choose between
   * arrangements.
   */
  colorDifference?: number;
  /** Views whose depth maps may reach more or less deep; only with depth. */
  openDepths?: OpenDepth[];
  /** Whether smaller depth values are farther. */
  inverted: boolean;
  /** Comparisons of the fine fit; only with depth maps. */
  last?: NormalEquations;
}

/** Focal lengths over width from which the search starts: fields of view of about 75°, 40° and 19°. */
export const START_FOCALS = [0.65, 1.4, 3];
/**
 * Another kind of depth values than larger = farther must fit this many times better, plus a floor: flat-sided objects
 * fit all kinds.
 */
const MODEL_FACTOR = 0.5;
const MODEL_FLOOR = 2e-3;

/** Starts of the fine fit that come from looking everywhere, beside the best. */
const MORE_STARTS = 2;

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
 * Finds arrangement, focal length and depth coefficients of views of which most have depth maps; the others count by
 * their outlines. Rates every meaning of the names on a coarse visual hull, fits the best, and refines the one that
 * agrees best.
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
  const fitting: Fitting = {
    grids,
    base: {
      fixedFocal: options.focal !== undefined,
      focalPrior: options.focal ?? SIX_VIEW_DEFAULTS.focal,
      shiftDeviation: 0,
      metric,
      signal,
    },
  };
  const { first, rivals, wide } = await chooseArrangement(fitting, hypotheses);
  const { best, starts } = await chooseDepthKind(fitting, hypotheses, first, wide);
  const free = await refineRig(fitting, best, starts);
  const usual = fitsUsualFocal(fitting, best, free.parameters, SIX_VIEW_DEFAULTS.focal);
  const { chosen, meanings, open } = await decide(
    fitting,
    hypotheses.filter(({ model, sign }) => model === best.hypothesis.model && sign === best.hypothesis.sign),
    { hypothesis: best.hypothesis, fit: usual ?? free },
    rivals,
  );
  const { hypothesis, fit } = chosen;
  const a = fit.parameters.a.reduce((sum, v) => sum + Math.sign(v), 0);
  return {
    arrangement: hypothesis.arrangement,
    parameters: fit.parameters,
    focalFrom: fitting.base.fixedFocal ? 'option' : usual ? 'default' : 'pictures',
    focalDeviation: usual ? undefined : fit.focalDeviation,
    focalRange: usual && ends(free.parameters.focal, usual.parameters.focal),
    misfit: misfitOf(best),
    rivals: meanings.rivals.map((o) => ({ arrangement: o.hypothesis.arrangement, misfit: misfitOf(o) })),
    colorDifference: meanings.difference,
    openDepths: open,
    inverted: hypothesis.model === 'linear' ? a < 0 : a > 0,
    last: fit.last,
  };
}

const ends = (p: number, q: number): [number, number] => [Math.min(p, q), Math.max(p, q)];

/**
 * Tells the kind of depth values apart, on the chosen arrangement alone, for it hardly depends on it; and fits that
 * kind from every focal length.
 */
async function chooseDepthKind(
  fitting: Fitting,
  hypotheses: readonly Hypothesis[],
  chosen: Tried,
  wide: readonly Tried[],
): Promise<{ best: Tried; starts: Tried[] }> {
  const name = JSON.stringify(chosen.hypothesis.arrangement);
  const models = hypotheses.filter((h) => JSON.stringify(h.arrangement) === name);
  const found = wide.filter((t) => JSON.stringify(t.hypothesis.arrangement) === name);
  const kinds = await fitKinds(
    fitting,
    distinct(models, (h) => `${h.model} ${h.sign}`),
    found,
  );
  const usual = kinds.find((k) => isUsual(k.hypothesis));
  const best = usual && usual.fit.cost * MODEL_FACTOR - MODEL_FLOOR <= kinds[0].fit.cost ? usual : kinds[0];
  const { model, sign } = best.hypothesis;
  const others = models.filter((h) => h.model === model && h.sign === sign && h !== best.hypothesis);
  const alike = found
    .filter((t) => t.hypothesis.model === model && t.hypothesis.sign === sign && t !== best)
    .slice(0, MORE_STARTS);
  return { best, starts: [best, ...alike, ...(await fitCoarsely(fitting, others))] };
}

const isUsual = (h: Hypothesis): boolean => h.model === 'linear' && h.sign > 0;

/** Fits every kind of depth values, with what was found of them already; best first. */
async function fitKinds(fitting: Fitting, kinds: readonly Hypothesis[], found: readonly Tried[]): Promise<Tried[]> {
  const tried = [...found, ...(await fitCoarsely(fitting, kinds.filter(isUsual)))].sort(byMisfit);
  const usual = tried.find((t) => isUsual(t.hypothesis));
  // No other kind could fit so much better.
  if (usual && usual.fit.cost * MODEL_FACTOR <= MODEL_FLOOR) return [usual];
  tried.push(
    ...(await fitCoarsely(
      fitting,
      kinds.filter((h) => !isUsual(h)),
    )),
  );
  return tried.sort(byMisfit);
}
