// Scale space of one picture: Gaussian blur, halving, extrema of differences of Gaussians (Lowe 2004). AssemblyScript;
// f32 throughout, whose operations are exact in WebAssembly, so every machine gives the same bits. Addresses are bytes
// in the module's memory.

/**
 * Horizontal blur with a symmetric kernel of `radius` + 1 weights (the middle first). `row` has room for width + 2
 * radius floats.
 */
export function blurRows(
  from: usize,
  to: usize,
  width: i32,
  height: i32,
  weights: usize,
  radius: i32,
  row: usize,
): void {
  const middle = load<f32>(weights);
  for (let y = 0; y < height; y++) {
    const source = from + ((<usize>y * width) << 2);
    const target = to + ((<usize>y * width) << 2);
    const first = load<f32>(source);
    const last = load<f32>(source + ((<usize>(width - 1)) << 2));
    for (let i = 0; i < radius; i++) {
      store<f32>(row + ((<usize>i) << 2), first);
      store<f32>(row + ((<usize>(radius + width + i)) << 2), last);
    }
    memory.copy(row + ((<usize>radius) << 2), source, (<usize>width) << 2);
    let x = 0;
    for (; x + 4 <= width; x += 4) {
      const at = row + ((<usize>(x + radius)) << 2);
      let sum = f32x4.mul(v128.load(at), f32x4.splat(middle));
      for (let i = 1; i <= radius; i++) {
        const d = (<usize>i) << 2;
        const pair = f32x4.add(v128.load(at - d), v128.load(at + d));
        sum = f32x4.add(sum, f32x4.mul(pair, v128.load_splat<f32>(weights + d)));
      }
      v128.store(target + ((<usize>x) << 2), sum);
    }
    for (; x < width; x++) {
      const at = row + ((<usize>(x + radius)) << 2);
      let sum: f32 = load<f32>(at) * middle;
      for (let i = 1; i <= radius; i++) {
        const d = (<usize>i) << 2;
        sum += (load<f32>(at - d) + load<f32>(at + d)) * load<f32>(weights + d);
      }
      store<f32>(target + ((<usize>x) << 2), sum);
    }
  }
}

/** Vertical blur; `from` and `to` differ. */
export function blurColumns(from: usize, to: usize, width: i32, height: i32, weights: usize, radius: i32): void {
  const stride = (<usize>width) << 2;
  const middle = load<f32>(weights);
  for (let y = 0; y < height; y++) {
    const source = from + <usize>y * stride;
    const target = to + <usize>y * stride;
    let x = 0;
    for (; x + 4 <= width; x += 4) {
      const column = (<usize>x) << 2;
      let sum = f32x4.mul(v128.load(source + column), f32x4.splat(middle));
      for (let i = 1; i <= radius; i++) {
        const above = from + <usize>max(0, y - i) * stride + column;
        const below = from + <usize>min(height - 1, y + i) * stride + column;
        const pair = f32x4.add(v128.load(above), v128.load(below));
        sum = f32x4.add(sum, f32x4.mul(pair, v128.load_splat<f32>(weights + ((<usize>i) << 2))));
      }
      v128.store(target + column, sum);
    }
    for (; x < width; x++) {
      const column = (<usize>x) << 2;
      let sum: f32 = load<f32>(source + column) * middle;
      for (let i = 1; i <= radius; i++) {
        const above = from + <usize>max(0, y - i) * stride + column;
        const below = from + <usize>min(height - 1, y + i) * stride + column;
        sum += (load<f32>(above) + load<f32>(below)) * load<f32>(weights + ((<usize>i) << 2));
      }
      store<f32>(target + column, sum);
    }
  }
}

/** Every second pixel of every second row: ⌊width/2⌋ × ⌊height/2⌋. */
export function halve(from: usize, to: usize, width: i32, height: i32): void {
  const w = width >> 1;
  const h = height >> 1;
  for (let y = 0; y < h; y++) {
    const source = from + ((<usize>(2 * y * width)) << 2);
    const target = to + ((<usize>(y * w)) << 2);
    for (let x = 0; x < w; x++) store<f32>(target + ((<usize>x) << 2), load<f32>(source + ((<usize>x) << 3)));
  }
}

