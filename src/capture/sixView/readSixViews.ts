import { basename } from 'node:path';
import type { Camera } from '../../core/camera.js';
import type { Warning } from '../../core/context.js';
import { PlinthError, throwIfCancelled } from '../../core/errors.js';
import { identity, type Vec3 } from '../../core/math.js';
import { findBounds } from '../bounds/findBounds.js';
import type { Capture, LeftOutPart, LoadOptions, View } from '../capture.js';
import { absolutePath, type CaptureFolder } from '../files/captureFolder.js';
import { fittedSize, nearestResize } from '../images/resample.js';
import { arrangeSixViews, type SixViewFile } from '../layout/sixViews.js';
import { demandGivenMasks } from '../masks/turnRound.js';
import type { ResolvedReadOptions } from '../options.js';
import { estimateSilhouettes } from './estimateSilhouettes.js';
import { misplacementOf } from './misplacement.js';
import { type ResolvedSixViewOptions, resolveSixViewOptions, SIX_VIEW_DEFAULTS } from './options.js';
import { type PreparedView, prepareView } from './readView.js';
import { depthAgreement, pointBounds, type ViewAgreement } from './rig/agreement.js';
import { estimateRig, type RigEstimate } from './rig/estimateRig.js';
import type { MetricDepth } from './rig/fitRig.js';
import { judge } from './rig/judge.js';
import { rigPose, viewAxes } from './rig/rig.js';
import { readSixDepth, toDistances } from './sixDepth.js';

/**
 * Reads `multi_views/{front,back,left,right,top,bottom}` with optional `depth_renders/` of the same names. Cameras,
 * masks and the meaning of the depth values are found from the pictures as far as the options do not say them;
 * `estimated` tells what was found and how well the views agree.
 *
 * World: +Y up, the front camera on +Z, every camera at the same distance from the origin and looking at it. The
 * distance is a free choice of scale (3.2 by default) unless the depth is metric.
 *
 * @param root folder of the capture in which the views are
 *
 * Throws `CAPTURE_VIEWS_MISSING`, `CAPTURE_VIEW_UNEXPECTED`, `CAPTURE_FILE_MISSING`, `CAPTURE_MASK_EMPTY`,
 * `CAPTURE_VIEWS_DISAGREE`, `IMAGE_…`, `DEPTH_INVALID`, `OPTION_INVALID`, `CANCELLED`.
 */
export async function readSixViews(
  folder: CaptureFolder,
  root: string,
  options: ResolvedReadOptions,
): Promise<Omit<Capture, 'name' | 'source' | 'dispose'>> {
  const six = resolveSixViewOptions(options.sixView);
  const arranged = arrangeSixViews(folder.list, root, six.allowMissing);
  const { missing } = arranged;
  const files = await Promise.all(arranged.files.map((file) => located(folder, file)));
  const prepared: PreparedView[] = [];
  for (const file of files) {
    throwIfCancelled(options.signal);
    options.onProgress?.(prepared.length / files.length, file.name);
    prepared.push(await prepareView(file, options));
  }
  sameShapes(prepared);
  for (const { masks } of prepared) demandGivenMasks(masks, options.invertMasks);
  options.onProgress?.(1, 'cameras');
  const metric = metricOf(prepared, six);
  const grids = prepared.map((p) => p.grid);
  const firstDepth = prepared.findIndex((p) => p.depth !== undefined);
  const hasDepth = firstDepth >= 0;
  const estimate = hasDepth
    ? await estimateRig(grids, six, metric, options.signal)
    : await estimateSilhouettes(grids, six, options.signal);
  const { arrangement, parameters } = estimate;
  const distance = six.distance ?? (metric ? metric.scale / parameters.a[firstDepth] : SIX_VIEW_DEFAULTS.distance);
  const pointBox = hasDepth ? pointBounds(grids, parameters, arrangement) : undefined;
  const diagonal = pointBox ? Math.hypot(...pointBox.max.map((v, k) => v - pointBox.min[k])) : 1;
  const agreement = estimate.last ? depthAgreement(grids, estimate.last, diagonal) : undefined;
  const views = prepared.map((p, i) =>
    viewOf(p, i, estimate, distance, diagonal, agreement?.[i].surfaceDistance, options),
  );
  const warnings: Warning[] = missing.map((name) => ({
    code: 'CAPTURE_VIEWS_MISSING',
    message: `There is no view ${name}: what only it shows stays unknown.`,
    subject: name,
    remedy: 'Add the picture.',
  }));
  if (hasDepth) warnings.push(...withoutDepth(files));
  warnings.push(...judge(prepared, estimate, agreement));
  const { bounds, warnings: more } = pointBox
    ? { bounds: scaledBox(pointBox, distance, 0.02 * diagonal), warnings: [] as Warning[] }
    : await findBounds({ views, surveys: prepared.map((p) => p.survey), hasMasks: true, signal: options.signal });
  warnings.push(...more);
  return {
    format: 'six-view',
    views,
    bounds,
    inputToWorld: identity(),
    scaleKnown: metric !== undefined || six.distance !== undefined,
    masks: prepared[0].masks,
    estimated: describe(prepared, estimate, distance, six, agreement),
    warnings,
    leftOut: notThere(missing, hasDepth ? files : []),
  };
}

