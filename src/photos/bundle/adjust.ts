import { solveSymmetricInPlace } from '../../core/linearSolve.js';
import { rotationOf } from '../solve/rotation.js';
import { multiply3 } from '../solve/svd3.js';
import { LENS_SIZE, type Linearised, linearise, residual } from './project.js';

/** What bundle adjustment changes. Arrays are changed in place. */
export interface BundleProblem {
  /** Twelve numbers a photo, world to camera: rotation row-major, translation. */
  poses: Float64Array;
  /** 1 for photos whose pose may change. */
  freePoses: Uint8Array;
  /** Lens of every photo. */
  lensOf: Uint16Array;
  /** `LENS_SIZE` numbers a lens: f, cx, cy, k₁, k₂. */
  lenses: Float64Array;
  /** 1 for every such number that may change. */
  freeLenses: Uint8Array;
  /** Three numbers a point, all free. */
  points: Float64Array;
  /** Where the sightings of every point begin, and the end: points + 1 numbers. */
  starts: Uint32Array;
  /** Photo of every sighting. */
  photos: Uint32Array;
  /** x, y of every sighting in pixels. */
  pixels: Float64Array;
}

export interface BundleOptions {
  /** Distance in pixels from which a sighting counts less and less (Cauchy). Default 1. */
  softness?: number;
  /** Default 30. */
  iterations?: number;
  /** The work ends when an iteration lowers the cost by a smaller share. Default 10⁻⁶. */
  tolerance?: number;
  /** Weak knowledge of focal lengths: pixels, and standard deviation as a share. By lens. */
  focalPriors?: readonly ({ focal: number; deviation: number } | undefined)[];
}

export interface BundleResult {
  iterations: number;
  /** Robust cost before and after. */
  before: number;
  after: number;
}

const FIRST_DAMPING = 1e-4;

/**
 * Bundle adjustment (Triggs et al. 2000): Levenberg–Marquardt on the distances in pixels with Cauchy's loss, points
 * eliminated by the Schur complement, dense Cholesky factorisation of the cameras' system; analytic derivatives; 64-bit
 * floats.
 */
export function adjustBundle(problem: BundleProblem, options: BundleOptions = {}): BundleResult {
  const { softness = 1, iterations = 30, tolerance = 1e-6, focalPriors = [] } = options;
  const layout = layOut(problem);
  const priors = priorsOf(problem, focalPriors);
  const before = costOf(problem, softness, priors);
  let cost = before;
  let damping = FIRST_DAMPING;
  let done = 0;
  let failures = 0;
  while (done < iterations && failures < 8) {
    const system = assemble(problem, layout, softness, damping, priors);
    const solved = layout.size === 0 || solveSymmetricInPlace(system.matrix, system.right, layout.size);
    if (!solved) {
      damping = Math.max(damping * 10, 1e-8);
      failures++;
      continue;
    }
    const kept = snapshot(problem);
    apply(problem, layout, system, softness);
    const next = costOf(problem, softness, priors);
    if (!(next < cost)) {
      restore(problem, kept);
      damping = Math.max(damping * 10, 1e-8);
      failures++;
      if (Math.abs(next - cost) <= 1e-12 * cost) break;
      continue;
    }
    const gain = (cost - next) / cost;
    cost = next;
    damping = Math.max(1e-10, damping / 5);
    failures = 0;
    done++;
    if (gain < tolerance) break;
  }
  return { iterations: done, before, after: cost };
}

/**
 * Standard deviations of the lenses' free numbers at a solution, from the spread of the distances and the inverse of
 * the normal equations; 0 for those that stay.
 */
export function deviationsOfLenses(problem: BundleProblem, softness = 1): Float64Array {
  const layout = layOut(problem);
  const { size } = layout;
  const { matrix } = assemble(problem, layout, softness, 1e-10, []);
  const sightings = problem.photos.length;
  const unknowns = size + problem.points.length;
  const variance = (2 * costOf(problem, softness, [])) / Math.max(1, 2 * sightings - unknowns);
  const out = new Float64Array(problem.lenses.length);
  layout.lenses.forEach((place, i) => {
    if (place < 0) return;
    const unit = new Float64Array(size);
    unit[place] = 1;
    if (solveSymmetricInPlace(matrix.slice(), unit, size)) out[i] = Math.sqrt(Math.max(0, variance * unit[place]));
  });
  return out;
}

