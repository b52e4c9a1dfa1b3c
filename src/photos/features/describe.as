// Orientation and RootSIFT descriptor of key points (Lowe 2004; Arandjelović and Zisserman 2012). AssemblyScript, f32,
// no calls of the host's mathematics: arctangent, exponential, cosine and sine are polynomials, so every machine gives
// the same bits.

const PI: f32 = 3.14159265;

/** atan2 by Abramowitz and Stegun 4.4.49, error below 2·10⁻⁵ rad, in 0 … 2π. */
function angle(y: f32, x: f32): f32 {
  const ax = abs(x);
  const ay = abs(y);
  const big = max(ax, ay);
  if (big == 0) return 0;
  const t: f32 = min(ax, ay) / big;
  const s: f32 = t * t;
  let a: f32 = t * (0.99986633 + s * (-0.3302995 + s * (0.180141 + s * (-0.085133 + s * 0.0208351))));
  if (ay > ax) a = 0.5 * PI - a;
  if (x < 0) a = PI - a;
  if (y < 0) a = 2 * PI - a;
  return a;
}

/** exp(−x) for x ≥ 0: the 32nd power of a Taylor polynomial at x/32. */
function decay(x: f32): f32 {
  if (x > 20) return 0;
  const t: f32 = x * -0.03125;
  let e: f32 = 1 + t * (1 + t * (0.5 + t * (0.16666667 + t * (0.041666668 + t * 0.008333334))));
  e *= e;
  e *= e;
  e *= e;
  e *= e;
  return e * e;
}

/** Sine on −π … π by its Taylor polynomial after folding to −π/2 … π/2. */
function sine(a: f32): f32 {
  let x = a;
  if (x > 0.5 * PI) x = PI - x;
  else if (x < -0.5 * PI) x = -PI - x;
  const s: f32 = x * x;
  return x * (1 + s * (-0.16666667 + s * (0.008333333 + s * (-0.00019841270 + s * 0.0000027557319))));
}

function cosine(a: f32): f32 {
  let x: f32 = a + 0.5 * PI;
  if (x > PI) x -= 2 * PI;
  return sine(x);
}

/**
 * Dominant orientations at (x, y) of a Gaussian picture, from a 36-bin histogram of gradients weighted with 1.5
 * `sigma`. Writes up to `most` angles in −π … π to `out`, strongest first, those above 80 % of the peak. `bins` has
 * room for 36 floats. Returns how many.
 */
export function orientations(
  picture: usize,
  width: i32,
  height: i32,
  x: f32,
  y: f32,
  sigma: f32,
  bins: usize,
  out: usize,
  most: i32,
): i32 {
  const stride = (<usize>width) << 2;
  const s: f32 = 1.5 * sigma;
  const radius = <i32>max(1, nearest<f32>(3 * s));
  const cx = <i32>nearest<f32>(x);
  const cy = <i32>nearest<f32>(y);
  const scale: f32 = 0.5 / (s * s);
  memory.fill(bins, 0, 144);
  for (let j = max(1, cy - radius); j <= min(height - 2, cy + radius); j++) {
    for (let i = max(1, cx - radius); i <= min(width - 2, cx + radius); i++) {
      const dx: f32 = <f32>i - x;
      const dy: f32 = <f32>j - y;
      const r2: f32 = dx * dx + dy * dy;
      if (r2 > <f32>(radius * radius) + 0.6) continue;
      const at = picture + (<usize>j) * stride + ((<usize>i) << 2);
      const gx: f32 = load<f32>(at + 4) - load<f32>(at - 4);
      const gy: f32 = load<f32>(at + stride) - load<f32>(at - stride);
      const weight: f32 = sqrt<f32>(gx * gx + gy * gy) * decay(r2 * scale);
      const bin: f32 = angle(gy, gx) * (36 / (2 * PI)) - 0.5;
      const low = <i32>floor<f32>(bin);
      const part: f32 = bin - <f32>low;
      const a = bins + ((<usize>((low + 36) % 36)) << 2);
      const b = bins + ((<usize>((low + 37) % 36)) << 2);
      store<f32>(a, load<f32>(a) + weight * (1 - part));
      store<f32>(b, load<f32>(b) + weight * part);
    }
  }
  for (let round = 0; round < 6; round++) {
    const first = load<f32>(bins);
    let previous = load<f32>(bins + 140);
    for (let i = 0; i < 36; i++) {
      const at = bins + ((<usize>i) << 2);
      const here = load<f32>(at);
      const next = i == 35 ? first : load<f32>(at + 4);
      store<f32>(at, (previous + here + next) / 3);
      previous = here;
    }
  }
  let peak: f32 = 0;
  for (let i = 0; i < 36; i++) peak = max(peak, load<f32>(bins + ((<usize>i) << 2)));
  if (peak == 0) return 0;
  let count = 0;
  let ceiling: f32 = peak;
  let ceilingBin = -1;
  // The strongest first; equal ones by bin.
  while (count < most) {
    let best = -1;
    let value: f32 = 0;
    for (let i = 0; i < 36; i++) {
      const v = load<f32>(bins + ((<usize>i) << 2));
      const before = load<f32>(bins + ((<usize>((i + 35) % 36)) << 2));
      const after = load<f32>(bins + ((<usize>((i + 1) % 36)) << 2));
      if (v < 0.8 * peak || v <= before || v <= after) continue;
      if (v > ceiling || (v == ceiling && i <= ceilingBin)) continue;
      if (v > value) {
        value = v;
        best = i;
      }
    }
    if (best < 0) break;
    const before = load<f32>(bins + ((<usize>((best + 35) % 36)) << 2));
    const after = load<f32>(bins + ((<usize>((best + 1) % 36)) << 2));
    const shift: f32 = (0.5 * (before - after)) / (before - 2 * value + after);
    let a: f32 = (<f32>best + shift + 0.5) * ((2 * PI) / 36);
    if (a > PI) a -= 2 * PI;
    store<f32>(out + ((<usize>count) << 2), a);
    count++;
    ceiling = value;
    ceilingBin = best;
  }
  return count;
}

