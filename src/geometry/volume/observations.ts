import type { Bounds } from '../../core/bounds.js';
import { type Camera, projectPoint, resizeCamera, worldToCamera } from '../../core/camera.js';
import { PlinthError, throwIfCancelled } from '../../core/errors.js';
import { packHalves } from '../../core/halfFloat.js';
import type { FloatImage } from '../../core/image.js';
import { add, scale } from '../../core/math.js';
import { pause } from '../../core/pause.js';
import { depthRelief, jumpLimit, TILE } from './depthRelief.js';
import { nearestPoint } from './nearestPoint.js';
import { silhouetteDistance, touchesBorder } from './silhouetteDistance.js';

/** A picture's knowledge of the shape: its outline, its depth, or both. */
export interface SurfaceView {
  camera: Camera;
  /** Coverage by the object, 0…1. Its size may differ from the camera's. */
  mask?: FloatImage;
  /** Distance along the viewing axis in scene units, 0 = none. */
  depth?: FloatImage;
  /** The depth map's own camera. Default: `camera`. */
  depthCamera?: Camera;
  /** Expected absolute error of one depth value, in scene units. Default 0. */
  depthAccuracy?: number;
  /**
   * Expected absolute error of each depth value, where it is not the same everywhere; `depthAccuracy` is a typical one.
   * Same size as `depth`.
   */
  depthErrors?: FloatImage;
  /** Trust in each depth value, 0…1. Default 1 everywhere. Same size as `depth`. */
  depthConfidence?: FloatImage;
  /** As `View.misplacement`, in scene units. Default 0. */
  misplacement?: number;
}

/** One mask or one depth map, made small enough for the grid. */
export interface Observation {
  kind: 'mask' | 'depth';
  camera: Camera;
  image: FloatImage;
  confidence?: FloatImage;
  accuracy: number;
  /** Of each value, where they differ. */
  errors?: FloatImage;
  /** Size of a pixel at the object, in scene units. */
  footprint: number;
  /** How far outlines and depth edges may be from where the other views have them, in scene units. */
  slack: number;
}

/** Few outlines and depth edges are farther off than so many times the typical misplacement. */
const SLACK = 4;

/** The parts of all views that say something, with their pixel sizes at the centre of the bounds. */
export function observationsOf(views: readonly SurfaceView[], bounds: Bounds): Observation[] {
  const centre = scale(add(bounds.min, bounds.max), 0.5);
  const out: Observation[] = [];
  const push = (
    kind: Observation['kind'],
    camera: Camera,
    image: FloatImage,
    accuracy: number,
    slack: number,
    more: Pick<Observation, 'confidence' | 'errors'> = {},
  ) => {
    if (image.width < 2 || image.height < 2 || image.data.length !== image.width * image.height) {
      throw new PlinthError('IMAGE_SIZE_MISMATCH', {
        found: `A ${kind} map of ${image.width} × ${image.height} pixels holds ${image.data.length} values`,
        expected: 'at least 2 × 2 pixels and one value for each',
      });
    }
    const fitted = resizeCamera(camera, image.width, image.height);
    const depth = Math.abs(projectPoint(fitted, centre).depth);
    out.push({
      kind,
      camera: fitted,
      image,
      ...more,
      accuracy,
      slack,
      footprint: depth / Math.sqrt(fitted.fx * fitted.fy),
    });
  };
  for (const view of views) {
    const slack = SLACK * (view.misplacement ?? 0);
    if (view.mask) push('mask', view.camera, view.mask, 0, slack);
    if (view.depth) {
      push('depth', view.depthCamera ?? view.camera, view.depth, view.depthAccuracy ?? 0, slack, {
        confidence: view.depthConfidence,
        errors: view.depthErrors,
      });
    }
  }
  return out;
}

/** Observations whose maps are bound together, because a binding cannot hold all. */
export interface ObservationGroup {
  count: number;
  hasDepth: boolean;
  /** `Observation` structs as in observation.wgsl. */
  structs: ArrayBuffer;
  maps: Uint32Array;
  /** First word of the group's bits within a brick's relevance words. */
  relevantOffset: number;
}

const STRUCT_WORDS = 28;

export interface PackOptions {
  voxel: number;
  /** Most bytes that one group's maps may have. */
  bindingLimit: number;
  signal?: AbortSignal;
  progress?: (fraction: number) => void;
}

/**
 * Computes what the kernels need of every observation and packs it into groups. Yields to the event loop between
 * images.
 */