/** Place of every free number in the cameras' system; −1 for those that stay. */
interface Layout {
  size: number;
  poses: Int32Array;
  lenses: Int32Array;
}

function layOut({ freePoses, freeLenses }: BundleProblem): Layout {
  let size = 0;
  const poses = Int32Array.from(freePoses, (free) => {
    if (!free) return -1;
    size += 6;
    return size - 6;
  });
  const lenses = Int32Array.from(freeLenses, (free) => (free ? size++ : -1));
  return { size, poses, lenses };
}

interface Prior {
  index: number;
  value: number;
  /** 1 / variance. */
  weight: number;
}

function priorsOf({ freeLenses }: BundleProblem, focals: NonNullable<BundleOptions['focalPriors']>): Prior[] {
  return focals.flatMap((prior, lens) =>
    prior && freeLenses[lens * LENS_SIZE]
      ? [{ index: lens * LENS_SIZE, value: prior.focal, weight: 1 / (prior.focal * prior.deviation) ** 2 }]
      : [],
  );
}

interface System {
  matrix: Float64Array;
  right: Float64Array;
  /** Six numbers a point: the inverse of its damped 3 × 3 block; three: its gradient. */
  inverses: Float64Array;
  gradients: Float64Array;
}

/** The damped normal equations with the points eliminated. Only the lower triangle is filled. */
function assemble(problem: BundleProblem, layout: Layout, softness: number, damping: number, priors: Prior[]): System {
  const { starts, photos, lensOf } = problem;
  const { size: n } = layout;
  const matrix = new Float64Array(n * n);
  const right = new Float64Array(n);
  const count = starts.length - 1;
  const inverses = new Float64Array(count * 6);
  const gradients = new Float64Array(count * 3);
  const line: Linearised = {
    rx: 0,
    ry: 0,
    pose: new Float64Array(12),
    point: new Float64Array(6),
    lens: new Float64Array(10),
  };
  // Of the sightings of one point: places of their free numbers, and W = JcᵀJp, three numbers a place.
  let most = 0;
  for (let j = 0; j < count; j++) most = Math.max(most, starts[j + 1] - starts[j]);
  const places = new Int32Array(most * (6 + LENS_SIZE));
  const w = new Float64Array(3 * places.length);
  const at = new Int32Array(6 + LENS_SIZE);
  const jx = new Float64Array(6 + LENS_SIZE);
  const jy = new Float64Array(6 + LENS_SIZE);
  // Where the numbers of lenses, which sightings share, stand in `places`: −1 for those not met yet.
  const lensPlace = new Int32Array(n);
  const posesEnd = layout.poses.reduce((end, place) => Math.max(end, place + 6), 0);
  for (let j = 0; j < count; j++) {
    let filled = 0;
    lensPlace.fill(-1, posesEnd);
    let [v0, v1, v2, v3, v4, v5, g0, g1, g2] = [0, 0, 0, 0, 0, 0, 0, 0, 0];
    for (let o = starts[j]; o < starts[j + 1]; o++) {
      if (!linearise(problem, j, o, line)) continue;
      const weight = weightOf(line.rx, line.ry, softness);
      const { pose, point: p, lens, rx, ry } = line;
      v0 += weight * (p[0] * p[0] + p[3] * p[3]);
      v1 += weight * (p[0] * p[1] + p[3] * p[4]);
      v2 += weight * (p[1] * p[1] + p[4] * p[4]);
      v3 += weight * (p[0] * p[2] + p[3] * p[5]);
      v4 += weight * (p[1] * p[2] + p[4] * p[5]);
      v5 += weight * (p[2] * p[2] + p[5] * p[5]);
      g0 -= weight * (p[0] * rx + p[3] * ry);
      g1 -= weight * (p[1] * rx + p[4] * ry);
      g2 -= weight * (p[2] * rx + p[5] * ry);
      const photo = photos[o];
      const lensAt = lensOf[photo] * LENS_SIZE;
      let m = 0;
      const posePlace = layout.poses[photo];
      if (posePlace >= 0) {
        for (let k = 0; k < 6; k++, m++) {
          at[m] = posePlace + k;
          jx[m] = pose[k];
          jy[m] = pose[6 + k];
        }
      }
      for (let k = 0; k < LENS_SIZE; k++) {
        if (layout.lenses[lensAt + k] < 0) continue;
        at[m] = layout.lenses[lensAt + k];
        jx[m] = lens[k];
        jy[m] = lens[5 + k];
        m++;
      }
      for (let a = 0; a < m; a++) {
        const xa = weight * jx[a];
        const ya = weight * jy[a];
        right[at[a]] -= xa * rx + ya * ry;
        const row = at[a] * n;
        // Places ascend within a sighting.
        for (let b = 0; b <= a; b++) matrix[row + at[b]] += xa * jx[b] + ya * jy[b];
        const wx = xa * p[0] + ya * p[3];
        const wy = xa * p[1] + ya * p[4];
        const wz = xa * p[2] + ya * p[5];
        let place = filled;
        if (at[a] >= posesEnd) {
          if (lensPlace[at[a]] >= 0) place = lensPlace[at[a]];
          else lensPlace[at[a]] = filled;
        }
        if (place === filled) {
          places[filled] = at[a];
          w.fill(0, 3 * filled, 3 * filled + 3);
          filled++;
        }
        w[place * 3] += wx;
        w[place * 3 + 1] += wy;
        w[place * 3 + 2] += wz;
      }
    }
    v0 += damping * v0 + 1e-12;
    v2 += damping * v2 + 1e-12;
    v5 += damping * v5 + 1e-12;
    // Inverse of the symmetric block [v0 v1 v3; v1 v2 v4; v3 v4 v5].
    const c0 = v2 * v5 - v4 * v4;
    const c1 = v3 * v4 - v1 * v5;
    const c3 = v1 * v4 - v2 * v3;
    const d = v0 * c0 + v1 * c1 + v3 * c3;
    const s = d > 0 ? 1 / d : 0;
    const i0 = c0 * s;
    const i1 = c1 * s;
    const i3 = c3 * s;
    const i2 = (v0 * v5 - v3 * v3) * s;
    const i4 = (v1 * v3 - v0 * v4) * s;
    const i5 = (v0 * v2 - v1 * v1) * s;
    const i = j * 6;
    inverses[i] = i0;
    inverses[i + 1] = i1;
    inverses[i + 2] = i2;
    inverses[i + 3] = i3;
    inverses[i + 4] = i4;
    inverses[i + 5] = i5;
    gradients[j * 3] = g0;
    gradients[j * 3 + 1] = g1;
    gradients[j * 3 + 2] = g2;
    const h0 = i0 * g0 + i1 * g1 + i3 * g2;
    const h1 = i1 * g0 + i2 * g1 + i4 * g2;
    const h2 = i3 * g0 + i4 * g1 + i5 * g2;
    for (let a = 0; a < filled; a++) {
      const x = w[a * 3];
      const y = w[a * 3 + 1];
      const z = w[a * 3 + 2];
      const pa = places[a];
      right[pa] -= x * h0 + y * h1 + z * h2;
      const tx = x * i0 + y * i1 + z * i3;
      const ty = x * i1 + y * i2 + z * i4;
      const tz = x * i3 + y * i4 + z * i5;
      const row = pa * n;
      for (let b = 0; b < filled; b++) {
        const pb = places[b];
        if (pb > pa) continue;
        matrix[row + pb] -= tx * w[b * 3] + ty * w[b * 3 + 1] + tz * w[b * 3 + 2];
      }
    }
  }
  for (const { index, value, weight } of priors) {
    const place = layout.lenses[index];
    matrix[place * n + place] += weight;
    right[place] -= weight * (problem.lenses[index] - value);
  }
  for (let i = 0; i < n; i++) matrix[i * n + i] += damping * matrix[i * n + i] + 1e-12;
  return { matrix, right, inverses, gradients };
}

