import { KernelMemory } from '../kernel.js';

/** Pairs of features that name each other, of two photos. */
export interface Matches {
  count: number;
  /** Index in the first photo and in the second, interleaved; ascending in the first. */
  pairs: Uint32Array;
  /** Angle to the nearest over that to the second nearest descriptor, the larger of both directions: small is sure. */
  ratios: Float32Array;
}

export interface MatchOptions {
  /** Largest ratio of the nearest distance to the second nearest. Default 0.8 (Lowe 2004). */
  ratio?: number;
  /** Largest angle between descriptors, radians. Default 0.7 (as COLMAP). */
  angle?: number;
}

/** Descriptors have about this length; its square is the product of equal ones. */
const NORM = 512;

/**
 * Mutual nearest neighbours with the ratio test in both directions. Brute force in WebAssembly SIMD; products are whole
 * numbers, so the result is the same on every machine. One instance serves one thread.
 */
export class Matcher {
  private readonly memory = new KernelMemory();
  private readonly kernel = this.memory.load<'widen' | 'nearestTwo'>(new URL('./nearest.wasm', import.meta.url));
  private readonly along = this.memory.load<'nearestAlong'>(new URL('./guided.wasm', import.meta.url));

  /** Matches `a` with `b`: descriptors of 128 bytes, of which the first `countA` and `countB` are used. */
  match(a: Uint8Array, countA: number, b: Uint8Array, countB: number, options: MatchOptions = {}): Matches {
    const { ratio = 0.8, angle = 0.7 } = options;
    if (countA === 0 || countB < 2) return { count: 0, pairs: new Uint32Array(), ratios: new Float32Array() };
    const { memory } = this;
    memory.clear();
    const atA = this.place(a, countA);
    const atB = this.place(b, countB);
    const passed = passing(this.nearest(atA, countA, atB, countB), ratio, angle);
    // Only what passed is looked at from the other side: a twentieth of the work.
    const wanted = passed.map(({ to }) => to);
    const back = this.nearest(this.place(gather(b, wanted), wanted.length), wanted.length, atA, countA);
    return mutual(passed, back, ratio, angle);
  }

  /**
   * Matches along epipolar lines: only features within `band` of the line of the other are compared, which finds what
   * is lost among many like ones and costs a fiftieth.
   *
   * @param f fundamental matrix with x₂ᵀ F x₁ = 0, row-major
   * @param placesA x, y of every feature in the units of `f` and `band`
   */
  matchAlong(
    a: Uint8Array,
    placesA: Float64Array,
    b: Uint8Array,
    placesB: Float64Array,
    f: ArrayLike<number>,
    band: number,
    options: MatchOptions = {},
  ): Matches {
    const { ratio = 0.8, angle = 0.7 } = options;
    const [countA, countB] = [placesA.length / 2, placesB.length / 2];
    if (countA === 0 || countB < 2) return { count: 0, pairs: new Uint32Array(), ratios: new Float32Array() };
    this.memory.clear();
    const atA = this.place(a, countA);
    const atB = this.place(b, countB);
    const every = Array.from({ length: countA }, (_, i) => i);
    const passed = passing(this.nearestAlong(atA, linesOf(f, placesA, every), atB, placesB, band), ratio, angle);
    const wanted = passed.map(({ to }) => to);
    const turned = [f[0], f[3], f[6], f[1], f[4], f[7], f[2], f[5], f[8]];
    const back = this.nearestAlong(
      this.place(gather(b, wanted), wanted.length),
      linesOf(turned, placesB, wanted),
      atA,
      placesA,
      band,
    );
    return mutual(passed, back, ratio, angle);
  }

  private nearestAlong(a: number, lines: Float32Array, b: number, places: Float64Array, band: number): Nearest {
    const [n, m] = [lines.length / 3, places.length / 2];
    const padded = (m + 3) & ~3;
    const at = this.memory.reserve(lines.byteLength);
    const xs = this.memory.reserve(padded * 4);
    const ys = this.memory.reserve(padded * 4);
    const out = this.memory.reserve(n * 12);
    this.memory.floats(at, lines.length).set(lines);
    const [x, y] = [this.memory.floats(xs, padded), this.memory.floats(ys, padded)];
    for (let i = 0; i < m; i++) {
      x[i] = places[i * 2];
      y[i] = places[i * 2 + 1];
    }
    this.along.nearestAlong(a, n, at, b, m, xs, ys, band, out, out + n * 4, out + n * 8);
    const part = (k: number): Int32Array => this.memory.integers(out + n * 4 * k, n).slice();
    return { first: part(0), second: part(1), index: part(2) };
  }