export async function packObservations(
  observations: readonly Observation[],
  options: PackOptions,
): Promise<ObservationGroup[]> {
  const packed: { observation: Observation; words: Uint32Array; tileOffset: number; open: boolean }[] = [];
  const finest = Math.min(...observations.map((o) => o.footprint));
  for (const [i, original] of observations.entries()) {
    throwIfCancelled(options.signal);
    options.progress?.(i / observations.length);
    const observation = shrink(original, options);
    packed.push({
      observation,
      ...(observation.kind === 'mask' ? packMask(observation) : packDepth(observation, finest)),
    });
    await pause();
  }

  const groups: ObservationGroup[] = [];
  let relevantOffset = 0;
  for (let start = 0; start < packed.length; ) {
    let end = start;
    let words = 0;
    while (end < packed.length && (end === start || (words + packed[end].words.length) * 4 <= options.bindingLimit)) {
      words += packed[end].words.length;
      end++;
    }
    const maps = new Uint32Array(words);
    const structs = new ArrayBuffer((end - start) * STRUCT_WORDS * 4);
    let offset = 0;
    for (let i = start; i < end; i++) {
      const { observation, words: map, tileOffset, open } = packed[i];
      maps.set(map, offset);
      writeStruct(structs, i - start, observation, offset, tileOffset, open);
      offset += map.length;
      packed[i].words = new Uint32Array(0);
    }
    const hasDepth = packed.slice(start, end).some((p) => p.observation.kind === 'depth');
    groups.push({ count: end - start, hasDepth, structs, maps, relevantOffset });
    relevantOffset += Math.ceil((end - start) / 32);
    start = end;
  }
  return groups;
}

/**
 * Inverse variance of the distance that one depth value gives, 1 for the best: the error of the depth itself counts as
 * much as the surface faces the camera, the unknown place within the pixel as much as it does not.
 */
function weightOf(slope: number, accuracy: number, footprint: number, finest: number): number {
  const facing = Math.min(1, slope);
  const along = accuracy * facing;
  const across = 0.35 * footprint * Math.sqrt(1 - facing * facing);
  const floor = 0.1 * footprint;
  return (0.1 * finest) ** 2 / (along * along + across * across + floor * floor);
}

/** Halves, thirds… an image whose pixels are far smaller than a voxel, or which would not fit into a binding. */
function shrink(observation: Observation, { voxel, bindingLimit }: PackOptions): Observation {
  const { image, camera, confidence, errors, footprint, kind } = observation;
  const bytes = image.width * image.height * (kind === 'mask' ? 4 : 12.25);
  const factor = Math.max(1, Math.floor((0.6 * voxel) / footprint), Math.ceil(Math.sqrt(bytes / bindingLimit)));
  if (factor === 1) return observation;
  const reduce = kind === 'mask' ? areaMean : nearestSample;
  const reduced = reduce(image, factor);
  return {
    ...observation,
    image: reduced,
    // Blocks cut off at the right and lower edges leave the pixels a whole multiple of the old ones.
    camera: resizeCamera(
      { ...camera, width: reduced.width * factor, height: reduced.height * factor },
      reduced.width,
      reduced.height,
    ),
    confidence: confidence && nearestSample(confidence, factor),
    errors: errors && nearestSample(errors, factor),
    footprint: footprint * factor,
  };
}

function areaMean(image: FloatImage, factor: number): FloatImage {
  const width = Math.max(2, Math.ceil(image.width / factor));
  const height = Math.max(2, Math.ceil(image.height / factor));
  const data = new Float32Array(width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let j = 0; j < factor; j++)
        for (let i = 0; i < factor; i++) {
          const sx = Math.min(image.width - 1, x * factor + i);
          const sy = Math.min(image.height - 1, y * factor + j);
          sum += image.data[sy * image.width + sx];
        }
      data[y * width + x] = sum / (factor * factor);
    }
  return { width, height, data };
}

function nearestSample(image: FloatImage, factor: number): FloatImage {
  const width = Math.max(2, Math.ceil(image.width / factor));
  const height = Math.max(2, Math.ceil(image.height / factor));
  const data = new Float32Array(width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const sx = Math.min(image.width - 1, x * factor + (factor >> 1));
      const sy = Math.min(image.height - 1, y * factor + (factor >> 1));
      data[y * width + x] = image.data[sy * image.width + sx];
    }
  return { width, height, data };
}

function packMask({ image, slack, footprint }: Observation): { words: Uint32Array; tileOffset: number; open: boolean } {
  const { width, height } = image;
  const distance = silhouetteDistance(image);
  // Where views disagree, what is cut off by one outline is missing in every picture; what stands out a little is not.
  if (slack > 0) for (let i = 0; i < distance.length; i++) distance[i] -= slack / footprint;
  const words = new Uint32Array(width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const at = y * width + x;
      const here = Math.round(distance[at] * 256);
      const right = Math.round(distance[x + 1 < width ? at + 1 : at] * 256);
      words[at] = (here & 0xffff) | (right << 16);
    }
  return { words, tileOffset: 0, open: touchesBorder(image) };
}

