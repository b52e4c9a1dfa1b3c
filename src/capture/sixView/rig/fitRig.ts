import { throwIfCancelled } from '../../../core/errors.js';
import { solveSymmetric } from '../../../core/linearSolve.js';
import type { ResidualSettings } from './comparison.js';
import { accumulate, type NormalEquations } from './normalEquations.js';
import { relativePoses } from './relativePoses.js';
import type { Arrangement } from './rig.js';
import { copyParameters, FOCAL, type RigParameters, unknownsOf } from './rigParameters.js';
import { sampleCells } from './samplePoint.js';
import type { ViewGrid } from './viewGrid.js';

/**
 * Metric depth: distance = scale · value + offset, in scene units. `distance`: the cameras' distance in scene units,
 * where known.
 */
export interface MetricDepth {
  scale: number;
  offset: number;
  distance?: number;
}

export interface FitStage extends ResidualSettings {
  /** Whether to try quite other depth scales and focal lengths first, which the descent would not reach. */
  leap?: boolean;
  /**
   * Whether to try somewhat other focal lengths first, with the object's shape kept: along these the descent is slow.
   */
  stride?: boolean;
}

export interface FitSettings {
  /** Scales of the robust loss, coarse to fine; `sigma` as a share of the object's size. */
  stages: readonly FitStage[];
  /** Steps at each scale. */
  steps: number;
  /** Points of each view to compare. */
  samples: number;
  /** Whether the focal length is known. */
  fixedFocal: boolean;
  /**
   * Metric depth: all maps share z = α(scale·v + offset) with one unknown α. Undefined: every map has its own a and b.
   */
  metric?: MetricDepth;
  /** Expected offset of the principal point, in widths; 0 keeps it at the centre. */
  shiftDeviation: number;
  /** Fits the depth coefficients of this view alone. */
  only?: number;
  /** Where leaps look. */
  reach?: HullReach;
  /** Logarithm-space centre of the weak pull on the focal length. */
  focalPrior: number;
  signal?: AbortSignal;
}

export interface RigFit {
  parameters: RigParameters;
  /** Mean robust loss per comparison at the finest scale, 0…1. */
  cost: number;
  /** What the fit makes small: the loss of all comparisons with what is expected of focal length and shifts. */
  energy: number;
  /** Standard deviation of the logarithm of the focal length, as far as the curvature of the loss tells it. */
  focalDeviation: number;
  last: NormalEquations;
}

/** Deviation of the weak pull of log focal towards the prior: decides only where the pictures say nothing. */
const FOCAL_PRIOR_DEVIATION = 0.8;
/** Residuals of neighbouring points err together; so many of them are taken to be independent. */
const INDEPENDENT = 400;

/** Gauss–Newton with Levenberg's damping on the residuals of `accumulate`, from coarse to fine. */
export function fitRig(
  grids: readonly ViewGrid[],
  arrangement: Arrangement,
  start: RigParameters,
  settings: FitSettings,
): RigFit {
  const poses = relativePoses(grids, arrangement);
  const samples = grids.map((g) => sampleCells(g, settings.samples));
  const full = unknownsOf(grids.length);
  const columns = freeColumns(grids.length, settings);
  let parameters = copyParameters(start);
  // A long lens sees a small object from afar: lengths count in sizes of the object, which the focal length decides.
  const extent = Math.max(...grids.map((grid) => Math.max(grid.extentX, grid.extentY)));
  const scaled = (stage: ResidualSettings): ResidualSettings => ({
    ...stage,
    sigma: (stage.sigma * 2 * extent) / parameters.focal,
  });
  let last = accumulate(grids, samples, poses, parameters, scaled(settings.stages[0]), settings.only);
  const costOf = (p: RigParameters, stage: ResidualSettings, only?: number): number =>
    accumulate(grids, samples, poses, p, { ...stage, sigma: (stage.sigma * 2 * extent) / p.focal }, only, true).cost;
  let focalDeviation = Number.POSITIVE_INFINITY;
  for (const relative of settings.stages) {
    if (relative.leap) parameters = leap(grids, parameters, settings, (p, only) => costOf(p, relative, only));
    if (relative.stride) {
      parameters = otherFocals(grids, parameters, settings, FOCAL_STRIDES, (p) => costOf(p, relative));
    }
    const stage = scaled(relative);
    let damping = 1e-3;
    last = accumulate(grids, samples, poses, parameters, stage, settings.only);
    let energy = penalised(last, parameters, settings);
    for (let step = 0; step < settings.steps; step++) {
      throwIfCancelled(settings.signal);
      const { h, g } = reduced(last, parameters, columns, full, settings);
      let improved = false;
      let change = 0;
      for (let attempt = 0; attempt < 5 && !improved; attempt++) {
        const damped = h.slice();
        const n = columns.length;
        for (let i = 0; i < n; i++) damped[i * n + i] *= 1 + damping;
        const x = solveSymmetric(damped, g);
        if (!x) {
          damping *= 10;
          continue;
        }
        const next = moved(parameters, x, columns);
        const equations = accumulate(grids, samples, poses, next, stage, settings.only);
        const nextEnergy = penalised(equations, next, settings);
        if (nextEnergy < energy) {
          improved = true;
          change = energy - nextEnergy;
          parameters = next;
          last = equations;
          energy = nextEnergy;
          damping = Math.max(damping / 10, 1e-9);
        } else damping = damping * 10 + 1e-6;
      }
      if (!improved || change < 1e-5 * energy) break;
    }
  }
  const final = reduced(last, parameters, columns, full, settings);
  if (!settings.fixedFocal && settings.only === undefined) {
    const unit = new Float64Array(columns.length);
    unit[0] = 1;
    const x = solveSymmetric(final.h, unit);
    if (x) focalDeviation = Math.sqrt(Math.max(0, x[0]));
  } else focalDeviation = 0;
  return { parameters, cost: last.cost, energy: penalised(last, parameters, settings), focalDeviation, last };
}

