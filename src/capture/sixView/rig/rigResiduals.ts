import type { Arrangement, Axes } from './rig.js';
import { viewAxes } from './rig.js';
import type { ViewGrid } from './viewGrid.js';

/** How a depth value v becomes a distance along the viewing axis: a·v + b, or 1 / (a·v + b) for disparity. */
export type DepthModel = 'linear' | 'inverse';

/** All unknowns of the six views; lengths are in units of the cameras' distance from the centre. */
export interface RigParameters {
  /** Focal length over picture width. */
  focal: number;
  model: DepthModel;
  /** Per view of the list of grids: depth coefficients, and where the principal point lies off the picture's centre, in widths. */
  a: Float64Array;
  b: Float64Array;
  shiftX: Float64Array;
  shiftY: Float64Array;
}

export const copyParameters = (p: RigParameters): RigParameters => ({
  focal: p.focal,
  model: p.model,
  a: p.a.slice(),
  b: p.b.slice(),
  shiftX: p.shiftX.slice(),
  shiftY: p.shiftY.slice(),
});

/** Index of an unknown in the normal equations: the logarithm of the focal length, then a, b, shiftX, shiftY of each view. */
export const FOCAL = 0;
export const unknownsOf = (views: number): number => 1 + 4 * views;

/** Cells of a view to compare with the others, spread evenly: about `count` of those with a depth value. */
export function sampleCells(grid: ViewGrid, count: number): Int32Array {
  let available = 0;
  for (const v of grid.value) if (!Number.isNaN(v)) available++;
  const stride = Math.max(1, Math.round(Math.sqrt(available / count)));
  const out: number[] = [];
  for (let i = 0; i < grid.value.length; i++) {
    if (Number.isNaN(grid.value[i])) continue;
    const x = i % grid.width;
    const y = (i - x) / grid.width;
    // Every stride-th row, staggered, so that no grid line of the object is favoured.
    if (y % stride === 0 && (x + (y / stride) * 3) % stride === 0) out.push(i);
  }
  return Int32Array.from(out);
}

/** Rotation from camera i to camera j and centre of i in j, in axes x right, y down, z forward, at unit distance. */
export interface Relative {
  m: Float64Array;
  t: Float64Array;
}

export function relativePoses(grids: readonly ViewGrid[], arrangement: Arrangement): Relative[][] {
  const axes = grids.map((g) => viewAxes(g.name, arrangement));
  const columns = (a: Axes): number[][] => [a.x, a.y.map((v) => -v), a.z.map((v) => -v)];
  return axes.map((from) =>
    axes.map((to) => {
      const [f, g] = [columns(from), columns(to)];
      const m = new Float64Array(9);
      const t = new Float64Array(3);
      for (let r = 0; r < 3; r++) {
        for (let c = 0; c < 3; c++) for (let k = 0; k < 3; k++) m[r * 3 + c] += g[r][k] * f[c][k];
        for (let k = 0; k < 3; k++) t[r] += g[r][k] * (from.z[k] - to.z[k]);
      }
      return { m, t };
    }),
  );
}

export interface ResidualSettings {
  /** Scale of the robust loss (Geman–McClure), in units of the camera distance. */
  sigma: number;
  /**
   * Weight of a point that lies behind the surface it faces, against one that lies in front of it. It may well be hidden there, so
   * this draws surfaces together from afar but shrinks the object a little.
   */
  behind: number;
}

/** Cosine from which a surface counts as facing a camera. */
const FACING = 0.3;

export interface NormalEquations {
  /** Row-major n × n and right-hand side, of Σ w·r²/σ². */
  h: Float64Array;
  g: Float64Array;
  /** Mean robust loss per comparison, 0…1. */
  cost: number;
  comparisons: number;
  /** Per pair i·views + j: comparisons, points of i outside j's outline by over one cell, surfaces that were compared, sum of squares of their residuals below 3σ. */
  outside: Float64Array;
  pairs: Float64Array;
  met: Float64Array;
  squares: Float64Array;
}

/**
 * Compares every sample of every view with every other view: it must lie inside the other's outline, not in front of the other's
 * surface, and, where it faces the other camera, on that surface.
 *
 * @param only compares only pairs with this view
 * @param costAlone leaves the equations empty
 */