function packDepth(o: Observation, finest: number): { words: Uint32Array; tileOffset: number; open: boolean } {
  const { camera, confidence, errors } = o;
  const image = widened(o);
  const relief = depthRelief(image, camera, o.accuracy);
  const pixels = image.width * image.height;
  const words = new Uint32Array(pixels * 3 + relief.tileMin.length * 2);
  const floats = new Float32Array(words.buffer);
  for (let i = 0; i < pixels; i++) {
    const depth = image.data[i] > 0 && Number.isFinite(image.data[i]) ? image.data[i] : 0;
    const slope = relief.slope[i];
    floats[i * 3] = depth;
    // The least weight keeps lone grazing or doubtful depths from vanishing in half precision.
    const weight = weightOf(slope, errors ? errors.data[i] : o.accuracy, o.footprint, finest);
    const trust = Math.max(1e-4, weight * (confidence ? confidence.data[i] : 1));
    words[i * 3 + 1] = packHalves(slope, trust);
    words[i * 3 + 2] = packHalves(relief.edgeDistance[i], relief.edgeStep[i]);
  }
  for (let t = 0; t < relief.tileMin.length; t++) {
    floats[pixels * 3 + t * 2] = relief.tileMin[t];
    floats[pixels * 3 + t * 2 + 1] = relief.tileMax[t];
  }
  return { words, tileOffset: pixels * 3, open: false };
}

/**
 * The depth map with what lies in front widened by the slack: a lace that one view shows a little to the side would
 * else be taken for free space where the others have it.
 */
function widened({ image, camera, accuracy, slack, footprint }: Observation): FloatImage {
  if (slack === 0) return image;
  const { edgeDistance, edgeStep, slope } = depthRelief(image, camera, accuracy);
  const reach = slack / footprint;
  const data = image.data.map((d, i) => (edgeStep[i] < 0 && edgeDistance[i] < reach ? d + edgeStep[i] : d));
  continueOutwards({ ...image, data }, slope, reach);
  return { ...image, data };
}

const FRONTAL = 0.7;
/** Gives the pixels that are at most `reach` outside of what a depth map shows the depth of the nearest that it shows. */
function continueOutwards({ width, height, data }: FloatImage, slope: Float32Array, reach: number): void {
  const xs: number[] = [];
  const ys: number[] = [];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const at = y * width + x;
      if (!(data[at] > 0)) continue;
      const inner =
        (x === 0 || data[at - 1] > 0) &&
        (x === width - 1 || data[at + 1] > 0) &&
        (y === 0 || data[at - width] > 0) &&
        (y === height - 1 || data[at + width] > 0);
      if (inner) continue;
      xs.push(x);
      ys.push(y);
    }
  const nearest = nearestPoint(width, height, Float32Array.from(xs), Float32Array.from(ys));
  for (let at = 0; at < data.length; at++) {
    const i = nearest[at];
    if (data[at] > 0 || i < 0) continue;
    if (slope[ys[i] * width + xs[i]] < FRONTAL) continue;
    if (Math.hypot((at % width) - xs[i], Math.floor(at / width) - ys[i]) < reach)
      data[at] = data[ys[i] * width + xs[i]];
  }
}

function writeStruct(
  structs: ArrayBuffer,
  index: number,
  o: Observation,
  offset: number,
  tileOffset: number,
  open: boolean,
): void {
  const f = new Float32Array(structs, index * STRUCT_WORDS * 4, STRUCT_WORDS);
  const u = new Uint32Array(structs, index * STRUCT_WORDS * 4, STRUCT_WORDS);
  const m = worldToCamera(o.camera);
  for (let r = 0; r < 3; r++) for (let c = 0; c < 4; c++) f[r * 4 + c] = m[c * 4 + r];
  f.set([o.camera.fx, o.camera.fy, o.camera.cx, o.camera.cy], 12);
  u.set([o.image.width, o.image.height, offset, o.kind === 'mask' ? 0 : 1], 16);
  u.set([offset + tileOffset, Math.ceil(o.image.width / TILE), open ? 1 : 0], 20);
  f[23] = Math.sqrt(o.camera.fx * o.camera.fy);
  const limit = jumpLimit(o.camera, o.accuracy);
  f[24] = limit.slope;
  f[25] = limit.base;
  f[26] = o.slack;
}
