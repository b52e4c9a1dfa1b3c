import { byColor, type Meanings, RIVAL_FLOOR } from './byColor.js';
import { byMisfit, distinct, type Fitting, fitCoarsely, misfitOf, type Tried } from './coarseFit.js';
import { colorDifference } from './colorAgreement.js';
import { fitRig } from './fitRig.js';
import { fitWidely } from './fitWidely.js';
import type { Hypothesis } from './hypotheses.js';
import type { ViewGrid } from './viewGrid.js';

/** Arrangements whose fit is tried, best rated first. */
const TRIED = 8;
/**
 * As many again that leave the silhouettes as full as the fullest does: deep hollows spoil the rating, never the
 * silhouettes.
 */
const FULL_TRIED = 4;
const FULL = 5e-4;
/** Where nothing tried fits better than this, depth scales and focal lengths are looked for everywhere. */
const POOR = 2e-3;
/** A rating this many times the best one, plus a floor, is not worth a fit. */
const RATING_FACTOR = 1.3;
const RATING_FLOOR = 0.02;
/** A rating this many times the best one is as good. */
const EQUAL_RATING = 1.05;
const CLOSER = [
  { sigma: 0.02, behind: 0.05, leap: true },
  { sigma: 0.01, behind: 0.02 },
];
/** A coarse fit this many times worse than the best may still be the true one. */
const CLOSE_FACTOR = 3;

export interface ChosenArrangement extends Meanings {
  /** All fits from starts that were looked for everywhere, where that was needed. */
  wide: Tried[];
}

const nameOf = (h: Hypothesis): string => JSON.stringify(h.arrangement);

/**
 * Chooses what the names mean: fits the best rated meanings, looks closer at those that fit, and has colours decide
 * between equals.
 */
export async function chooseArrangement(
  fitting: Fitting,
  hypotheses: readonly Hypothesis[],
): Promise<ChosenArrangement> {
  const byName = distinct(hypotheses, nameOf);
  const tried = await fitWorthwhile(fitting, hypotheses, byName);
  const wide = misfitOf(tried[0]) > POOR ? await fitWidely(fitting, hypotheses) : [];
  tried.push(...distinctTried(wide));
  tried.sort(byMisfit);
  await addEqual(fitting, hypotheses, byName, tried);
  return { ...byColor(fitting.grids, sharpen(fitting, distinctTried(tried))), wide };
}

/** The best fit of every meaning, of fits in order. */
function distinctTried(tried: readonly Tried[]): Tried[] {
  const seen = new Set<string>();
  return tried.filter((t) => {
    const name = nameOf(t.hypothesis);
    if (seen.has(name)) return false;
    seen.add(name);
    return true;
  });
}

const isTried = (tried: readonly Tried[], h: Hypothesis): boolean =>
  tried.some((t) => nameOf(t.hypothesis) === nameOf(h));

/** Fits the best rated meanings and those that leave silhouettes full. */
async function fitWorthwhile(
  fitting: Fitting,
  hypotheses: readonly Hypothesis[],
  byName: readonly Hypothesis[],
): Promise<Tried[]> {
  const worthwhile = RATING_FACTOR * hypotheses[0].score + RATING_FLOOR;
  const byUncovered = [...hypotheses].sort((p, q) => p.uncovered - q.uncovered);
  const full = hypotheses.filter((h) => h.uncovered <= byUncovered[0].uncovered + FULL);
  return fitCoarsely(
    fitting,
    distinct(
      [...byName.filter((h) => h.score <= worthwhile).slice(0, TRIED), ...distinct(full, nameOf).slice(0, FULL_TRIED)],
      nameOf,
    ),
  );
}

/**
 * Fully symmetric objects fit in every meaning, with the same parameters: colours choose the one that is worth a fit.
 * Adds to `tried`.
 */
async function addEqual(
  fitting: Fitting,
  hypotheses: readonly Hypothesis[],
  byName: readonly Hypothesis[],
  tried: Tried[],
): Promise<void> {
  const untried = byName.filter((h) => h.score <= EQUAL_RATING * hypotheses[0].score && !isTried(tried, h));
  if (untried.length === 0) return;
  const shared = tried[0].fit.parameters;
  const rated = untried.map((h) => ({
    h,
    difference: colorDifference(fitting.grids, h.arrangement, shared) ?? 1,
  }));
  rated.sort((p, q) => p.difference - q.difference);
  tried.push(...(await fitCoarsely(fitting, [rated[0].h])));
  tried.sort(byMisfit);
}

/**
 * Looks closer at the most promising where the coarse fits do not differ much, and puts them in order of what it finds.
 */
function sharpen({ grids, base }: Fitting, list: readonly Tried[]): Tried[] {
  const close = list.filter((t) => misfitOf(t) <= CLOSE_FACTOR * misfitOf(list[0]) + RIVAL_FLOOR);
  if (close.length === 1) return close;
  const settings = { ...base, stages: CLOSER, steps: 8, samples: 250 };
  return promising(grids, close)
    .map(({ hypothesis, fit }) => ({
      hypothesis,
      fit: fitRig(grids, hypothesis.arrangement, fit.parameters, { ...settings, reach: hypothesis }),
    }))
    .sort(byMisfit);
}

/** At most five: the two whose shape fits best and the three whose colours do, as round objects fit in every way. */
function promising(grids: readonly ViewGrid[], close: readonly Tried[]): readonly Tried[] {
  if (close.length <= 5) return close;
  const rated = close.map((t) => ({
    t,
    difference: colorDifference(grids, t.hypothesis.arrangement, t.fit.parameters) ?? 1,
  }));
  rated.sort((p, q) => p.difference - q.difference);
  return [...new Set([close[0], close[1], ...rated.map((r) => r.t)])].slice(0, 5);
}
