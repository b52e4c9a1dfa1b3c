/** Reads a case of `CASES` without its files, at any size, and holds the reading against the truth. */
import { cleanDepth } from '../../src/capture/sixView/cleanDepth.js';
import { estimateSilhouettes } from '../../src/capture/sixView/estimateSilhouettes.js';
import { resolveSixViewOptions } from '../../src/capture/sixView/options.js';
import { estimateRig, type RigEstimate } from '../../src/capture/sixView/rig/estimateRig.js';
import { rigPose, viewAxes } from '../../src/capture/sixView/rig/rig.js';
import { makeViewGrid, type ViewGrid } from '../../src/capture/sixView/rig/viewGrid.js';
import type { ColorImage } from '../../src/core/image.js';
import type { Case } from './cases.js';
import { type DegradedView, makeVariant, type Truth } from './degrade.js';
import { OBJECTS } from './objects.js';
import { draw, objectOf, type TrueObject } from './trueObject.js';

/** A case as the reader has it before the cameras are found. */
export interface PreparedCase {
  object: TrueObject;
  truth: Truth;
  views: DegradedView[];
  grids: ViewGrid[];
}

export interface Reading extends PreparedCase {
  estimate: RigEstimate;
  /** CPU seconds of the estimation. */
  seconds: number;
}

export interface ReadingScore {
  /** Relative error of the focal length. */
  focal: number;
  /** Whether the names mean what was found. */
  names: boolean;
  /** Mean error of all depth values, as a share of the diagonal; undefined without depth. */
  depth?: number;
  /** Least intersection over union of the true object through a found camera with what that view shows. */
  iou: number;
}

/**
 * @param size pixels of a side of the pictures and depth maps
 * @param cells of a side of the grids in which views are compared
 */
export function makeCase(test: Case, size: number, cells: number): PreparedCase {
  const object = objectOf(OBJECTS[test.object]());
  const { truth, views } = makeVariant(object, { ...test.variant, size, depthSize: size, shift: 0 }, test.seed);
  const grids = views.map((view, i) => gridOf(view, truth.views[i].cover.data, cells));
  return { object, truth, views, grids };
}

/** Makes a case and reads it. */
export async function readCase(test: Case, size: number, cells: number): Promise<Reading> {
  const prepared = makeCase(test, size, cells);
  const { views, grids } = prepared;
  const before = process.cpuUsage();
  const options = resolveSixViewOptions();
  const estimate = views.some((v) => v.depth)
    ? await estimateRig(grids, options)
    : await estimateSilhouettes(grids, options);
  const { user, system } = process.cpuUsage(before);
  return { ...prepared, estimate, seconds: (user + system) / 1e6 };
}

function gridOf({ name, color, depth }: DegradedView, cover: Float32Array, cells: number): ViewGrid {
  const { width, height } = color;
  if (!depth) return makeViewGrid(name, { width, height, data: cover }, undefined, cells);
  const data = depth.data.map((v) => Math.round(255 * v));
  const clean = cleanDepth({ width, height, data });
  const values = { width, height, data: clean.values.data.map((v) => v / 255) };
  const grid = makeViewGrid(name, { width, height, data: clean.inside }, values, cells);
  grid.color = colorsOf(color, grid);
  return grid;
}

function colorsOf(image: ColorImage, grid: ViewGrid): Float32Array {
  const out = new Float32Array(3 * grid.width * grid.height);
  const step = image.width / grid.width;
  const near = Math.max(1, Math.floor(step));
  for (let c = 0; c < grid.inside.length; c++) {
    const x = Math.floor((c % grid.width) * step);
    const y = Math.floor(Math.floor(c / grid.width) * step);
    for (let v = 0; v < near; v++)
      for (let u = 0; u < near; u++)
        for (let k = 0; k < 3; k++)
          out[3 * c + k] += image.data[4 * ((y + v) * image.width + x + u) + k] / (255 * near * near);
  }
  return out;
}

/** Holds a reading against the truth. */
export function scoreReading({ object, truth, views, estimate }: Reading): ReadingScore {
  const { arrangement, parameters } = estimate;
  const { focal } = parameters;
  // Seen through a longer lens from the same distance, the object is the smaller for it.
  const shrink = truth.focal / focal / truth.distance;
  const scaled = { ...object, positions: object.positions.map((v) => v * shrink) };
  let [sum, count, iou] = [0, 0, 1];
  views.forEach((view, i) => {
    const { depth } = truth.views[i];
    const { width, height } = depth;
    const camera = {
      cameraToWorld: rigPose(viewAxes(view.name, arrangement), 1),
      width,
      height,
      fx: focal * width,
      fy: focal * width,
      cx: (0.5 + parameters.shiftX[i]) * width,
      cy: height / 2 + parameters.shiftY[i] * width,
    };
    const drawn = draw(scaled, camera, false).depth.data;
    let [both, either] = [0, 0];
    depth.data.forEach((z, p) => {
      if (z > 0 && drawn[p] > 0) both++;
      if (z > 0 || drawn[p] > 0) either++;
      const v = view.depth?.data[p] ?? 0;
      if (z === 0 || v === 0) return;
      const linear = (parameters.a[i] * Math.round(255 * v)) / 255 + parameters.b[i];
      const own = parameters.model === 'linear' ? linear : 1 / linear;
      sum += Math.min(object.diagonal, Math.abs(own * truth.distance - z));
      count++;
    });
    iou = Math.min(iou, both / Math.max(1, either));
  });
  return {
    focal: focal / truth.focal - 1,
    names: JSON.stringify(arrangement) === JSON.stringify(truth.arrangement),
    depth: count > 0 ? sum / count / object.diagonal : undefined,
    iou,
  };
}
