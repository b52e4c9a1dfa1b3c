import { byMisfit, distinct, type Fitting, fitNear, misfitOf, rate, refit, type Tried } from './coarseFit.js';
import type { Hypothesis } from './hypotheses.js';
import { searchScales } from './searchScales.js';

/** Meanings of the names that are fitted, and focal lengths of each of the first few of them. */
const MEANINGS = 6;
const WITH_MORE_FOCALS = 3;
const FOCALS = 3;
/** A score this many times the best one, plus a floor, is not worth a fit. */
const SCORE_FACTOR = 1.35;
const SCORE_FLOOR = 2e-3;
/** Where values that grow with distance fit better than this, no other kind is looked at. */
const GOOD = 4e-3;
/** Fits that go on where none is good. */
const POLISHED = 4;
/** Other meanings of the names are looked at where the best fit's surface agrees nearly as well in them. */
const CLOSE_FACTOR = 3;
const CLOSE_FLOOR = 3e-4;

/**
 * Fits the most promising of the meanings, focal lengths and depth scales that `searchScales` finds; best first. Metric
 * depth leaves nothing to search for.
 */
export async function fitWidely(fitting: Fitting, rated: readonly Hypothesis[]): Promise<Tried[]> {
  const { grids, base } = fitting;
  if (base.metric) return [];
  const known = base.fixedFocal ? base.focalPrior : undefined;
  const tried: Tried[] = [];
  const found: Hypothesis[] = [];
  for (const sign of [1, -1] as const) {
    if (!rated.some((h) => h.model === 'linear' && h.sign === sign)) continue;
    const list = await searchScales(grids, rated, sign, known, base.signal);
    found.push(...list);
    const starts = startsOf(list);
    if (sign < 0) starts.push(...starts.map(inverted));
    tried.push(...(await fitNear(fitting, starts)));
    tried.sort(byMisfit);
    if (misfitOf(tried[0]) <= GOOD) break;
  }
  if (misfitOf(tried[0]) > GOOD) await polish(fitting, tried);
  tried.push(...(await fitAlike(fitting, found, tried[0])));
  return tried.sort(byMisfit);
}

/** Goes on with the best fits, which have not come to their ends. */
async function polish(fitting: Fitting, tried: Tried[]): Promise<void> {
  for (let i = 0; i < Math.min(POLISHED, tried.length); i++) {
    const { hypothesis, fit } = tried[i];
    const [longer] = await fitNear(fitting, [hypothesis], fit.parameters);
    if (misfitOf(longer) < misfitOf(tried[i])) tried[i] = longer;
  }
  tried.sort(byMisfit);
}

/** Of meanings that look alike, as where a foot is round, the search gives all the same score. */
const scoreKey = (h: Hypothesis): string => `${h.sign < 0} ${h.focal} ${h.score.toFixed(7)}`;
const meaningKey = (h: Hypothesis): string => JSON.stringify(h.arrangement);

function startsOf(list: readonly Hypothesis[]): Hypothesis[] {
  const promising = distinct(
    list.filter((h) => h.score <= SCORE_FACTOR * list[0].score + SCORE_FLOOR),
    scoreKey,
  );
  const best = distinct(promising, meaningKey).slice(0, MEANINGS);
  const more = best
    .slice(0, WITH_MORE_FOCALS)
    .flatMap((first) => promising.filter((h) => meaningKey(h) === meaningKey(first)).slice(1, FOCALS));
  return [...best, ...more];
}

/**
 * Fits the meanings under which the best fit's surface agrees about as well: symmetric objects have the same parameters
 * in all of them.
 */
async function fitAlike(fitting: Fitting, found: readonly Hypothesis[], best: Tried): Promise<Tried[]> {
  const limit = CLOSE_FACTOR * misfitOf(best) + CLOSE_FLOOR;
  const { a, b, model, sign } = best.hypothesis;
  const out: Tried[] = [];
  for (const h of distinct(found, meaningKey)) {
    if (meaningKey(h) === meaningKey(best.hypothesis)) continue;
    const start = { ...h, a, b, model, sign };
    if (misfitOf(rate(fitting, start, best.fit.parameters)) > limit) continue;
    out.push(await refit(fitting, start, best.fit.parameters));
  }
  return out;
}

/** The same surface from values that fall with distance, read as inverse distances: equal at the hull's two ends. */
function inverted(h: Hypothesis): Hypothesis {
  const a = new Float64Array(h.a.length);
  const b = new Float64Array(h.a.length);
  for (let i = 0; i < a.length; i++) {
    const [near, far] = [h.near[i], h.far[i]];
    if (h.a[i] === 0 || !(near > 0)) continue;
    const [low, high] = [(far - h.b[i]) / h.a[i], (near - h.b[i]) / h.a[i]];
    a[i] = (1 / near - 1 / far) / (high - low);
    b[i] = 1 / near - a[i] * high;
  }
  return { ...h, model: 'inverse', sign: 1, a, b };
}
