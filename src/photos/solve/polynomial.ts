/** Value at x of the polynomial with the given coefficients, the constant first. */
export function evaluate(coefficients: ArrayLike<number>, degree: number, x: number): number {
  let value = coefficients[degree];
  for (let i = degree - 1; i >= 0; i--) value = value * x + coefficients[i];
  return value;
}

/** A leading coefficient below this share of the largest is none. */
const NEGLIGIBLE = 1e-14;
/** Halvings of an interval that holds several roots: what is still together then is a double root. */
const MOST_HALVINGS = 60;

/**
 * All real roots in ascending order. Coefficients: the constant first; leading zeros are fine. Double roots may be
 * missed. Roots are told apart by Sturm's theorem, then found by Newton's iteration within brackets.
 */
export function realRoots(coefficients: ArrayLike<number>): number[] {
  let largest = 0;
  for (let i = 0; i < coefficients.length; i++) largest = Math.max(largest, Math.abs(coefficients[i]));
  if (!(largest > 0) || !Number.isFinite(largest)) return [];
  let degree = coefficients.length - 1;
  while (degree > 0 && Math.abs(coefficients[degree]) < NEGLIGIBLE * largest) degree--;
  if (degree === 0) return [];
  const chain = sturmChain(coefficients, degree, largest);
  // No root is farther out (Cauchy).
  let bound = 0;
  for (let i = 0; i < degree; i++) bound = Math.max(bound, Math.abs(coefficients[i]));
  bound = 1 + bound / Math.abs(coefficients[degree]);
  const roots: number[] = [];
  const [low, high] = [changes(chain, -bound), changes(chain, bound)];
  separate(chain, { low: -bound, high: bound, changesLow: low, changesHigh: high }, 0, roots);
  return roots;
}

/** p, p′ and negated remainders: row i begins at i · stride and has degree `degrees[i]`. */
interface Chain {
  rows: Float64Array;
  stride: number;
  degrees: number[];
}

let scratch = new Float64Array(0);

function sturmChain(coefficients: ArrayLike<number>, degree: number, largest: number): Chain {
  const stride = degree + 1;
  if (scratch.length < stride * stride) scratch = new Float64Array(stride * stride);
  const rows = scratch;
  for (let i = 0; i <= degree; i++) rows[i] = coefficients[i] / largest;
  for (let i = 0; i < degree; i++) rows[stride + i] = rows[i + 1] * (i + 1);
  const degrees = [degree, degree - 1];
  for (let k = 2; degrees[k - 1] > 0; k++) {
    const [above, divisor, row] = [(k - 2) * stride, (k - 1) * stride, k * stride];
    const [n, m] = [degrees[k - 2], degrees[k - 1]];
    for (let i = 0; i <= n; i++) rows[row + i] = rows[above + i];
    for (let d = n; d >= m; d--) {
      const factor = rows[row + d] / rows[divisor + m];
      for (let i = 0; i < m; i++) rows[row + d - m + i] -= factor * rows[divisor + i];
    }
    let most = 0;
    for (let i = 0; i < m; i++) most = Math.max(most, Math.abs(rows[row + i]));
    if (!(most > 0)) break;
    let left = m - 1;
    while (left > 0 && Math.abs(rows[row + left]) < NEGLIGIBLE * most) left--;
    for (let i = 0; i <= left; i++) rows[row + i] /= -most;
    degrees.push(left);
  }
  return { rows, stride, degrees };
}

/** Changes of sign along the chain at x: their number falls by one at every root. */
function changes({ rows, stride, degrees }: Chain, x: number): number {
  let count = 0;
  let before = 0;
  for (let k = 0; k < degrees.length; k++) {
    const at = k * stride;
    let value = rows[at + degrees[k]];
    for (let i = degrees[k] - 1; i >= 0; i--) value = value * x + rows[at + i];
    if (value === 0) continue;
    if (before !== 0 && value > 0 !== before > 0) count++;
    before = value;
  }
  return count;
}

interface Interval {
  low: number;
  high: number;
  changesLow: number;
  changesHigh: number;
}

/** Halves an interval until every part holds one root at most, and adds the roots in ascending order. */
function separate(chain: Chain, interval: Interval, depth: number, roots: number[]): void {
  const { low, high, changesLow, changesHigh } = interval;
  const count = changesLow - changesHigh;
  if (count <= 0) return;
  if (count === 1) {
    const root = rootBetween(chain.rows, chain.degrees[0], low, high);
    if (root !== undefined) {
      roots.push(root);
      return;
    }
  }
  if (depth >= MOST_HALVINGS) return;
  const middle = middleOf(low, high);
  const changesMiddle = changes(chain, middle);
  separate(chain, { low, high: middle, changesLow, changesHigh: changesMiddle }, depth + 1, roots);
  separate(chain, { low: middle, high, changesLow: changesMiddle, changesHigh }, depth + 1, roots);
}

/** The middle of an interval: of its magnitudes where it is far from 0, since bounds may be far out. */
function middleOf(low: number, high: number): number {
  if (low < -1 && high > -1) return high > 1 ? 0.1 : -1;
  if (low < 1 && high > 1) return 1;
  if (low >= 1) return Math.sqrt(low * high);
  return high <= -1 ? -Math.sqrt(low * high) : 0.5 * (low + high);
}

/** Newton's iteration kept within a shrinking bracket; nothing where the signs at the ends agree. */
function rootBetween(p: Float64Array, degree: number, from: number, to: number): number | undefined {
  let [low, high] = [from, to];
  const atLow = evaluate(p, degree, low);
  const atHigh = evaluate(p, degree, high);
  if (atHigh === 0) return high;
  if (atLow > 0 === atHigh > 0) return undefined;
  let x = 0.5 * (low + high);
  for (let i = 0; i < 100; i++) {
    let value = p[degree];
    let slope = 0;
    for (let k = degree - 1; k >= 0; k--) {
      slope = slope * x + value;
      value = value * x + p[k];
    }
    if (value === 0) return x;
    if (value > 0 === atLow > 0) low = x;
    else high = x;
    let next = x - value / slope;
    if (!(next > low && next < high)) next = 0.5 * (low + high);
    if (Math.abs(next - x) < 1e-15 * Math.max(1, Math.abs(x))) return next;
    x = next;
  }
  return x;
}
