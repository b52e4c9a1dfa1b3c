import { byColor, type Meanings } from './byColor.js';
import { byMisfit, distinct, type Fitting, type Tried } from './coarseFit.js';
import { fitRig } from './fitRig.js';
import type { Hypothesis } from './hypotheses.js';
import type { RigParameters } from './rigParameters.js';

/** What only a fine scale tells apart. */
const FINE = { stages: [{ sigma: 0.006, behind: 0 }], steps: 0, samples: 500 };

const nameOf = (h: Hypothesis): string => JSON.stringify(h.arrangement);

/**
 * Every meaning of the names that fits refined parameters about as well as the best: symmetric objects have the same
 * parameters in all of them, while their coarse fits, of which only some were made, differ by chance. Colours choose.
 *
 * @param others refined fits with parameters of their own
 */
export function reconsider(
  { grids, base }: Fitting,
  hypotheses: readonly Hypothesis[],
  p: RigParameters,
  others: readonly Tried[] = [],
): Meanings {
  const rate = (hypothesis: Hypothesis, parameters: RigParameters): Tried => ({
    hypothesis,
    fit: fitRig(grids, hypothesis.arrangement, parameters, { ...base, ...FINE }),
  });
  const fullest = [...hypotheses].sort((g, h) => g.uncovered - h.uncovered);
  const rated = distinct(fullest, nameOf).map((h) => rate(h, p));
  rated.push(...others.map((t) => rate(t.hypothesis, t.fit.parameters)));
  rated.sort(byMisfit);
  const seen = new Set<string>();
  const best = rated.filter(({ hypothesis }) => !seen.has(nameOf(hypothesis)) && seen.add(nameOf(hypothesis)));
  return byColor(grids, best);
}
