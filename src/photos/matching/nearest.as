// Nearest neighbours of descriptors by their inner product. AssemblyScript with SIMD: 128 numbers of 8 bits are widened
// to 16, and eight products at a time are summed exactly in 32 bits, so the order of work does not matter.

/** Widens `count` descriptors of 128 bytes to 16 bits. */
export function widen(from: usize, to: usize, count: i32): void {
  const bytes = (<usize>count) << 7;
  for (let i: usize = 0; i < bytes; i += 16) {
    const v = v128.load(from + i);
    v128.store(to + 2 * i, i16x8.extend_low_i8x16_u(v));
    v128.store(to + 2 * i, i16x8.extend_high_i8x16_u(v), 16);
  }
}

// @ts-ignore: decorator
@inline
function across(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = i32x4.add(v128.shuffle<i32>(a, b, 0, 4, 1, 5), v128.shuffle<i32>(a, b, 2, 6, 3, 7));
  const cd = i32x4.add(v128.shuffle<i32>(c, d, 0, 4, 1, 5), v128.shuffle<i32>(c, d, 2, 6, 3, 7));
  return i32x4.add(v128.shuffle<i32>(ab, cd, 0, 1, 4, 5), v128.shuffle<i32>(ab, cd, 2, 3, 6, 7));
}

/**
 * For each of `n` (a multiple of four) widened descriptors at `a`: the largest and the second largest product with the
 * `m` at `b`, and where the largest is (the first of equals). Writes 32-bit numbers.
 */
export function nearestTwo(a: usize, n: i32, b: usize, m: i32, first: usize, second: usize, index: usize): void {
  const end = b + ((<usize>m) << 8);
  for (let i = 0; i < n; i += 4) {
    const q = a + ((<usize>i) << 8);
    let best = i32x4.splat(-1);
    let next = i32x4.splat(-1);
    let where = i32x4.splat(-1);
    let here = i32x4.splat(0);
    const one = i32x4.splat(1);
    for (let p = b; p < end; p += 256) {
      let s0 = i32x4.splat(0);
      let s1 = i32x4.splat(0);
      let s2 = i32x4.splat(0);
      let s3 = i32x4.splat(0);
      for (let k: usize = 0; k < 256; k += 32) {
        const d = v128.load(p + k);
        const e = v128.load(p + k, 16);
        const at = q + k;
        s0 = i32x4.add(s0, i32x4.dot_i16x8_s(v128.load(at), d));
        s1 = i32x4.add(s1, i32x4.dot_i16x8_s(v128.load(at, 256), d));
        s2 = i32x4.add(s2, i32x4.dot_i16x8_s(v128.load(at, 512), d));
        s3 = i32x4.add(s3, i32x4.dot_i16x8_s(v128.load(at, 768), d));
        s0 = i32x4.add(s0, i32x4.dot_i16x8_s(v128.load(at, 16), e));
        s1 = i32x4.add(s1, i32x4.dot_i16x8_s(v128.load(at, 272), e));
        s2 = i32x4.add(s2, i32x4.dot_i16x8_s(v128.load(at, 528), e));
        s3 = i32x4.add(s3, i32x4.dot_i16x8_s(v128.load(at, 784), e));
      }
      const dots = across(s0, s1, s2, s3);
      const better = i32x4.gt_s(dots, best);
      next = i32x4.max_s(next, i32x4.min_s(best, dots));
      best = i32x4.max_s(best, dots);
      where = v128.bitselect(here, where, better);
      here = i32x4.add(here, one);
    }
    const at = (<usize>i) << 2;
    v128.store(first + at, best);
    v128.store(second + at, next);
    v128.store(index + at, where);
  }
}
