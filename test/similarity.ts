import { svd3 } from '../src/photos/solve/svd3.js';

/** A camera: rotation world to camera (row-major), centre in the world. */
export interface PlacedCamera {
  rotation: ArrayLike<number>;
  centre: ArrayLike<number>;
}

/**
 * How far cameras are from reference ones after the similarity that brings their centres together best (Umeyama 1991).
 *
 * @returns median and largest angle in degrees; root mean square distance of the centres over the reference's extent
 */
export function compareCameras(
  own: readonly PlacedCamera[],
  reference: readonly PlacedCamera[],
): { medianAngle: number; maxAngle: number; position: number } {
  const n = own.length;
  const mean = (list: readonly PlacedCamera[]): number[] =>
    [0, 1, 2].map((k) => list.reduce((s, c) => s + c.centre[k], 0) / n);
  const [mx, my] = [mean(own), mean(reference)];
  const m = new Float64Array(9);
  let variance = 0;
  for (let i = 0; i < n; i++) {
    const x = [0, 1, 2].map((k) => own[i].centre[k] - mx[k]);
    const y = [0, 1, 2].map((k) => reference[i].centre[k] - my[k]);
    for (let r = 0; r < 3; r++) for (let c = 0; c < 3; c++) m[r * 3 + c] += (y[r] * x[c]) / n;
    variance += (x[0] ** 2 + x[1] ** 2 + x[2] ** 2) / n;
  }
  const { u, s, v } = svd3(m);
  // U and V are rotations already; a negative third value stands for the reflection that Umeyama takes out.
  const rotation = [0, 1, 2].map((r) =>
    [0, 1, 2].map((c) => [0, 1, 2].reduce((t, k) => t + u[r * 3 + k] * v[c * 3 + k], 0)),
  );
  const scale = (s[0] + s[1] + s[2]) / variance;
  let square = 0;
  const angles: number[] = [];
  for (let i = 0; i < n; i++) {
    const x = [0, 1, 2].map((k) => own[i].centre[k] - mx[k]);
    for (let r = 0; r < 3; r++) {
      const moved = scale * (rotation[r][0] * x[0] + rotation[r][1] * x[1] + rotation[r][2] * x[2]) + my[r];
      square += (moved - reference[i].centre[r]) ** 2 / n;
    }
    // Own camera's axes in the reference's world: R_own Rᵀ, against R_reference.
    let difference = 0;
    for (let r = 0; r < 3; r++)
      for (let c = 0; c < 3; c++) {
        const turned = [0, 1, 2].reduce((t, k) => t + own[i].rotation[r * 3 + k] * rotation[c][k], 0);
        difference += (turned - reference[i].rotation[r * 3 + c]) ** 2;
      }
    angles.push((2 * Math.asin(Math.min(1, Math.sqrt(difference / 8))) * 180) / Math.PI);
  }
  angles.sort((a, b) => a - b);
  const extent = Math.hypot(
    ...[0, 1, 2].map((k) => {
      const values = reference.map((c) => c.centre[k]);
      return Math.max(...values) - Math.min(...values);
    }),
  );
  return { medianAngle: angles[n >> 1], maxAngle: angles[n - 1], position: Math.sqrt(square) / extent };
}