export function accumulate(
  grids: readonly ViewGrid[],
  samples: readonly Int32Array[],
  poses: readonly (readonly Relative[])[],
  p: RigParameters,
  settings: ResidualSettings,
  only?: number,
  costAlone = false,
): NormalEquations {
  const views = grids.length;
  const n = unknownsOf(views);
  const h = new Float64Array(n * n);
  const g = new Float64Array(n);
  const result: NormalEquations = {
    h,
    g,
    cost: 0,
    comparisons: 0,
    outside: new Float64Array(views * views),
    pairs: new Float64Array(views * views),
    met: new Float64Array(views * views),
    squares: new Float64Array(views * views),
  };
  const f = p.focal;
  const inverseVariance = 1 / settings.sigma ** 2;
  const index = new Int32Array(9);
  const row = new Float64Array(9);
  // Derivatives of the point in camera i by log f, a_i, b_i, shiftX_i, shiftY_i.
  const d = new Float64Array(15);
  for (let i = 0; i < views; i++) {
    const gi = grids[i];
    const cells = samples[i];
    for (let s = 0; s < cells.length; s++) {
      const c = cells[s];
      const v = gi.value[c];
      const U = (gi.positionX[c] - p.shiftX[i]) / f;
      const V = (gi.positionY[c] - p.shiftY[i]) / f;
      const linear = p.a[i] * v + p.b[i];
      const z = p.model === 'linear' ? linear : 1 / linear;
      if (!(z > 0.02 && z < 50)) {
        const against = only === undefined || only === i ? views - 1 : 1;
        result.cost += against;
        result.comparisons += against;
        continue;
      }
      const zByLinear = p.model === 'linear' ? 1 : -z * z;
      // Outward normal in camera i, where the surface is smooth.
      const hasNormal = !Number.isNaN(gi.slopeX[c]);
      let nx = 0;
      let ny = 0;
      let nz = 0;
      if (hasNormal) {
        const zu = zByLinear * p.a[i] * gi.slopeX[c] * f;
        const zv = zByLinear * p.a[i] * gi.slopeY[c] * f;
        nx = zu;
        ny = zv;
        nz = -(U * zu + V * zv + z);
        const l = Math.hypot(nx, ny, nz);
        nx /= l;
        ny /= l;
        nz /= l;
      }
      d[0] = -z * U;
      d[1] = -z * V;
      d[2] = 0;
      d[3] = zByLinear * v * U;
      d[4] = zByLinear * v * V;
      d[5] = zByLinear * v;
      d[6] = zByLinear * U;
      d[7] = zByLinear * V;
      d[8] = zByLinear;
      d[9] = -z / f;
      d[10] = 0;
      d[11] = 0;
      d[12] = 0;
      d[13] = -z / f;
      d[14] = 0;
      for (let j = 0; j < views; j++) {
        if (j === i || (only !== undefined && i !== only && j !== only)) continue;
        const { m, t } = poses[i][j];
        const gj = grids[j];
        const pair = i * views + j;
        result.comparisons++;
        result.pairs[pair]++;
        const qx = z * (m[0] * U + m[1] * V + m[2]) + t[0];
        const qy = z * (m[3] * U + m[4] * V + m[5]) + t[1];
        const qz = z * (m[6] * U + m[7] * V + m[8]) + t[2];
        if (!(qz > 0.02)) {
          result.cost++;
          result.outside[pair]++;
          continue;
        }
        const px = (f * qx) / qz;
        const py = (f * qy) / qz;
        const gx = (px + p.shiftX[j]) * gj.width + gj.width / 2;
        const gy = (py + p.shiftY[j]) * gj.width + gj.height / 2;
        const ix = Math.min(gj.width - 1, Math.max(0, Math.floor(gx)));
        const iy = Math.min(gj.height - 1, Math.max(0, Math.floor(gy)));
        const k = iy * gj.width + ix;
        let residual: number;
        let weight = 1;
        // Residual as a linear function of the projected position, of its depth, and of view j's own unknowns.
        let byX: number;
        let byY: number;
        let byZ: number;
        let byA = 0;
        let byB = 0;
        if (!gj.inside[k]) {
          const beyondX = gx < 0 ? gx : gx > gj.width ? gx - gj.width : 0;
          const beyondY = gy < 0 ? gy : gy > gj.height ? gy - gj.height : 0;
          const distance = gj.distance[k] - Math.hypot(beyondX, beyondY);
          const left = gj.distance[ix > 0 ? k - 1 : k];
          const right = gj.distance[ix < gj.width - 1 ? k + 1 : k];
          const above = gj.distance[iy > 0 ? k - gj.width : k];
          const below = gj.distance[iy < gj.height - 1 ? k + gj.width : k];
          const sx = beyondX !== 0 ? -Math.sign(beyondX) : (right - left) / 2;
          const sy = beyondY !== 0 ? -Math.sign(beyondY) : (below - above) / 2;
          const unit = qz / (f * gj.width);
          const within = distance + sx * (gx - beyondX - ix - 0.5) + sy * (gy - beyondY - iy - 0.5);
          if (within >= 0) continue;
          residual = within * unit;
          if (within < -1) result.outside[pair]++;
          byX = sx * gj.width * unit;
          byY = sy * gj.width * unit;
          byZ = 0;
        } else {
          const vj = gj.value[k];
          if (Number.isNaN(vj)) continue;
          const smooth = !Number.isNaN(gj.slopeX[k]);
          const slopeX = smooth ? gj.slopeX[k] : 0;
          const slopeY = smooth ? gj.slopeY[k] : 0;
          // Where the surface breaks off, only what lies in front of all of it is known to be wrong.
          const near = smooth
            ? vj + (slopeX * (gx - ix - 0.5) + slopeY * (gy - iy - 0.5)) / gj.width
            : p.a[j] > 0 === (p.model === 'linear')
              ? gj.least[k]
              : gj.greatest[k];
          const linearJ = p.a[j] * near + p.b[j];
          const zj = p.model === 'linear' ? linearJ : 1 / linearJ;
          const slope = p.model === 'linear' ? 1 : -zj * zj;
          const zu = slope * p.a[j] * slopeX * f;
          const zv = slope * p.a[j] * slopeY * f;
          const cosine = smooth ? zj / Math.hypot(zu, zv, (zu * px + zv * py) / f + zj) : 1;
          residual = (qz - zj) * cosine;
          if (residual > 0) {
            if (!hasNormal || !smooth || settings.behind === 0) continue;
            const towards =
              -(
                qx * (m[0] * nx + m[1] * ny + m[2] * nz) +
                qy * (m[3] * nx + m[4] * ny + m[5] * nz) +
                qz * (m[6] * nx + m[7] * ny + m[8] * nz)
              ) / Math.hypot(qx, qy, qz);
            if (towards < FACING) continue;
            weight = settings.behind;
          }
          if (smooth && hasNormal && Math.abs(residual) < 3 * settings.sigma) {
            result.met[pair]++;
            result.squares[pair] += residual * residual;
          }
          byX = -slope * p.a[j] * slopeX * cosine;
          byY = -slope * p.a[j] * slopeY * cosine;
          byZ = cosine;
          byA = -slope * near * cosine;
          byB = -slope * cosine;
        }
        const scaled = residual * residual * inverseVariance;
        const soft = 1 / (1 + scaled);
        result.cost += weight * scaled * soft;
        if (costAlone) continue;
        const w = weight * soft * soft * inverseVariance;
        // Chain rule from the five unknowns of view i through the point in camera j to its projection.
        const fz = f / qz;
        for (let u = 0; u < 5; u++) {
          const dx = d[u * 3];
          const dy = d[u * 3 + 1];
          const dz = d[u * 3 + 2];
          const ex = m[0] * dx + m[1] * dy + m[2] * dz;
          const ey = m[3] * dx + m[4] * dy + m[5] * dz;
          const ez = m[6] * dx + m[7] * dy + m[8] * dz;
          let dpx = fz * ex - (px / qz) * ez;
          let dpy = fz * ey - (py / qz) * ez;
          if (u === 0) {
            dpx += px;
            dpy += py;
          }
          row[u] = byX * dpx + byY * dpy + byZ * ez;
          index[u] = u === 0 ? FOCAL : 4 * i + u;
        }
        row[5] = byA;
        row[6] = byB;
        row[7] = byX;
        row[8] = byY;
        for (let u = 5; u < 9; u++) index[u] = 4 * j + u - 4;
        for (let u = 0; u < 9; u++) {
          const wr = w * row[u];
          g[index[u]] += wr * residual;
          const base = index[u] * n;
          for (let q = 0; q < 9; q++) h[base + index[q]] += wr * row[q];
        }
      }
    }
  }
  result.cost /= Math.max(1, result.comparisons);
  return result;
}