/** Cauchy's weight of a distance. */
const weightOf = (rx: number, ry: number, softness: number): number =>
  1 / (1 + (rx * rx + ry * ry) / (softness * softness));

/** Moves poses and lenses by the solution, and points by what follows from it. */
function apply(problem: BundleProblem, layout: Layout, system: System, softness: number): void {
  const { poses, lenses, points, starts, photos, lensOf } = problem;
  const { right: step, inverses, gradients } = system;
  const line: Linearised = {
    rx: 0,
    ry: 0,
    pose: new Float64Array(12),
    point: new Float64Array(6),
    lens: new Float64Array(10),
  };
  const moved = new Float64Array(points.length);
  for (let j = 0; j + 1 < starts.length; j++) {
    let [g0, g1, g2] = [gradients[j * 3], gradients[j * 3 + 1], gradients[j * 3 + 2]];
    for (let o = starts[j]; o < starts[j + 1]; o++) {
      if (!linearise(problem, j, o, line)) continue;
      const weight = weightOf(line.rx, line.ry, softness);
      const { pose, point: p, lens } = line;
      let [dx, dy] = [0, 0];
      const place = layout.poses[photos[o]];
      if (place >= 0) {
        for (let k = 0; k < 6; k++) {
          dx += pose[k] * step[place + k];
          dy += pose[6 + k] * step[place + k];
        }
      }
      const lensAt = lensOf[photos[o]] * LENS_SIZE;
      for (let k = 0; k < LENS_SIZE; k++) {
        const at = layout.lenses[lensAt + k];
        if (at < 0) continue;
        dx += lens[k] * step[at];
        dy += lens[5 + k] * step[at];
      }
      dx *= weight;
      dy *= weight;
      g0 -= p[0] * dx + p[3] * dy;
      g1 -= p[1] * dx + p[4] * dy;
      g2 -= p[2] * dx + p[5] * dy;
    }
    const i = j * 6;
    moved[j * 3] = inverses[i] * g0 + inverses[i + 1] * g1 + inverses[i + 3] * g2;
    moved[j * 3 + 1] = inverses[i + 1] * g0 + inverses[i + 2] * g1 + inverses[i + 4] * g2;
    moved[j * 3 + 2] = inverses[i + 3] * g0 + inverses[i + 4] * g1 + inverses[i + 5] * g2;
  }
  for (let i = 0; i < points.length; i++) points[i] += moved[i];
  for (let photo = 0; photo < layout.poses.length; photo++) {
    const place = layout.poses[photo];
    if (place < 0) continue;
    const at = photo * 12;
    const turn = rotationOf(step[place], step[place + 1], step[place + 2]);
    poses.set(multiply3(turn, poses.subarray(at, at + 9)), at);
    for (let k = 0; k < 3; k++) poses[at + 9 + k] += step[place + 3 + k];
  }
  for (let i = 0; i < layout.lenses.length; i++) if (layout.lenses[i] >= 0) lenses[i] += step[layout.lenses[i]];
}