/** Views that are not there, and depth maps that are not beside those of the others. */
const notThere = (views: readonly string[], files: readonly SixViewFile[]): LeftOutPart[] => [
  ...views.map((name): LeftOutPart => ({ kind: 'picture', name, reason: 'missing' })),
  ...files
    .filter(({ depth }) => depth === undefined)
    .map(({ name }): LeftOutPart => ({ kind: 'depth', name: `depth_renders/${name}`, reason: 'missing' })),
];

/** The files of a view with absolute paths, which do not lead out of the capture. */
async function located(folder: CaptureFolder, { name, color, depth, mask }: SixViewFile): Promise<SixViewFile> {
  const at = async (path: string | undefined) => (path === undefined ? undefined : absolutePath(folder, path));
  return { name, color: await absolutePath(folder, color), depth: await at(depth), mask: await at(mask) };
}

/** The views whose depth map is missing beside those of the others. */
function withoutDepth(files: readonly SixViewFile[]): Warning[] {
  return files
    .filter((file) => file.depth === undefined)
    .map(({ name }) => ({
      code: 'CAPTURE_DEPTH_MISSING',
      message:
        `There is no depth map for the view ${name}: only its outline counts for the shape, and hollows that ` +
        'it alone sees stay closed.',
      subject: name,
      remedy: `Add depth_renders/${name}.png.`,
    }));
}

function scaledBox(box: { min: Vec3; max: Vec3 }, unit: number, margin: number): { min: Vec3; max: Vec3 } {
  const grow = (corner: Vec3, by: number): Vec3 => corner.map((v) => (v + by) * unit) as Vec3;
  return { min: grow(box.min, -margin), max: grow(box.max, margin) };
}

function sameShapes(prepared: readonly PreparedView[]): void {
  const first = prepared[0];
  for (const p of prepared) {
    if (Math.abs(p.width / p.height / (first.width / first.height) - 1) < 0.005) continue;
    throw new PlinthError('IMAGE_SIZE_MISMATCH', {
      found:
        `${basename(p.file.color)} is ${p.width} × ${p.height} pixels and ${basename(first.file.color)} is ` +
        `${first.width} × ${first.height}`,
      expected: 'six pictures of one shape, from cameras of one focal length',
      remedy: 'Export the six pictures at one size',
      subject: p.file.color,
    });
  }
}

function metricOf(prepared: readonly PreparedView[], six: ResolvedSixViewOptions): MetricDepth | undefined {
  const depth = prepared.find((p) => p.depth !== undefined)?.depth;
  if (!depth || six.depth !== 'metric') return undefined;
  return { scale: six.depthScale * depth.full, offset: six.depthOffset, distance: six.distance };
}