/** Shares of the hull's depth that a map's range may span, and factors on the focal length, that are tried. */
const RANGE_LEAPS = [0.2, 0.35, 0.5, 0.65, 0.8, 0.95];
const FOCAL_LEAPS = [0.6, 0.8, 1.25, 1.6];
const FOCAL_STRIDES = [0.7, 0.8, 0.88, 0.95, 1.05, 1.14, 1.25, 1.4];

/**
 * Escapes from minima in which one map is far too flat or too deep (a chair's hull is a block, onto which a flat map
 * fits best), or the whole object is: tries other scales of each map with its nearest surface on the hull's nearest
 * point, where it must be, as nothing can hide that point from its camera; and other focal lengths with the object's
 * shape kept.
 */
function leap(
  grids: readonly ViewGrid[],
  start: RigParameters,
  settings: FitSettings,
  costOf: (p: RigParameters, only?: number) => number,
): RigParameters {
  let best = start;
  const { reach } = settings;
  if (settings.metric) return best;
  if (reach) {
    const span = (p: RigParameters, i: number, share: number): void => spanHull(p, i, share, grids[i].ends, reach);
    let least = costOf(best);
    for (const share of RANGE_LEAPS) {
      const p = copyParameters(start);
      for (let i = 0; i < grids.length; i++) span(p, i, share);
      const cost = costOf(p);
      if (cost < least) [best, least] = [p, cost];
    }
    for (let round = 0; round < 2; round++)
      for (let i = 0; i < grids.length; i++) {
        let own = costOf(best, i);
        const before = best;
        for (const share of RANGE_LEAPS) {
          const p = copyParameters(before);
          span(p, i, share);
          const cost = costOf(p, i);
          if (cost < own) [best, own] = [p, cost];
        }
      }
  }
  return otherFocals(grids, best, settings, FOCAL_LEAPS, costOf);
}

/** The best of other focal lengths at which linear maps keep the object's shape. */
function otherFocals(
  grids: readonly ViewGrid[],
  before: RigParameters,
  settings: FitSettings,
  factors: readonly number[],
  costOf: (p: RigParameters) => number,
): RigParameters {
  let best = before;
  if (settings.fixedFocal || settings.metric || before.model !== 'linear') return best;
  let least = costOf(best);
  for (const factor of factors) {
    const p = copyParameters(before);
    p.focal = clampFocal(p.focal * factor);
    const shrink = before.focal / p.focal;
    for (let i = 0; i < grids.length; i++) {
      p.a[i] *= shrink;
      p.b[i] = 1 + (p.b[i] - 1) * shrink;
    }
    const cost = costOf(p);
    if (cost < least) [best, least] = [p, cost];
  }
  return best;
}

/** Depth of the visual hull's nearest and farthest point per view at a focal length. */
export interface HullReach {
  near: Float64Array;
  far: Float64Array;
  focal: number;
}

/**
 * Gives view i the depth coefficients with which its values run from the hull's nearest point over a share of the
 * hull's depth.
 */
