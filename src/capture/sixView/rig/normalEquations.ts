import { BEHIND_CAMERA, Comparison, NOTHING, type ResidualSettings } from './comparison.js';
import type { Relative } from './relativePoses.js';
import { FOCAL, type RigParameters, unknownsOf } from './rigParameters.js';
import { SamplePoint } from './samplePoint.js';
import type { ViewGrid } from './viewGrid.js';

export interface NormalEquations {
  /** Row-major n × n and right-hand side, of Σ w·r²/σ². */
  h: Float64Array;
  g: Float64Array;
  /** Mean robust loss per comparison, 0…1. */
  cost: number;
  comparisons: number;
  /**
   * Per pair i·views + j: comparisons, points of i outside j's outline by over one cell, surfaces that were compared,
   * sum of squares of their residuals below 3σ.
   */
  outside: Float64Array;
  pairs: Float64Array;
  met: Float64Array;
  squares: Float64Array;
}

/**
 * Compares every sample of every view with every other view: it must lie inside the other's outline, not in front of
 * the other's surface, and, where it faces the other camera, on that surface.
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
  const result: NormalEquations = {
    h: new Float64Array(n * n),
    g: new Float64Array(n),
    cost: 0,
    comparisons: 0,
    outside: new Float64Array(views * views),
    pairs: new Float64Array(views * views),
    met: new Float64Array(views * views),
    squares: new Float64Array(views * views),
  };
  const inverseVariance = 1 / settings.sigma ** 2;
  const row = new EquationRow(result, n);
  const point = new SamplePoint();
  const comparison = new Comparison();
  for (let i = 0; i < views; i++) {
    const cells = samples[i];
    for (let s = 0; s < cells.length; s++) {
      if (!point.lift(grids[i], cells[s], p, i)) {
        const against = only === undefined || only === i ? views - 1 : 1;
        result.cost += against;
        result.comparisons += against;
        continue;
      }
      for (let j = 0; j < views; j++) {
        if (j === i || (only !== undefined && i !== only && j !== only)) continue;
        const pair = i * views + j;
        result.comparisons++;
        result.pairs[pair]++;
        const pose = poses[i][j];
        const outcome = comparison.make(point, pose, grids[j], p, j, settings);
        if (outcome === NOTHING) continue;
        if (outcome === BEHIND_CAMERA) {
          result.cost++;
          result.outside[pair]++;
          continue;
        }
        const { residual, weight } = comparison;
        if (comparison.isOutside) result.outside[pair]++;
        if (comparison.isSmooth && Math.abs(residual) < 3 * settings.sigma) {
          result.met[pair]++;
          result.squares[pair] += residual * residual;
        }
        const scaled = residual * residual * inverseVariance;
        const soft = 1 / (1 + scaled);
        result.cost += weight * scaled * soft;
        if (!costAlone) row.add(point, comparison, pose, p.focal, i, j, weight * soft * soft * inverseVariance);
      }
    }
  }
  result.cost /= Math.max(1, result.comparisons);
  return result;
}

/**
 * One comparison as a row of the equations: it depends on nine unknowns, five of the point's view and four of the
 * other.
 */
class EquationRow {
  private readonly index = new Int32Array(9);
  private readonly row = new Float64Array(9);
  private readonly h: Float64Array;
  private readonly g: Float64Array;

  constructor(
    { h, g }: NormalEquations,
    private readonly n: number,
  ) {
    this.h = h;
    this.g = g;
  }

  /**
   * Adds w·(row, residual); the chain rule goes from the unknowns of view i through the point in camera j to its
   * projection.
   */
  add(point: SamplePoint, c: Comparison, { m }: Relative, f: number, i: number, j: number, w: number): void {
    const { index, row, h, g, n } = this;
    const { d } = point;
    const { byX, byY, byZ, px, py, qz, residual } = c;
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
    row[5] = c.byA;
    row[6] = c.byB;
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
