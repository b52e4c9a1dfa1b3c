import type { Relative } from './relativePoses.js';
import type { RigParameters } from './rigParameters.js';
import { lengthOf, type SamplePoint } from './samplePoint.js';
import type { ViewGrid } from './viewGrid.js';

export interface ResidualSettings {
  /** Scale of the robust loss (Geman–McClure), in units of the camera distance. */
  sigma: number;
  /**
   * Weight of a point that lies behind the surface it faces, against one that lies in front of it. It may well be
   * hidden there, so this draws surfaces together from afar but shrinks the object a little.
   */
  behind: number;
}

/** Cosine from which a surface counts as facing a camera. */
const FACING = 0.3;
/** Depth below which a point counts as behind a camera, in camera distances. */
const NEAREST = 0.02;

/** What became of a point in another view: nothing to say, no picture of it at all, or a residual. */
export const NOTHING = 0;
export const BEHIND_CAMERA = 1;
export const RESIDUAL = 2;

/** A point of one view held against another view; one object serves all, for they are many. */
export class Comparison {
  /** The point in the other camera, and its projection in widths from the principal point. */
  qx = Number.NaN;
  qy = Number.NaN;
  qz = Number.NaN;
  px = Number.NaN;
  py = Number.NaN;
  /** Signed distance by which the point is wrong, in camera distances, and what it counts. */
  residual = Number.NaN;
  weight = Number.NaN;
  /** Whether the point lies outside the outline by more than a cell. */
  isOutside = false;
  /** Whether two smooth surfaces were compared. */
  isSmooth = false;
  /** The residual as a linear function of the projected position, of its depth, and of the other view's own a and b. */
  byX = Number.NaN;
  byY = Number.NaN;
  byZ = Number.NaN;
  byA = Number.NaN;
  byB = Number.NaN;

  /**
   * The point must lie inside the view's outline, not in front of the view's surface, and, where it faces the camera,
   * on that surface.
   *
   * @param pose from the point's camera to the other
   * @param j index of the other view
   */
  make(
    point: SamplePoint,
    { m, t }: Relative,
    grid: ViewGrid,
    p: RigParameters,
    j: number,
    settings: ResidualSettings,
  ): number {
    const { U, V, z } = point;
    const f = p.focal;
    this.qx = z * (m[0] * U + m[1] * V + m[2]) + t[0];
    this.qy = z * (m[3] * U + m[4] * V + m[5]) + t[1];
    this.qz = z * (m[6] * U + m[7] * V + m[8]) + t[2];
    if (!(this.qz > NEAREST)) return BEHIND_CAMERA;
    this.px = (f * this.qx) / this.qz;
    this.py = (f * this.qy) / this.qz;
    const gx = (this.px + p.shiftX[j]) * grid.width + grid.width / 2;
    const gy = (this.py + p.shiftY[j]) * grid.width + grid.height / 2;
    const ix = Math.min(grid.width - 1, Math.max(0, Math.floor(gx)));
    const iy = Math.min(grid.height - 1, Math.max(0, Math.floor(gy)));
    this.weight = 1;
    this.isOutside = false;
    this.isSmooth = false;
    return grid.inside[iy * grid.width + ix]
      ? this.withSurface(point, m, grid, p, j, settings, gx, gy, ix, iy)
      : this.withOutline(grid, f, gx, gy, ix, iy);
  }

  /** A point beside the outline is as wrong as the way back to it is long. */
  private withOutline(grid: ViewGrid, f: number, gx: number, gy: number, ix: number, iy: number): number {
    const k = iy * grid.width + ix;
    const beyondX = gx < 0 ? gx : gx > grid.width ? gx - grid.width : 0;
    const beyondY = gy < 0 ? gy : gy > grid.height ? gy - grid.height : 0;
    const distance = grid.distance[k] - Math.sqrt(beyondX * beyondX + beyondY * beyondY);
    const left = grid.distance[ix > 0 ? k - 1 : k];
    const right = grid.distance[ix < grid.width - 1 ? k + 1 : k];
    const above = grid.distance[iy > 0 ? k - grid.width : k];
    const below = grid.distance[iy < grid.height - 1 ? k + grid.width : k];
    const sx = beyondX !== 0 ? -Math.sign(beyondX) : (right - left) / 2;
    const sy = beyondY !== 0 ? -Math.sign(beyondY) : (below - above) / 2;
    const unit = this.qz / (f * grid.width);
    const within = distance + sx * (gx - beyondX - ix - 0.5) + sy * (gy - beyondY - iy - 0.5);
    if (within >= 0) return NOTHING;
    this.residual = within * unit;
    this.isOutside = within < -1;
    this.byX = sx * grid.width * unit;
    this.byY = sy * grid.width * unit;
    this.byZ = 0;
    this.byA = 0;
    this.byB = 0;
    return RESIDUAL;
  }

  /**
   * A point in front of the surface is wrong; one behind it is so only where the surface it lies on faces the camera.
   */
  private withSurface(
    point: SamplePoint,
    m: Float64Array,
    grid: ViewGrid,
    p: RigParameters,
    j: number,
    settings: ResidualSettings,
    gx: number,
    gy: number,
    ix: number,
    iy: number,
  ): number {
    const k = iy * grid.width + ix;
    const vj = grid.value[k];
    if (Number.isNaN(vj)) return NOTHING;
    const f = p.focal;
    const smooth = !Number.isNaN(grid.slopeX[k]);
    const slopeX = smooth ? grid.slopeX[k] : 0;
    const slopeY = smooth ? grid.slopeY[k] : 0;
    // Where the surface breaks off, only what lies in front of all of it is known to be wrong.
    const near = smooth
      ? vj + (slopeX * (gx - ix - 0.5) + slopeY * (gy - iy - 0.5)) / grid.width
      : p.a[j] > 0 === (p.model === 'linear')
        ? grid.least[k]
        : grid.greatest[k];
    const linear = p.a[j] * near + p.b[j];
    const zj = p.model === 'linear' ? linear : 1 / linear;
    const slope = p.model === 'linear' ? 1 : -zj * zj;
    const zu = slope * p.a[j] * slopeX * f;
    const zv = slope * p.a[j] * slopeY * f;
    const cosine = smooth ? zj / lengthOf(zu, zv, (zu * this.px + zv * this.py) / f + zj) : 1;
    this.residual = (this.qz - zj) * cosine;
    if (this.residual > 0) {
      if (!point.hasNormal || !smooth || settings.behind === 0) return NOTHING;
      if (this.facing(point, m) < FACING) return NOTHING;
      this.weight = settings.behind;
    }
    this.isSmooth = smooth && point.hasNormal;
    this.byX = -slope * p.a[j] * slopeX * cosine;
    this.byY = -slope * p.a[j] * slopeY * cosine;
    this.byZ = cosine;
    this.byA = -slope * near * cosine;
    this.byB = -slope * cosine;
    return RESIDUAL;
  }

  /** Cosine of the angle under which the other camera sees the point's surface. */
  private facing({ nx, ny, nz }: SamplePoint, m: Float64Array): number {
    const { qx, qy, qz } = this;
    return (
      -(
        qx * (m[0] * nx + m[1] * ny + m[2] * nz) +
        qy * (m[3] * nx + m[4] * ny + m[5] * nz) +
        qz * (m[6] * nx + m[7] * ny + m[8] * nz)
      ) / lengthOf(qx, qy, qz)
    );
  }
}
