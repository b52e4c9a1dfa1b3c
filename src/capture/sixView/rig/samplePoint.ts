import type { RigParameters } from './rigParameters.js';
import type { ViewGrid } from './viewGrid.js';

/** Distances beyond which a depth value cannot be meant, in camera distances. */
const NEAREST = 0.02;
const FARTHEST = 50;

/** Millions of these are taken, and `Math.hypot` guards against overflow at several times the price. */
export const lengthOf = (x: number, y: number, z: number): number => Math.sqrt(x * x + y * y + z * z);

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

/**
 * A point of the surface as one view sees it, in that view's camera; one object serves all points, for they are many.
 */
export class SamplePoint {
  /** Direction: the point lies at z·(U, V, 1). */
  U = Number.NaN;
  V = Number.NaN;
  z = Number.NaN;
  /** Outward normal, where the surface is smooth. */
  hasNormal = false;
  nx = Number.NaN;
  ny = Number.NaN;
  nz = Number.NaN;
  /**
   * Derivatives of the point by the logarithm of the focal length and a, b, shiftX, shiftY of its view: x y z of each.
   */
  readonly d = new Float64Array(15);

  /**
   * Takes the point of a cell of a view's grid. False where its depth value cannot be meant; the rest is not set then.
   */
  lift(grid: ViewGrid, c: number, p: RigParameters, i: number): boolean {
    const f = p.focal;
    const v = grid.value[c];
    const U = (grid.positionX[c] - p.shiftX[i]) / f;
    const V = (grid.positionY[c] - p.shiftY[i]) / f;
    const linear = p.a[i] * v + p.b[i];
    const z = p.model === 'linear' ? linear : 1 / linear;
    if (!(z > NEAREST && z < FARTHEST)) return false;
    this.U = U;
    this.V = V;
    this.z = z;
    const zByLinear = p.model === 'linear' ? 1 : -z * z;
    this.hasNormal = !Number.isNaN(grid.slopeX[c]);
    if (this.hasNormal) {
      const zu = zByLinear * p.a[i] * grid.slopeX[c] * f;
      const zv = zByLinear * p.a[i] * grid.slopeY[c] * f;
      const nz = -(U * zu + V * zv + z);
      const l = lengthOf(zu, zv, nz);
      this.nx = zu / l;
      this.ny = zv / l;
      this.nz = nz / l;
    }
    const { d } = this;
    d[0] = -z * U;
    d[1] = -z * V;
    d[3] = zByLinear * v * U;
    d[4] = zByLinear * v * V;
    d[5] = zByLinear * v;
    d[6] = zByLinear * U;
    d[7] = zByLinear * V;
    d[8] = zByLinear;
    d[9] = -z / f;
    d[13] = -z / f;
    return true;
  }
}
