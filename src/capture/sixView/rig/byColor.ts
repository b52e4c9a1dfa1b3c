import { misfitOf, type Tried } from './coarseFit.js';
import { colorDifference } from './colorAgreement.js';
import type { ViewGrid } from './viewGrid.js';

/** A fit this many times worse than the best, plus a floor for noise, is no rival. */
const RIVAL_FACTOR = 1.6;
export const RIVAL_FLOOR = 3e-4;
/** Colours that differ this many times more decide. */
const COLOR_FACTOR = 1.12;

/** Colours that differ less tell nothing: then the most usual meaning is the likeliest. */
const SAME_COLOR = 1.001;
const oddities = ({ hypothesis: { arrangement } }: Tried): number =>
  (arrangement.left === 'viewer' ? 0 : 1) +
  (arrangement.topTurn === 0 ? 0 : 1) +
  (arrangement.bottomTurn === 0 ? 0 : 1);

/** What the names mean, as shape and colour tell it. */
export interface Meanings {
  first: Tried;
  /** Others that fit about as well. */
  rivals: Tried[];
  /** Mean difference in colour of the first, where colours had to choose. */
  difference?: number;
}

/**
 * Among meanings of the names whose shape fits about as well, the one whose colours fit best; the others stay rivals
 * unless theirs fit clearly worse.
 *
 * @param tried one fit of each meaning, best first
 */
export function byColor(grids: readonly ViewGrid[], tried: readonly Tried[]): Meanings {
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
  const same = sorted.filter((r) => (r.difference ?? 0) <= SAME_COLOR * least);
  const [first] = same.sort((p, q) => oddities(p.t) - oddities(q.t));
  const rivals = sorted.filter((r) => r !== first && (r.difference ?? 0) < COLOR_FACTOR * least);
  return { first: first.t, rivals: rivals.map((r) => r.t), difference: first.difference };
}
