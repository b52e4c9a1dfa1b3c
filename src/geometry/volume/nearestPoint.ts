/**
 * For every pixel centre the nearest of a set of points with sub-pixel positions: a vector distance transform by
 * sequential propagation (Danielsson 1980, "Euclidean distance mapping", with all eight neighbours). Exact next to the
 * points; far from them the rare errors of the method stay below a tenth of a pixel.
 *
 * @param xs, ys positions in pixel-centre coordinates: (0, 0) is the centre of the first pixel.
 * @returns one point index per pixel; −1 everywhere if there is no point.
 */
export function nearestPoint(width: number, height: number, xs: Float32Array, ys: Float32Array): Int32Array {
  const nearest = new Int32Array(width * height).fill(-1);
  if (xs.length === 0) return nearest;

  const squared = new Float32Array(width * height).fill(Number.POSITIVE_INFINITY);
  for (let i = 0; i < xs.length; i++) {
    const x0 = Math.floor(xs[i]);
    const y0 = Math.floor(ys[i]);
    for (let y = Math.max(0, y0); y <= y0 + 1 && y < height; y++)
      for (let x = Math.max(0, x0); x <= x0 + 1 && x < width; x++) {
        const d = (xs[i] - x) * (xs[i] - x) + (ys[i] - y) * (ys[i] - y);
        const at = y * width + x;
        if (d < squared[at]) {
          squared[at] = d;
          nearest[at] = i;
        }
      }
  }

  const tryPoint = (at: number, x: number, y: number, i: number): void => {
    if (i < 0) return;
    const dx = xs[i] - x;
    const dy = ys[i] - y;
    const d = dx * dx + dy * dy;
    if (d < squared[at]) {
      squared[at] = d;
      nearest[at] = i;
    }
  };
  /** One row from its vertical neighbour `from`, then along the row in both directions. */
  const sweepRow = (y: number, from: number): void => {
    const row = y * width;
    if (from >= 0 && from < height) {
      const other = from * width;
      for (let x = 0; x < width; x++) {
        tryPoint(row + x, x, y, nearest[other + x]);
        if (x > 0) tryPoint(row + x, x, y, nearest[other + x - 1]);
        if (x + 1 < width) tryPoint(row + x, x, y, nearest[other + x + 1]);
      }
    }
    for (let x = 1; x < width; x++) tryPoint(row + x, x, y, nearest[row + x - 1]);
    for (let x = width - 2; x >= 0; x--) tryPoint(row + x, x, y, nearest[row + x + 1]);
  };
  for (let y = 0; y < height; y++) sweepRow(y, y - 1);
  for (let y = height - 1; y >= 0; y--) sweepRow(y, y + 1);
  return nearest;
}