  /** Puts descriptors into the kernel's memory, widened, up to a multiple of four. */
  private place(descriptors: Uint8Array, count: number): number {
    const padded = (count + 3) & ~3;
    const bytes = this.memory.reserve(padded * 128);
    const wide = this.memory.reserve(padded * 256);
    const target = this.memory.bytes(bytes, padded * 128);
    target.set(descriptors.subarray(0, count * 128));
    target.fill(0, count * 128);
    this.kernel.widen(bytes, wide, padded);
    return wide;
  }

  private nearest(a: number, n: number, b: number, m: number): Nearest {
    const padded = (n + 3) & ~3;
    const out = this.memory.reserve(padded * 12);
    this.kernel.nearestTwo(a, padded, b, m, out, out + padded * 4, out + padded * 8);
    const part = (k: number): Int32Array => this.memory.integers(out + padded * 4 * k, n).slice();
    return { first: part(0), second: part(1), index: part(2) };
  }
}

/** Of every descriptor: largest and second largest product with the others, and where the largest is. */
interface Nearest {
  first: Int32Array;
  second: Int32Array;
  index: Int32Array;
}

interface Passed {
  from: number;
  to: number;
  ratio: number;
}

/** Those whose nearest is close and clearly nearer than the second. */
function passing({ first, second, index }: Nearest, ratio: number, angle: number): Passed[] {
  const out: Passed[] = [];
  for (let i = 0; i < first.length; i++) {
    const r = ratioOf(first[i], second[i], angle);
    if (r <= ratio) out.push({ from: i, to: index[i], ratio: r });
  }
  return out;
}

/** Those that the other side names too. `back` is in the order of `passed`. */
function mutual(passed: readonly Passed[], back: Nearest, ratio: number, angle: number): Matches {
  const pairs: number[] = [];
  const ratios: number[] = [];
  passed.forEach(({ from, to, ratio: there }, k) => {
    const here = ratioOf(back.first[k], back.second[k], angle);
    if (back.index[k] !== from || here > ratio) return;
    pairs.push(from, to);
    ratios.push(Math.max(here, there));
  });
  return { count: ratios.length, pairs: Uint32Array.from(pairs), ratios: Float32Array.from(ratios) };
}

/** The chosen descriptors one after the other. */
function gather(descriptors: Uint8Array, chosen: readonly number[]): Uint8Array {
  const out = new Uint8Array(chosen.length * 128);
  chosen.forEach((j, k) => {
    out.set(descriptors.subarray(j * 128, j * 128 + 128), k * 128);
  });
  return out;
}

/** Lines F x of the chosen places, with unit normals. */
function linesOf(f: ArrayLike<number>, places: Float64Array, chosen: readonly number[]): Float32Array {
  const out = new Float32Array(chosen.length * 3);
  chosen.forEach((i, k) => {
    const [x, y] = [places[i * 2], places[i * 2 + 1]];
    const a = f[0] * x + f[1] * y + f[2];
    const b = f[3] * x + f[4] * y + f[5];
    const c = f[6] * x + f[7] * y + f[8];
    const n = Math.sqrt(a * a + b * b) || 1;
    out.set([a / n, b / n, c / n], k * 3);
  });
  return out;
}

/** Ratio of the angles that belong to two products; infinite where the nearest is too far. */
function ratioOf(first: number, second: number, farthest: number): number {
  const angleOf = (product: number): number => Math.acos(Math.min(1, product / (NORM * NORM)));
  if (first < 0) return Number.POSITIVE_INFINITY;
  const near = angleOf(first);
  if (near > farthest) return Number.POSITIVE_INFINITY;
  // Without a second there is nothing to be mistaken for.
  if (second < 0) return 0;
  const next = angleOf(second);
  return next > 0 ? near / next : 1;
}