/** Twice the size, bilinear, with the pixel centres of the original on the even pixels: 2 width × 2 height. */
export function double(from: usize, to: usize, width: i32, height: i32): void {
  const stride = <usize>width << 2;
  for (let y = 0; y < height; y++) {
    const a = from + <usize>y * stride;
    const b = from + <usize>min(y + 1, height - 1) * stride;
    const target = to + <usize>(2 * y) * 2 * stride;
    for (let x = 0; x < width; x++) {
      const i = <usize>x << 2;
      const j = <usize>min(x + 1, width - 1) << 2;
      const p = load<f32>(a + i);
      const q = load<f32>(a + j);
      const r = load<f32>(b + i);
      const s = load<f32>(b + j);
      store<f32>(target + 2 * i, p);
      store<f32>(target + 2 * i + 4, 0.5 * (p + q));
      store<f32>(target + 2 * stride + 2 * i, 0.5 * (p + r));
      store<f32>(target + 2 * stride + 2 * i + 4, 0.25 * (p + q + r + s));
    }
  }
}

// @ts-ignore: decorator
@inline
function difference(levels: usize, size: usize, level: i32, at: usize): f32 {
  const address = levels + (<usize>level) * size + at;
  return load<f32>(address + size) - load<f32>(address);
}

const INTERVALS: i32 = 3;

/** Whether the difference at this place is larger (sign > 0) or smaller than all of its 26 neighbours. */
function isExtremum(levels: usize, size: usize, stride: usize, level: i32, at: usize, value: f32): bool {
  const sign: f32 = value > 0 ? 1 : -1;
  const v = sign * value;
  for (let l = level - 1; l <= level + 1; l++) {
    for (let dy = -1; dy <= 1; dy++) {
      const row = at + <usize>dy * stride;
      for (let dx = -1; dx <= 1; dx++) {
        if (l == level && dy == 0 && dx == 0) continue;
        if (sign * difference(levels, size, l, row + ((<usize>dx) << 2)) >= v) return false;
      }
    }
  }
  return true;
}

/**
 * Finds extrema in `levels` (six Gaussian pictures of width × height one after the other), refines them to sub-pixel
 * place and scale by a quadratic fit, and drops those of low contrast and those on edges. Writes five f32 each to
 * `out`: x, y (pixels of this octave, pixel centres at whole numbers), level (0 … 5, fractional), contrast, unused.
 * Returns how many; at most `room`.
 */
export function findExtrema(
  levels: usize,
  width: i32,
  height: i32,
  contrast: f32,
  edge: f32,
  out: usize,
  room: i32,
): i32 {
  const stride = (<usize>width) << 2;
  const size = stride * <usize>height;
  const border = 5;
  const least: f32 = 0.8 * contrast;
  const threshold = f32x4.splat(least);
  const edgeLimit: f32 = ((edge + 1) * (edge + 1)) / edge;
  let count = 0;
  for (let level = 1; level <= INTERVALS; level++) {
    const base = levels + (<usize>level) * size;
    for (let y = border; y < height - border; y++) {
      for (let x = border; x < width - border; x += 4) {
        const start = (<usize>y) * stride + ((<usize>x) << 2);
        const d = f32x4.sub(v128.load(base + size + start), v128.load(base + start));
        const strong = f32x4.gt(f32x4.abs(d), threshold);
        if (!v128.any_true(strong)) continue;
        const bits = i32x4.bitmask(strong);
        for (let lane = 0; lane < 4; lane++) {
          if (!(bits & (1 << lane)) || x + lane >= width - border) continue;
          const at = start + ((<usize>lane) << 2);
          const value = difference(levels, size, level, at);
          if (!isExtremum(levels, size, stride, level, at, value)) continue;
          if (count >= room) return count;
          if (
            refine(levels, size, stride, width, height, x + lane, y, level, contrast, edgeLimit, out + <usize>count * 20)
          )
            count++;
        }
      }
    }
  }
  return count;
}