interface Snapshot {
  poses: Float64Array;
  lenses: Float64Array;
  points: Float64Array;
}

const snapshot = ({ poses, lenses, points }: BundleProblem): Snapshot => ({
  poses: poses.slice(),
  lenses: lenses.slice(),
  points: points.slice(),
});

function restore(problem: BundleProblem, kept: Snapshot): void {
  problem.poses.set(kept.poses);
  problem.lenses.set(kept.lenses);
  problem.points.set(kept.points);
}

/** Half the sum of Cauchy's losses and of the priors. */
function costOf(problem: BundleProblem, softness: number, priors: Prior[]): number {
  const { starts, lenses } = problem;
  const square = softness * softness;
  const out = new Float64Array(2);
  let cost = 0;
  for (let j = 0; j + 1 < starts.length; j++) {
    for (let o = starts[j]; o < starts[j + 1]; o++) {
      const seen = residual(problem, j, o, out);
      // A point behind a camera costs as much as one that is 100 pixels off.
      const r2 = seen ? out[0] * out[0] + out[1] * out[1] : 1e4;
      cost += 0.5 * square * Math.log1p(r2 / square);
    }
  }
  for (const { index, value, weight } of priors) cost += 0.5 * weight * (lenses[index] - value) ** 2;
  return cost;
}
