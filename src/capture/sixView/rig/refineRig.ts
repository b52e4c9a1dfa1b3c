import { pause } from '../../../core/pause.js';
import type { Fitting, Tried } from './coarseFit.js';
import { type FitSettings, fitRig, type RigFit, spanHull } from './fitRig.js';
import type { Hypothesis } from './hypotheses.js';
import { copyParameters, type RigParameters } from './rigParameters.js';

/** Fine scales count only what cannot be: points in front of a surface or off the object. */
const FINE = [
  { sigma: 0.02, behind: 0.05, leap: true },
  { sigma: 0.012, behind: 0.02, leap: true },
  { sigma: 0.006, behind: 0 },
  { sigma: 0.003, behind: 0 },
  { sigma: 0.0015, behind: 0 },
];
const ONE_VIEW = [
  { sigma: 0.04, behind: 0 },
  { sigma: 0.015, behind: 0 },
  { sigma: 0.006, behind: 0 },
  { sigma: 0.003, behind: 0 },
];
/** Expected offset of the principal point, in widths. */
const SHIFT_DEVIATION = 0.0012;

/**
 * Refines the parameters of an arrangement to the finest scale. Flat-sided objects have several shallow minima along
 * the focal length: the best of several starts counts.
 */
export async function refineRig(fitting: Fitting, { hypothesis }: Tried, starts: readonly Tried[]): Promise<RigFit> {
  const refined: RigFit[] = [];
  for (const start of starts) {
    refined.push(fine(fitting, hypothesis, start.fit.parameters, FINE.slice(0, 3), 300));
    await pause();
  }
  refined.sort((p, q) => p.energy - q.energy);
  const { parameters } = refined[0];
  const looked = fitting.base.metric
    ? parameters
    : secondLook(fitting, hypothesis, fine(fitting, hypothesis, parameters, FINE.slice(2), 500).parameters);
  return finish(fitting, hypothesis, looked);
}

/** Goes on from parameters that are nearly right, to the finest scale. */
export const finish = (fitting: Fitting, hypothesis: Hypothesis, start: RigParameters): RigFit =>
  fine(fitting, hypothesis, start, FINE.slice(-3), 1500);

/** Holds parameters against the pictures at the finest scale as they are. */
export const asItIs = ({ grids, base }: Fitting, hypothesis: Hypothesis, p: RigParameters): RigFit =>
  fitRig(grids, hypothesis.arrangement, p, {
    ...base,
    stages: FINE.slice(-1),
    steps: 0,
    samples: 1500,
    shiftDeviation: SHIFT_DEVIATION,
  });

const fine = (
  { grids, base }: Fitting,
  hypothesis: Hypothesis,
  start: RigParameters,
  stages: FitSettings['stages'],
  samples: number,
): RigFit =>
  fitRig(grids, hypothesis.arrangement, start, {
    ...base,
    reach: hypothesis,
    stages,
    steps: 15,
    samples,
    shiftDeviation: SHIFT_DEVIATION,
  });

/**
 * One view after the other, from several depths of its map: what only one view sees, such as the inside of a cup, is
 * easily missed.
 */
function secondLook({ grids, base }: Fitting, hypothesis: Hypothesis, start: RigParameters): RigParameters {
  const { arrangement } = hypothesis;
  const settings = { ...base, stages: ONE_VIEW, steps: 6, samples: 300 };
  let current = start;
  grids.forEach((grid, only) => {
    if (!grid.hasDepth) return;
    const known = fitRig(grids, arrangement, current, { ...settings, stages: ONE_VIEW.slice(-1), only });
    let least = known.cost * 0.98;
    let better = known.parameters;
    for (const share of [0.35, 0.65, 0.95]) {
      const p = copyParameters(current);
      spanHull(p, only, share, grid.ends, hypothesis);
      const other = fitRig(grids, arrangement, p, { ...settings, only });
      if (other.cost < least) [least, better] = [other.cost, other.parameters];
    }
    current = better;
  });
  return current;
}

/** Ratio of focal lengths from which two are quite different. */
const QUITE_DIFFERENT = 1.35;
/** Surfaces that are this many times farther apart do not fit as well; pictures that are bent a little vary so much. */
const AS_WELL = 1.3;
/** The same where next to nothing that was found rests on two views, with the share of meetings that is that. */
const AS_WELL_UNSUPPORTED = 2;
const UNSUPPORTED = 0.25;
const COMPARED = [
  { sigma: 0.02, behind: 0.05 },
  { sigma: 0.006, behind: 0 },
];

/**
 * Whether the pictures fit the usual focal length as well as a very different one that was found: as balls do, of which
 * a wide lens sees less, so that less can disagree. Returns the fit at the usual one if so.
 */
export function fitsUsualFocal(
  { grids, base }: Fitting,
  { hypothesis }: Tried,
  found: RigParameters,
  usual: number,
): RigFit | undefined {
  const ratio = usual / found.focal;
  if (base.fixedFocal || base.metric || found.model !== 'linear') return undefined;
  if (Math.max(ratio, 1 / ratio) < QUITE_DIFFERENT) return undefined;
  const other = copyParameters(found);
  other.focal = usual;
  // Around the centre at distance 1, everything shrinks as the lens gets longer.
  for (let i = 0; i < grids.length; i++) {
    other.a[i] /= ratio;
    other.b[i] = 1 + (other.b[i] - 1) / ratio;
  }
  const settings = { ...base, fixedFocal: true, shiftDeviation: SHIFT_DEVIATION, samples: 300 };
  const fitAt = (p: RigParameters, stages: FitSettings['stages'], steps: number): RigFit =>
    fitRig(grids, hypothesis.arrangement, p, { ...settings, stages, steps });
  const own = apart(fitAt(found, COMPARED, 6));
  const theirs = apart(fitAt(other, COMPARED, 6));
  const asWell = own.met < UNSUPPORTED * theirs.met ? AS_WELL_UNSUPPORTED : AS_WELL;
  if (theirs.met < own.met || theirs.distance > asWell * own.distance) return undefined;
  return fitAt(fitAt(other, COMPARED, 6).parameters, FINE.slice(-3), 15);
}

/** How many surfaces met, and how far apart they were, in sizes of the object. */
function apart({ last, parameters }: RigFit): { met: number; distance: number } {
  const sum = (list: Float64Array): number => list.reduce((s, v) => s + v, 0);
  const met = sum(last.met);
  return { met, distance: Math.sqrt(sum(last.squares) / Math.max(1, met)) * parameters.focal };
}