function refine(
  levels: usize,
  size: usize,
  stride: usize,
  width: i32,
  height: i32,
  x0: i32,
  y0: i32,
  level0: i32,
  contrast: f32,
  edgeLimit: f32,
  out: usize,
): bool {
  let x = x0;
  let y = y0;
  let l = level0;
  for (let step = 0; step < 5; step++) {
    const at = (<usize>y) * stride + ((<usize>x) << 2);
    const c = difference(levels, size, l, at);
    const left = difference(levels, size, l, at - 4);
    const right = difference(levels, size, l, at + 4);
    const up = difference(levels, size, l, at - stride);
    const down = difference(levels, size, l, at + stride);
    const below = difference(levels, size, l - 1, at);
    const above = difference(levels, size, l + 1, at);
    const gx: f32 = 0.5 * (right - left);
    const gy: f32 = 0.5 * (down - up);
    const gs: f32 = 0.5 * (above - below);
    const xx: f32 = left + right - 2 * c;
    const yy: f32 = up + down - 2 * c;
    const ss: f32 = below + above - 2 * c;
    const xy: f32 =
      0.25 *
      (difference(levels, size, l, at + stride + 4) -
        difference(levels, size, l, at + stride - 4) -
        difference(levels, size, l, at - stride + 4) +
        difference(levels, size, l, at - stride - 4));
    const xs: f32 =
      0.25 *
      (difference(levels, size, l + 1, at + 4) -
        difference(levels, size, l + 1, at - 4) -
        difference(levels, size, l - 1, at + 4) +
        difference(levels, size, l - 1, at - 4));
    const ys: f32 =
      0.25 *
      (difference(levels, size, l + 1, at + stride) -
        difference(levels, size, l + 1, at - stride) -
        difference(levels, size, l - 1, at + stride) +
        difference(levels, size, l - 1, at - stride));
    const c0: f32 = yy * ss - ys * ys;
    const c1: f32 = xs * ys - xy * ss;
    const c2: f32 = xy * ys - xs * yy;
    const det: f32 = xx * c0 + xy * c1 + xs * c2;
    if (det == 0) return false;
    const inverse: f32 = -1 / det;
    const ox: f32 = inverse * (c0 * gx + c1 * gy + c2 * gs);
    const oy: f32 = inverse * (c1 * gx + (xx * ss - xs * xs) * gy + (xy * xs - xx * ys) * gs);
    const os: f32 = inverse * (c2 * gx + (xy * xs - xx * ys) * gy + (xx * yy - xy * xy) * gs);
    const mx = ox > 0.6 ? 1 : ox < -0.6 ? -1 : 0;
    const my = oy > 0.6 ? 1 : oy < -0.6 ? -1 : 0;
    const ml = os > 0.6 ? 1 : os < -0.6 ? -1 : 0;
    if (mx == 0 && my == 0 && ml == 0) {
      const peak: f32 = c + 0.5 * (gx * ox + gy * oy + gs * os);
      if (abs(peak) < contrast) return false;
      const trace = xx + yy;
      const d2 = xx * yy - xy * xy;
      if (d2 <= 0 || trace * trace >= edgeLimit * d2) return false;
      store<f32>(out, <f32>x + ox);
      store<f32>(out, <f32>y + oy, 4);
      store<f32>(out, <f32>l + os, 8);
      store<f32>(out, abs(peak), 12);
      store<f32>(out, 0, 16);
      return true;
    }
    x += mx;
    y += my;
    l += ml;
    if (x < 5 || y < 5 || x >= width - 5 || y >= height - 5 || l < 1 || l > INTERVALS) return false;
  }
  return false;
}
