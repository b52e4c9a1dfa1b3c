import type { NormalEquations } from './normalEquations.js';
import { relativePoses } from './relativePoses.js';
import { type Arrangement, rigPose, viewAxes } from './rig.js';
import type { RigParameters } from './rigParameters.js';
import type { ViewGrid } from './viewGrid.js';

export interface ViewAgreement {
  view: string;
  /**
   * Share of this view's points that lie inside the outlines of the other views (one cell of 1/256 width of tolerance),
   * 0…1.
   */
  insideOthers: number;
  /**
   * Root mean square distance between this view's surface and the others' where both see it, in % of the object's
   * diagonal; undefined where they see none in common.
   */
  surfaceDistance?: number;
}

/**
 * How well each view's points agree with the other views after the fit. `diagonal` is in units of the camera distance.
 */
export function depthAgreement(grids: readonly ViewGrid[], last: NormalEquations, diagonal: number): ViewAgreement[] {
  const n = grids.length;
  return grids.map((grid, i) => {
    let pairs = 0;
    let outside = 0;
    let met = 0;
    let squares = 0;
    for (let j = 0; j < n; j++) {
      pairs += last.pairs[i * n + j];
      outside += last.outside[i * n + j];
      met += last.met[i * n + j] + last.met[j * n + i];
      squares += last.squares[i * n + j] + last.squares[j * n + i];
    }
    return {
      view: grid.name,
      insideOthers: 1 - outside / Math.max(1, pairs),
      surfaceDistance: met > 20 ? (100 * Math.sqrt(squares / met)) / diagonal : undefined,
    };
  });
}

/**
 * Bounding box of all back-projected depth points that lie inside the outlines of all views (a speck with a wrong depth
 * seldom does), in units of the camera distance.
 */
export function pointBounds(
  grids: readonly ViewGrid[],
  p: RigParameters,
  arrangement: Arrangement,
): { min: [number, number, number]; max: [number, number, number] } {
  const min: [number, number, number] = [Infinity, Infinity, Infinity];
  const max: [number, number, number] = [-Infinity, -Infinity, -Infinity];
  const poses = grids.map((grid) => rigPose(viewAxes(grid.name, arrangement), 1));
  const relative = relativePoses(grids, arrangement);
  /**
   * Whether a point of view i, in its camera (y down, z forward), lies inside all other outlines, within about two
   * cells.
   */
  const insideAll = (i: number, x: number, y: number, z: number): boolean =>
    grids.every((other, j) => {
      if (j === i) return true;
      const { m, t } = relative[i][j];
      const depth = m[6] * x + m[7] * y + m[8] * z + t[2];
      const u = (p.focal * (m[0] * x + m[1] * y + m[2] * z + t[0])) / depth + p.shiftX[j];
      const v = (p.focal * (m[3] * x + m[4] * y + m[5] * z + t[1])) / depth + p.shiftY[j];
      const cx = u * other.width + other.width / 2;
      const cy = v * other.width + other.height / 2;
      const inX = Math.max(0, Math.min(other.width - 1, Math.floor(cx)));
      const inY = Math.max(0, Math.min(other.height - 1, Math.floor(cy)));
      return other.distance[inY * other.width + inX] - Math.hypot(cx - inX - 0.5, cy - inY - 0.5) > -3;
    });
  grids.forEach((grid, i) => {
    const m = poses[i];
    for (let c = 0; c < grid.value.length; c++) {
      if (Number.isNaN(grid.value[c])) continue;
      const linear = p.a[i] * grid.value[c] + p.b[i];
      const z = p.model === 'linear' ? linear : 1 / linear;
      if (!(z > 0)) continue;
      const x = ((grid.positionX[c] - p.shiftX[i]) / p.focal) * z;
      const y = (-(grid.positionY[c] - p.shiftY[i]) / p.focal) * z;
      if (!insideAll(i, x, -y, z)) continue;
      for (let k = 0; k < 3; k++) {
        const w = m[k] * x + m[4 + k] * y - m[8 + k] * z + m[12 + k];
        if (w < min[k]) min[k] = w;
        if (w > max[k]) max[k] = w;
      }
    }
  });
  return { min, max };
}
