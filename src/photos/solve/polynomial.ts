/** Value at x of the polynomial with the given coefficients, the constant first. */
export function evaluate(coefficients: ArrayLike<number>, degree: number, x: number): number {
  let value = coefficients[degree];
  for (let i = degree - 1; i >= 0; i--) value = value * x + coefficients[i];
  return value;
}

/** A leading coefficient below this share of the largest is none. */
const NEGLIGIBLE = 1e-14;

/**
 * All real roots in ascending order. Coefficients: the constant first; leading zeros are fine. Double roots may be
 * missed.
 */
export function realRoots(coefficients: ArrayLike<number>): number[] {
  const largest = Array.from(coefficients).reduce((m, c) => Math.max(m, Math.abs(c)), 0);
  if (!(largest > 0) || !Number.isFinite(largest)) return [];
  let length = coefficients.length;
  while (length > 1 && Math.abs(coefficients[length - 1]) < NEGLIGIBLE * largest) length--;
  const p = new Float64Array(length);
  for (let i = 0; i < length; i++) p[i] = coefficients[i] / largest;
  // Roots beyond ±1 are the inverses of those of the reversed polynomial within ±1, so that no interval is long.
  const inside = rootsWithin(p, -1, 1);
  const outside = rootsWithin(Float64Array.from(p).reverse(), -1, 1);
  const all = [...inside, ...outside.filter((x) => x !== 0 && Math.abs(x) < 1).map((x) => 1 / x)];
  return all.sort((a, b) => a - b);
}

/**
 * Roots between two bounds: between neighbouring extrema, which are the roots of the derivative, there is at most one.
 */
function rootsWithin(p: Float64Array, from: number, to: number): number[] {
  const degree = p.length - 1;
  const derivatives: Float64Array[] = [p];
  for (let d = degree - 1; d >= 1; d--) {
    const above = derivatives[derivatives.length - 1];
    const next = new Float64Array(d + 1);
    for (let i = 0; i <= d; i++) next[i] = above[i + 1] * (i + 1);
    derivatives.push(next);
  }
  let roots: number[] = [];
  for (let d = 1; d <= degree; d++) {
    const q = derivatives[degree - d];
    const next: number[] = [];
    for (let i = 0; i <= roots.length; i++) {
      const root = rootBetween(q, d, i > 0 ? roots[i - 1] : from, i < roots.length ? roots[i] : to);
      if (root !== undefined) next.push(root);
    }
    roots = next;
  }
  return roots;
}

/** Newton's iteration kept within a shrinking bracket. */
function rootBetween(p: Float64Array, degree: number, from: number, to: number): number | undefined {
  let [low, high] = [from, to];
  const atLow = evaluate(p, degree, low);
  const atHigh = evaluate(p, degree, high);
  if (atLow === 0) return low;
  if (atLow > 0 === atHigh > 0) return undefined;
  let x = 0.5 * (low + high);
  for (let i = 0; i < 60; i++) {
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