/**
 * RootSIFT at (x, y), `sigma` and `theta` of a Gaussian picture: 4 × 4 cells of 3 sigma, 8 directions, 128 bytes of
 * length about 512 to `out`. `bins` has room for 128 floats.
 */
export function describe(
  picture: usize,
  width: i32,
  height: i32,
  x: f32,
  y: f32,
  sigma: f32,
  theta: f32,
  bins: usize,
  out: usize,
): void {
  const stride = (<usize>width) << 2;
  const cell: f32 = 3 * sigma;
  const radius = <i32>floor<f32>(1.41421356 * cell * 2.5 + 0.5);
  const c: f32 = cosine(theta) / cell;
  const s: f32 = sine(theta) / cell;
  const cx = <i32>nearest<f32>(x);
  const cy = <i32>nearest<f32>(y);
  memory.fill(bins, 0, 512);
  for (let j = max(1, cy - radius); j <= min(height - 2, cy + radius); j++) {
    for (let i = max(1, cx - radius); i <= min(width - 2, cx + radius); i++) {
      const dx: f32 = <f32>i - x;
      const dy: f32 = <f32>j - y;
      const u: f32 = c * dx + s * dy;
      const v: f32 = c * dy - s * dx;
      if (abs(u) >= 2.5 || abs(v) >= 2.5) continue;
      const at = picture + (<usize>j) * stride + ((<usize>i) << 2);
      const gx: f32 = load<f32>(at + 4) - load<f32>(at - 4);
      const gy: f32 = load<f32>(at + stride) - load<f32>(at - stride);
      const weight: f32 = sqrt<f32>(gx * gx + gy * gy) * decay((u * u + v * v) * 0.125);
      let a: f32 = angle(gy, gx) - theta;
      if (a < 0) a += 2 * PI;
      if (a >= 2 * PI) a -= 2 * PI;
      const fo: f32 = a * (8 / (2 * PI));
      const fu: f32 = u + 1.5;
      const fv: f32 = v + 1.5;
      const io = <i32>floor<f32>(fo);
      const iu = <i32>floor<f32>(fu);
      const iv = <i32>floor<f32>(fv);
      const po: f32 = fo - <f32>io;
      const pu: f32 = fu - <f32>iu;
      const pv: f32 = fv - <f32>iv;
      const o0 = (io & 7) << 2;
      const o1 = ((io + 1) & 7) << 2;
      for (let m = 0; m < 2; m++) {
        const row = iv + m;
        if (row < 0 || row > 3) continue;
        const wv: f32 = weight * (m ? pv : 1 - pv);
        for (let n = 0; n < 2; n++) {
          const column = iu + n;
          if (column < 0 || column > 3) continue;
          const w: f32 = wv * (n ? pu : 1 - pu);
          const bin = bins + ((<usize>((row * 4 + column) * 8)) << 2);
          store<f32>(bin + o0, load<f32>(bin + o0) + w * (1 - po));
          store<f32>(bin + o1, load<f32>(bin + o1) + w * po);
        }
      }
    }
  }
  let square: f32 = 0;
  for (let i: usize = 0; i < 128; i++) {
    const v = load<f32>(bins + (i << 2));
    square += v * v;
  }
  // Gradients above a fifth of the whole are cut (uneven light); then the square root of the shares.
  const limit: f32 = 0.2 * sqrt<f32>(square);
  let sum: f32 = 0;
  for (let i: usize = 0; i < 128; i++) {
    const v = min(limit, load<f32>(bins + (i << 2)));
    store<f32>(bins + (i << 2), v);
    sum += v;
  }
  const inverse: f32 = sum > 0 ? 1 / sum : 0;
  for (let i: usize = 0; i < 128; i++) {
    const v: f32 = 512 * sqrt<f32>(load<f32>(bins + (i << 2)) * inverse);
    store<u8>(out + i, <u8>min<f32>(255, nearest<f32>(v)));
  }
}