export function spanHull(p: RigParameters, i: number, share: number, ends: [number, number], reach: HullReach): void {
  const toCoefficients = p.model === 'linear' ? (z: number) => z : (z: number) => 1 / z;
  // Around the centre at distance 1, everything shrinks as the lens gets longer.
  const shrink = reach.focal / p.focal;
  const near = 1 + (reach.near[i] - 1) * shrink;
  const far = 1 + (reach.far[i] - 1) * shrink;
  const largeIsFar = p.a[i] > 0 === (p.model === 'linear');
  const [first, last] = largeIsFar ? ends : [ends[1], ends[0]];
  if (!(near > 0.02) || Math.abs(last - first) < 1e-6) return;
  p.a[i] = (toCoefficients(near + share * (far - near)) - toCoefficients(near)) / (last - first);
  p.b[i] = toCoefficients(near) - p.a[i] * first;
}

/** Fields of view of 118° to 4°. */
const clampFocal = (focal: number): number => Math.max(0.3, Math.min(14, focal));

type Column = { index: number; factor: number }[];

function freeColumns(views: number, settings: FitSettings): Column[] {
  if (settings.only !== undefined) {
    const first = 1 + 4 * settings.only;
    return [[{ index: first, factor: 1 }], [{ index: first + 1, factor: 1 }]];
  }
  const columns: Column[] = [];
  if (!settings.fixedFocal) columns.push([{ index: FOCAL, factor: 1 }]);
  const { metric } = settings;
  if (metric) {
    const shared: Column = [];
    const known = metric.distance !== undefined;
    for (let i = 0; i < views; i++) {
      shared.push({ index: 1 + 4 * i, factor: metric.scale }, { index: 2 + 4 * i, factor: metric.offset });
    }
    if (!known) columns.push(shared);
  }
  for (let i = 0; i < views; i++) {
    const first = metric ? 2 : 0;
    const end = settings.shiftDeviation > 0 ? 4 : 2;
    for (let u = first; u < end; u++) columns.push([{ index: 1 + 4 * i + u, factor: 1 }]);
  }
  return columns;
}

const weightOf = (equations: NormalEquations): number => INDEPENDENT / Math.max(1, equations.comparisons);

function penalised(equations: NormalEquations, p: RigParameters, settings: FitSettings): number {
  let sum = equations.cost * INDEPENDENT;
  if (!settings.fixedFocal) sum += (Math.log(p.focal / settings.focalPrior) / FOCAL_PRIOR_DEVIATION) ** 2;
  if (settings.shiftDeviation > 0) {
    for (let i = 0; i < p.a.length; i++) sum += (p.shiftX[i] ** 2 + p.shiftY[i] ** 2) / settings.shiftDeviation ** 2;
  }
  return sum;
}

function reduced(
  equations: NormalEquations,
  p: RigParameters,
  columns: readonly Column[],
  full: number,
  settings: FitSettings,
): { h: Float64Array; g: Float64Array } {
  const n = columns.length;
  const h = new Float64Array(n * n);
  const g = new Float64Array(n);
  const weight = weightOf(equations);
  for (let r = 0; r < n; r++) {
    for (const { index, factor } of columns[r]) {
      g[r] -= weight * factor * equations.g[index];
      for (let c = 0; c < n; c++) {
        for (const other of columns[c]) {
          h[r * n + c] += weight * factor * other.factor * equations.h[index * full + other.index];
        }
      }
    }
    const { index } = columns[r][0];
    if (index === FOCAL) {
      h[r * n + r] += 1 / FOCAL_PRIOR_DEVIATION ** 2;
      g[r] -= Math.log(p.focal / settings.focalPrior) / FOCAL_PRIOR_DEVIATION ** 2;
    } else if ((index - 1) % 4 >= 2) {
      const view = (index - 1) >> 2;
      const shift = (index - 1) % 4 === 2 ? p.shiftX[view] : p.shiftY[view];
      h[r * n + r] += 1 / settings.shiftDeviation ** 2;
      g[r] -= shift / settings.shiftDeviation ** 2;
    }
    // Keeps directions solvable that nothing determines.
    h[r * n + r] += 1e-9;
  }
  return { h, g };
}

function moved(p: RigParameters, x: Float64Array, columns: readonly Column[]): RigParameters {
  const next = copyParameters(p);
  for (let c = 0; c < columns.length; c++) {
    for (const { index, factor } of columns[c]) {
      const change = x[c] * factor;
      if (index === FOCAL) {
        next.focal = clampFocal(p.focal * Math.exp(Math.max(-0.2, Math.min(0.2, change))));
        continue;
      }
      const view = (index - 1) >> 2;
      const list = [next.a, next.b, next.shiftX, next.shiftY][(index - 1) & 3];
      list[view] += change;
    }
  }
  return next;
}
