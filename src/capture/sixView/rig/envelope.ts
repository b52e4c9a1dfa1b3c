import type { DepthModel } from './rigParameters.js';

/**
 * Weight of a sample that lies in front of the hull, where no surface can be, against one behind it, as in every
 * hollow.
 */
const IN_FRONT = 4;

/**
 * Fits a depth map onto the front of a visual hull: the surface lies on the hull or behind it, never in front.
 * Asymmetric robust regression by reweighted least squares.
 *
 * @param values depth values
 * @param hull depth of the hull at the same places, in units of the camera distance
 * @param sign of the coefficient a: +1 where larger values are farther in a linear map
 * @param limit misfit that counts as 1, in the same units as `hull`
 * @returns the coefficients and the mean misfit, 0…1
 */
export function fitEnvelope(
  values: readonly number[],
  hull: readonly number[],
  model: DepthModel,
  sign: 1 | -1,
  limit: number,
): { a: number; b: number; misfit: number } {
  const n = values.length;
  if (n < 8) return { a: sign, b: 1, misfit: 1 };
  const target = model === 'linear' ? hull : hull.map((z) => 1 / z);
  // One unit of the fitted quantity in units of depth.
  const unit = model === 'linear' ? 1 : (hull.reduce((s, z) => s + z, 0) / n) ** 2;
  // A larger fitted value is nearer in a map of inverse depth.
  const behind = model === 'linear' ? 1 : -1;
  let a = 0;
  let b = 0;
  const weights = new Float64Array(n).fill(1);
  for (let round = 0; round < 9; round++) {
    let sw = 0;
    let sx = 0;
    let sy = 0;
    let sxx = 0;
    let sxy = 0;
    for (let k = 0; k < n; k++) {
      const w = weights[k];
      const x = values[k];
      const y = target[k];
      sw += w;
      sx += w * x;
      sy += w * y;
      sxx += w * x * x;
      sxy += w * x * y;
    }
    const variance = sxx - (sx * sx) / sw;
    const covariance = sxy - (sx * sy) / sw;
    // A flat map says nothing about its scale: a slight pull to the middle of what is plausible keeps it finite.
    const pull = 1e-6 * sw;
    a = (covariance + pull * sign * 0.5) / (variance + pull);
    if (a * sign < 0.02) a = 0.02 * sign;
    b = (sy - a * sx) / sw;
    const scale = Math.max(0.05, 0.6 ** round) * limit;
    for (let k = 0; k < n; k++) {
      const e = (a * values[k] + b - target[k]) * unit * behind;
      const r = e / scale;
      weights[k] = e < 0 ? IN_FRONT / (1 + Math.abs(r)) : 1 / (1 + r * r);
    }
  }
  let misfit = 0;
  for (let k = 0; k < n; k++) {
    const e = ((a * values[k] + b - target[k]) * unit * behind) / limit;
    misfit += e < 0 ? Math.min(1, -2 * e) : Math.min(1, e);
  }
  return { a, b, misfit: misfit / n };
}
