/** Colours in what k-means counts distances in: cube roots, about as the eye sees steps. Linear values in and out. */
const bend = Math.cbrt;
const straighten = (v: number) => v ** 3;
const ROUNDS = 12;
/** Colours of a smaller share of the samples are given up halfway, by default: they are noise. */
const LEAST_SHARE = 0.02;

/** A few colours that a surface is mostly made of. */
export interface Palette {
  /** Linear, three per colour. */
  colors: Float64Array;
  /** Shares of the samples, summing to 1. */
  shares: number[];
}

/**
 * The `count` colours (fewer where there are not as many) that stand for many: k-means (Lloyd 1982) from the mean and
 * then, again and again, the sample that is farthest from all chosen. Depends on the samples and their order alone.
 * @param samples linear colours ≥ 0, three numbers each
 * @param leastShare of the samples that a colour must stand for
 */
export function findPalette(samples: Float32Array, count: number, leastShare = LEAST_SHARE): Palette {
  const n = samples.length / 3;
  if (n === 0) return { colors: new Float64Array(0), shares: [] };
  const bent = Float64Array.from(samples, bend);
  let means: number[][] = [[0, 1, 2].map((c) => meanOf(bent, c))];
  const nearest = new Float64Array(n).fill(Infinity);
  while (means.length < count) {
    let farthest = 0;
    for (let i = 0; i < n; i++) {
      nearest[i] = Math.min(nearest[i], distance(bent, i, means[means.length - 1]));
      if (nearest[i] > nearest[farthest]) farthest = i;
    }
    if (nearest[farthest] < 1e-6) break;
    means.push([...bent.subarray(farthest * 3, farthest * 3 + 3)]);
  }
  let shares: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    if (round === ROUNDS / 2) means = means.filter((_, k) => shares[k] >= leastShare);
    const sums = means.map(() => [0, 0, 0, 0]);
    for (let i = 0; i < n; i++) {
      const sum = sums[closest(means, bent, i)];
      for (let c = 0; c < 3; c++) sum[c] += bent[i * 3 + c];
      sum[3]++;
    }
    sums.forEach((sum, k) => {
      if (sum[3] > 0) means[k] = [sum[0] / sum[3], sum[1] / sum[3], sum[2] / sum[3]];
    });
    shares = sums.map((sum) => sum[3] / n);
  }
  return { colors: Float64Array.from(means.flat(), straighten), shares };
}

/**
 * The palette with colours that lie within `distance` of each other, in cube roots, made one: the nearest two first, at
 * their mean by shares.
 */
export function mergeColors({ colors, shares }: Palette, distance: number): Palette {
  const bent = shares.map((share, k) => ({ share, at: [0, 1, 2].map((c) => bend(colors[k * 3 + c])) }));
  const apart = (a: number, b: number) => Math.hypot(...bent[a].at.map((v, c) => v - bent[b].at[c]));
  for (;;) {
    let pair = [0, 0];
    let least = distance;
    for (let a = 0; a < bent.length; a++) {
      for (let b = a + 1; b < bent.length; b++) {
        if (apart(a, b) < least) {
          least = apart(a, b);
          pair = [a, b];
        }
      }
    }
    if (pair[1] === 0) break;
    const [a, [b]] = [bent[pair[0]], bent.splice(pair[1], 1)];
    const share = a.share + b.share;
    a.at = a.at.map((v, c) => (v * a.share + b.at[c] * b.share) / share);
    a.share = share;
  }
  return {
    colors: Float64Array.from(
      bent.flatMap(({ at }) => at),
      straighten,
    ),
    shares: bent.map(({ share }) => share),
  };
}

/** Number of the palette's colour that is nearest to a linear colour, and its distance in cube roots. */
export function nearestColor(
  { colors }: Palette,
  color: ArrayLike<number>,
  at = 0,
): { index: number; distance: number } {
  let index = 0;
  let least = Infinity;
  for (let k = 0; k < colors.length / 3; k++) {
    let d = 0;
    for (let c = 0; c < 3; c++) d += (bend(Math.max(0, color[at + c])) - bend(colors[k * 3 + c])) ** 2;
    if (d < least) {
      least = d;
      index = k;
    }
  }
  return { index, distance: Math.sqrt(least) };
}

function meanOf(bent: Float64Array, c: number): number {
  let sum = 0;
  for (let i = c; i < bent.length; i += 3) sum += bent[i];
  return sum / (bent.length / 3);
}

function distance(bent: Float64Array, i: number, mean: readonly number[]): number {
  return (bent[i * 3] - mean[0]) ** 2 + (bent[i * 3 + 1] - mean[1]) ** 2 + (bent[i * 3 + 2] - mean[2]) ** 2;
}

function closest(means: readonly number[][], bent: Float64Array, i: number): number {
  let best = 0;
  for (let k = 1; k < means.length; k++) if (distance(bent, i, means[k]) < distance(bent, i, means[best])) best = k;
  return best;
}
