/** Quaternion w, x, y, z with w ≥ 0 of a row-major rotation (Shepperd's method). */
export function quaternionOf(r: ArrayLike<number>): [number, number, number, number] {
  const squares = [1 + r[0] + r[4] + r[8], 1 + r[0] - r[4] - r[8], 1 - r[0] + r[4] - r[8], 1 - r[0] - r[4] + r[8]];
  const k = squares.indexOf(Math.max(...squares));
  const s = 2 * Math.sqrt(squares[k]);
  const d = [r[7] - r[5], r[2] - r[6], r[3] - r[1]];
  const [xy, xz, yz] = [r[1] + r[3], r[2] + r[6], r[5] + r[7]];
  const q = [
    [s / 4, d[0] / s, d[1] / s, d[2] / s],
    [d[0] / s, s / 4, xy / s, xz / s],
    [d[1] / s, xy / s, s / 4, yz / s],
    [d[2] / s, xz / s, yz / s, s / 4],
  ][k];
  const sign = q[0] < 0 ? -1 : 1;
  return [sign * q[0], sign * q[1], sign * q[2], sign * q[3]];
}
