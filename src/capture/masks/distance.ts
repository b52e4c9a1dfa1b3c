const FAR = 1e20;

/** Squared distances along one line of samples (Felzenszwalb and Huttenlocher 2012, lower envelope of parabolas). */
function transformLine(f: Float64Array, n: number, out: Float64Array, at: Int32Array, bound: Float64Array): void {
  let k = 0;
  at[0] = 0;
  bound[0] = -FAR;
  bound[1] = FAR;
  for (let q = 1; q < n; q++) {
    let s: number;
    do {
      const p = at[k];
      s = (f[q] + q * q - (f[p] + p * p)) / (2 * (q - p));
    } while (s <= bound[k] && --k >= 0);
    k++;
    at[k] = q;
    bound[k] = s;
    bound[k + 1] = FAR;
  }
  k = 0;
  for (let q = 0; q < n; q++) {
    while (bound[k + 1] < q) k++;
    out[q] = (q - at[k]) ** 2 + f[at[k]];
  }
}

/**
 * Distance in pixels from every pixel centre to the nearest pixel centre where `inside` is `value`; 1e10 where there is
 * none.
 */
export function distanceTo(inside: Uint8Array, width: number, height: number, value: 0 | 1): Float32Array {
  const longest = Math.max(width, height);
  const line = new Float64Array(longest);
  const result = new Float64Array(longest);
  const at = new Int32Array(longest);
  const bound = new Float64Array(longest + 1);
  const grid = new Float32Array(width * height);
  for (let x = 0; x < width; x++) {
    for (let y = 0; y < height; y++) line[y] = (inside[y * width + x] !== 0) === (value === 1) ? 0 : FAR;
    transformLine(line, height, result, at, bound);
    for (let y = 0; y < height; y++) grid[y * width + x] = result[y];
  }
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) line[x] = grid[y * width + x];
    transformLine(line, width, result, at, bound);
    for (let x = 0; x < width; x++) grid[y * width + x] = Math.sqrt(result[x]);
  }
  return grid;
}

/**
 * Signed distance in pixels to a mask's outline, which runs between pixel centres: positive inside, negative outside.
 */
export function signedDistance(inside: Uint8Array, width: number, height: number): Float32Array {
  const toOutside = distanceTo(inside, width, height, 0);
  const toInside = distanceTo(inside, width, height, 1);
  for (let i = 0; i < toOutside.length; i++) toOutside[i] = inside[i] ? toOutside[i] - 0.5 : 0.5 - toInside[i];
  return toOutside;
}
