import { throwIfCancelled } from '../../../core/errors.js';
import { pause } from '../../../core/pause.js';
import { type FitSettings, type FitStage, fitRig, type MetricDepth, type RigFit } from './fitRig.js';
import type { Hypothesis } from './hypotheses.js';
import type { RigParameters } from './rigParameters.js';
import type { ViewGrid } from './viewGrid.js';

/** What all fits of a capture share. */
export interface Fitting {
  grids: readonly ViewGrid[];
  base: Omit<FitSettings, 'stages' | 'steps' | 'samples'>;
}

/** Coarse scales draw surfaces together from afar. */
const COARSE = [
  { sigma: 0.09, behind: 0.05, leap: true },
  { sigma: 0.045, behind: 0.05, leap: true },
  { sigma: 0.02, behind: 0.05 },
];
/** Starts that were looked for everywhere are near already; leaps would lead away from them. */
const NEAR = [
  { sigma: 0.03, behind: 0.15 },
  { sigma: 0.02, behind: 0.05, stride: true },
  { sigma: 0.02, behind: 0.05, stride: true },
];
/** Misfit of a capture whose silhouettes were left empty altogether. */
const UNCOVERED_WEIGHT = 2;

/** A hypothesis with its fit. */
export interface Tried {
  hypothesis: Hypothesis;
  fit: RigFit;
}

/**
 * Disagreement of the depth maps, and the parts of the silhouettes that the arrangement leaves empty, which depth maps
 * do not tell.
 */
export const misfitOf = ({ fit, hypothesis }: Tried): number => fit.cost + UNCOVERED_WEIGHT * hypothesis.uncovered;
export const byMisfit = (p: Tried, q: Tried): number => misfitOf(p) - misfitOf(q);

/** Fits the depth maps of hypotheses coarsely; best first. */
export const fitCoarsely = (fitting: Fitting, candidates: readonly Hypothesis[]): Promise<Tried[]> =>
  fitAll(fitting, candidates, COARSE);

/** The same from starts that are not far off: their own, or these parameters. */
export const fitNear = (fitting: Fitting, candidates: readonly Hypothesis[], start?: RigParameters): Promise<Tried[]> =>
  fitAll(fitting, candidates, NEAR, start);

async function fitAll(
  { grids, base }: Fitting,
  candidates: readonly Hypothesis[],
  stages: readonly FitStage[],
  given?: RigParameters,
): Promise<Tried[]> {
  const tried: Tried[] = [];
  for (const hypothesis of candidates) {
    throwIfCancelled(base.signal);
    const start = given ?? startOf(hypothesis, base.metric);
    const settings = { ...base, reach: hypothesis, stages, steps: 7, samples: 130 };
    tried.push({ hypothesis, fit: fitRig(grids, hypothesis.arrangement, start, settings) });
    await pause();
  }
  return tried.sort(byMisfit);
}

const AS_IS = { stages: NEAR.slice(-1).map((stage) => ({ ...stage, stride: false })), samples: 130 };

/** How well a hypothesis agrees with these parameters. */
export const rate = ({ grids, base }: Fitting, hypothesis: Hypothesis, p: RigParameters): Tried => ({
  hypothesis,
  fit: fitRig(grids, hypothesis.arrangement, p, { ...base, ...AS_IS, steps: 0 }),
});

/** Fits a hypothesis from parameters that are nearly right. */
export async function refit({ grids, base }: Fitting, hypothesis: Hypothesis, start: RigParameters): Promise<Tried> {
  throwIfCancelled(base.signal);
  const fit = fitRig(grids, hypothesis.arrangement, start, { ...base, ...AS_IS, steps: 5 });
  await pause();
  return { hypothesis, fit };
}

/** The first of those with the same key, in order. */
export function distinct(hypotheses: readonly Hypothesis[], keyOf: (h: Hypothesis) => string): Hypothesis[] {
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
