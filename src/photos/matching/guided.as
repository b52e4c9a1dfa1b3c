// Nearest neighbours among the features near a line. AssemblyScript with SIMD.

/** Product of two widened descriptors. */
function product(p: usize, q: usize): i32 {
  let s = i32x4.splat(0);
  for (let k: usize = 0; k < 256; k += 32) {
    s = i32x4.add(s, i32x4.dot_i16x8_s(v128.load(p + k), v128.load(q + k)));
    s = i32x4.add(s, i32x4.dot_i16x8_s(v128.load(p + k, 16), v128.load(q + k, 16)));
  }
  return (
    i32x4.extract_lane(s, 0) + i32x4.extract_lane(s, 1) + i32x4.extract_lane(s, 2) + i32x4.extract_lane(s, 3)
  );
}

/**
 * For each of `n` widened descriptors at `a` with a line at `lines` (three f32 a, b, c with a² + b² = 1): the largest
 * and the second largest product with those of the `m` at `b` whose place (f32 at `xs`, `ys`, padded to a multiple of
 * four) has |a x + b y + c| ≤ `band`, and where the largest is. −1 where there is none.
 */
export function nearestAlong(
  a: usize,
  n: i32,
  lines: usize,
  b: usize,
  m: i32,
  xs: usize,
  ys: usize,
  band: f32,
  first: usize,
  second: usize,
  index: usize,
): void {
  const width = f32x4.splat(band);
  for (let i = 0; i < n; i++) {
    const q = a + ((<usize>i) << 8);
    const line = lines + <usize>i * 12;
    const la = v128.load_splat<f32>(line);
    const lb = v128.load_splat<f32>(line, 4);
    const lc = v128.load_splat<f32>(line, 8);
    let best = -1;
    let next = -1;
    let where = -1;
    for (let j = 0; j < m; j += 4) {
      const at = (<usize>j) << 2;
      const d = f32x4.add(f32x4.add(f32x4.mul(la, v128.load(xs + at)), f32x4.mul(lb, v128.load(ys + at))), lc);
      let bits = i32x4.bitmask(f32x4.le(f32x4.abs(d), width));
      while (bits != 0) {
        const k = j + ctz(bits);
        bits &= bits - 1;
        if (k >= m) break;
        const v = product(q, b + ((<usize>k) << 8));
        if (v > best) {
          next = best;
          best = v;
          where = k;
        } else if (v > next) next = v;
      }
    }
    const out = (<usize>i) << 2;
    store<i32>(first + out, best);
    store<i32>(second + out, next);
    store<i32>(index + out, where);
  }
}