function viewOf(
  p: PreparedView,
  i: number,
  estimate: RigEstimate,
  distance: number,
  diagonal: number,
  surfaceDistance: number | undefined,
  options: ResolvedReadOptions,
): View {
  const { parameters } = estimate;
  const cameraToWorld = rigPose(viewAxes(p.file.name, estimate.arrangement), distance);
  const { focal } = parameters;
  const [shiftX, shiftY] = [parameters.shiftX[i], parameters.shiftY[i]];
  const { scale, shiftX: moveX, shiftY: moveY } = p.alignment ?? { scale: 1, shiftX: 0, shiftY: 0 };
  const camera: Camera = {
    cameraToWorld,
    width: p.width,
    height: p.height,
    fx: focal * scale * p.width,
    fy: focal * scale * p.width,
    cx: p.width / 2 + (scale * shiftX + moveX) * p.width,
    cy: p.height / 2 + (scale * shiftY + moveY) * p.width,
  };
  const view: View = { name: p.file.name, source: p.file.color, camera, split: 'train', loadColor: p.loadColor };
  const misplacement = misplacementOf(surfaceDistance);
  if (misplacement > 0) view.misplacement = distance * misplacement * diagonal;
  const { depth, file } = p;
  if (!depth || file.depth === undefined) return view;
  const source = file.depth;
  const [a, b] = [parameters.a[i], parameters.b[i]];
  const step = depth.quantised ? Math.abs(a) / depth.full : 0;
  view.depth = {
    source,
    camera: {
      cameraToWorld,
      width: depth.width,
      height: depth.height,
      fx: focal * depth.width,
      fy: focal * depth.width,
      cx: depth.width / 2 + shiftX * depth.width,
      cy: depth.height / 2 + shiftY * depth.width,
    },
    accuracy: distance * (step / 2 + ((surfaceDistance ?? 0.5) / 100) * diagonal),
    load: async ({ maxSize }: LoadOptions = {}) => {
      const image = toDistances(await readSixDepth(source, options.maxPixels), parameters.model, a, b, distance);
      const size = fittedSize(image.width, image.height, maxSize);
      return nearestResize(image, size.width, size.height);
    },
  };
  return view;
}

const round = (v: number, digits = 5): number => Number(v.toPrecision(digits));

function describe(
  prepared: readonly PreparedView[],
  estimate: RigEstimate,
  distance: number,
  six: ResolvedSixViewOptions,
  agreement: readonly ViewAgreement[] | undefined,
): Record<string, unknown> {
  const { parameters, focalDeviation, focalRange } = estimate;
  return {
    leftConvention: estimate.arrangement.left,
    topTurn: estimate.arrangement.topTurn * 90,
    bottomTurn: estimate.arrangement.bottomTurn * 90,
    focal: round(parameters.focal),
    focalFrom: estimate.focalFrom,
    focalDeviation: focalDeviation === undefined ? undefined : round(focalDeviation, 2),
    focalRange: focalRange?.map((v) => round(v, 3)),
    fieldOfView: round((360 / Math.PI) * Math.atan(0.5 / parameters.focal)),
    distance: round(distance),
    distanceFrom: six.distance === undefined ? (six.depth === 'metric' && agreement ? 'depth' : 'default') : 'option',
    depth: agreement && {
      kind: six.depth,
      model: parameters.model === 'linear' ? 'distance' : 'disparity',
      brighterIs: estimate.inverted ? 'nearer' : 'farther',
    },
    misfit: round(estimate.misfit, 3),
    colorDifference: estimate.colorDifference && round(estimate.colorDifference, 3),
    ambiguous: estimate.rivals.map((r) => ({
      leftConvention: r.arrangement.left,
      topTurn: r.arrangement.topTurn * 90,
      bottomTurn: r.arrangement.bottomTurn * 90,
      misfit: round(r.misfit, 3),
    })),
    views: prepared.map((p, i) => ({
      view: p.file.name,
      ...agreement?.[i],
      masks: p.masks,
      depthScale: p.depth && round((parameters.a[i] / p.depth.full) * distance),
      depthOffset: p.depth && round(parameters.b[i] * distance),
      depthOpen: estimate.openDepths
        ?.filter(({ view }) => view === i)
        .map(({ least, greatest }) => [round(least, 3), round(greatest, 3)])[0],
      shift: [round(parameters.shiftX[i], 3), round(parameters.shiftY[i], 3)],
      colorScale: p.alignment && round(p.alignment.scale),
      colorShift: p.alignment && [round(p.alignment.shiftX, 3), round(p.alignment.shiftY, 3)],
      colorResidual: p.alignment && round(p.alignment.residual, 2),
      colorSupport: p.alignment && round(p.alignment.support, 3),
      specks: p.depth?.specks,
      flyingPixels: p.depth?.flying,
    })),
  };
}
