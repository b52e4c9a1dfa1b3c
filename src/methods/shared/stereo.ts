import type { Capture, LoadOptions, View, ViewDepth } from '../../capture/capture.js';
import { fittedSize, nearestResize } from '../../capture/images/resample.js';
import { type Bounds, centerOf } from '../../core/bounds.js';
import type { Camera } from '../../core/camera.js';
import type { ColorImage, FloatImage } from '../../core/image.js';
import { median } from '../../core/statistics.js';
import { findDepths, type StereoDepth, type StereoOptions } from '../../geometry/stereo/findDepths.js';
import { sourceViews } from '../../geometry/stereo/sourceViews.js';
import type { MethodContext } from '../method.js';
import { STAGE_TITLES } from './stages.js';
import { trainingViews } from './trainingViews.js';

/** How much work measuring depth is, by what the asset is for. */
export const STEREO_DETAILS = ['draft', 'standard', 'high'] as const;
export type StereoDetail = (typeof STEREO_DETAILS)[number];
/** Whether depth is measured in captures that bring none. */
export const STEREO_CHOICES = ['auto', 'on', 'off'] as const;

export interface StereoChoice {
  stereo: (typeof STEREO_CHOICES)[number];
  stereoDetail: StereoDetail;
}

interface Detail extends StereoOptions {
  /** Pixels of a picture at most. */
  pixels: number;
}

const DETAILS: Record<StereoDetail, Detail> = {
  draft: {
    pixels: 0.3e6,
    sources: 3,
    window: { side: 5, step: 2 },
    levels: 3,
    rounds: [1, 1, 2],
    geometricRounds: 1,
    hypotheses: 3,
  },
  standard: {
    pixels: 0.8e6,
    sources: 4,
    window: { side: 6, step: 2 },
    levels: 3,
    rounds: [1, 2, 3],
    geometricRounds: 2,
    hypotheses: 4,
  },
  high: {
    pixels: 3e6,
    sources: 8,
    window: { side: 6, step: 2 },
    levels: 4,
    rounds: [2, 2, 3, 4],
    geometricRounds: 3,
    hypotheses: 5,
  },
};

/** Fewer views than this that can be compared with two others are not worth while. */
const LEAST_VIEWS = 6;

/** Facts for `quality.json`. */
export interface StereoFacts {
  /** Views in which depth was sought, and in which some was found. */
  views: number;
  withDepth: number;
  /** Share of the pixels inside the masks that have a depth. */
  completeness: number;
  /** Median of the expected errors, as a share of the depth. */
  accuracy: number;
}

/**
 * Whether depth is measured. `auto` measures in photos whose cameras were found in them, where masks are and the views
 * lie close enough to each other: photos of a thing on a table seldom show it from all around, so outlines leave much
 * open. Captures with stated cameras mostly do, and there it costs more than it brings (see docs/stereo.md).
 */
export function measuresDepth(capture: Capture, { stereo }: Pick<StereoChoice, 'stereo'>): boolean {
  const views = trainingViews(capture);
  if (stereo === 'off' || views.some((v) => v.depth)) return false;
  if (stereo === 'on') return views.length >= 3;
  if (capture.masks === 'none' || !capture.estimated?.photos) return false;
  const chosen = sourceViews(
    views.map((v) => v.camera),
    centerOf(capture.bounds),
    2,
  );
  return chosen.filter((c) => c.length === 2).length >= LEAST_VIEWS;
}

/** Share of a picture that the object takes, until it is known. */
const INSIDE = 0.3;
/** Seconds on two cores without a GPU for one sample of one window. */
const SAMPLE_SECONDS = 10e-9;

/** About what the stage takes on two cores without a GPU. */
export function stereoSeconds(capture: Capture, choice: StereoChoice): number {
  if (!measuresDepth(capture, choice)) return 0;
  const detail = DETAILS[choice.stereoDetail];
  const rounds = detail.rounds.reduce((all, n, level) => all + n / 4 ** level, detail.geometricRounds);
  const samples = rounds * (9 + detail.hypotheses) * detail.sources * detail.window.side ** 2;
  const inside = trainingViews(capture).map(
    ({ camera }) => INSIDE * Math.min(detail.pixels, camera.width * camera.height),
  );
  return SAMPLE_SECONDS * samples * sum(inside);
}

/** Pictures with cameras and masks, to measure depth in. */
export type PosedView = Pick<View, 'name' | 'source' | 'camera' | 'loadColor'>;

export interface StereoContext extends Pick<MethodContext, 'gpu' | 'signal' | 'showPreview'> {
  /** Receives 0…1, what is being done, and the newest picture of a depth map. */
  progress: (fraction: number, detail: string, preview?: string) => void;
}

/**
 * Depth of views by multi-view stereo inside their masks; see `findDepths`. Depth that fewer than two other views
 * confirm is left out, so glossy and plain places have none.
 *
 * @param bounds of the object
 * @param points x, y, z of points known to lie on the surface, such as those that the cameras were found with; may be
 * empty
 * @returns per view its depth map with a camera of its own, undefined where nothing was found; and facts for
 * `quality.json`
 * @throws `CANCELLED`, within a second of an abort
 */
export async function measureDepths(
  views: readonly PosedView[],
  bounds: Bounds,
  points: Float32Array,
  detail: StereoDetail,
  { gpu, signal, showPreview, progress }: StereoContext,
): Promise<{ depths: (ViewDepth | undefined)[]; facts: StereoFacts }> {
  const { pixels, ...options } = DETAILS[detail];
  let preview: string | undefined;
  const found = await findDepths(
    gpu,
    views.map((view) => ({
      camera: view.camera,
      load: async () => await view.loadColor({ maxSize: longestSide(view.camera, pixels) }),
    })),
    bounds,
    points,
    options,
    {
      signal,
      progress: (fraction, what) => progress(fraction, what, preview),
      finished: async (v, depth) => {
        if (showPreview) preview = await showPreview(`depth-${views[v].name}`, drawDepth(depth));
        progress(1, `view ${v + 1} of ${views.length} finished`, preview);
      },
    },
  );
  const all = found.filter((d) => d !== undefined);
  return {
    depths: found.map((d, v) => (d && d.found > 0 ? viewDepth(views[v], d) : undefined)),
    facts: {
      views: views.length,
      withDepth: all.filter((d) => d.found > 0).length,
      completeness: sum(all.map((d) => d.found)) / Math.max(1, sum(all.map((d) => d.inside))),
      accuracy: median(all.map((d) => typicalError(d).share).filter((a) => a > 0)),
    },
  };
}

/**
 * A capture whose training views have measured depth, where `measuresDepth` says so; else the same capture. Held-out
 * views are not looked at. Reports `stereo`.
 */
export async function withStereo(
  capture: Capture,
  choice: StereoChoice,
  context: Pick<MethodContext, 'gpu' | 'signal' | 'progress' | 'showPreview'>,
): Promise<{ capture: Capture; facts?: StereoFacts }> {
  if (!measuresDepth(capture, choice)) return { capture };
  const training = trainingViews(capture);
  const { depths, facts } = await measureDepths(
    training,
    capture.bounds,
    Float32Array.from(capture.points?.positions ?? []),
    choice.stereoDetail,
    {
      ...context,
      progress: (fraction, detail, preview) =>
        context.progress({ stage: 'stereo', title: STAGE_TITLES.stereo, fraction, detail, preview }),
    },
  );
  const views = capture.views.map((view): View => {
    const depth = depths[training.indexOf(view)];
    return depth ? { ...view, loadColor: (options) => view.loadColor(options), depth } : view;
  });
  return { capture: { ...capture, views, dispose: () => capture.dispose() }, facts };
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

function longestSide({ width, height }: Camera, pixels: number): number {
  const share = Math.min(1, Math.sqrt(pixels / (width * height)));
  return Math.max(16, Math.round(Math.max(width, height) * share));
}

function typicalError({ depth, accuracy }: StereoDepth): { absolute: number; share: number } {
  const errors: number[] = [];
  const shares: number[] = [];
  for (let i = 0; i < depth.data.length; i++) {
    if (!(depth.data[i] > 0)) continue;
    errors.push(accuracy.data[i]);
    shares.push(accuracy.data[i] / depth.data[i]);
  }
  return { absolute: median(errors), share: median(shares) };
}

function viewDepth(view: PosedView, found: StereoDepth): ViewDepth {
  const load = (image: FloatImage) => async (options?: LoadOptions) => fitted(image, options);
  return {
    source: view.source,
    camera: found.camera,
    accuracy: typicalError(found).absolute,
    load: load(found.depth),
    loadAccuracy: load(found.accuracy),
    fromPictures: true,
  };
}

/** No larger than asked for, by the nearest sample. */
function fitted(image: FloatImage, { maxSize }: LoadOptions = {}): FloatImage {
  const { width, height } = fittedSize(image.width, image.height, maxSize);
  return nearestResize(image, width, height);
}

/** Near is light, far is dark, and what has no depth is transparent. */
function drawDepth({ depth }: StereoDepth): ColorImage {
  let [least, most] = [Number.POSITIVE_INFINITY, 0];
  for (const d of depth.data) {
    if (d > 0 && d < least) least = d;
    if (d > most) most = d;
  }
  const data = new Uint8ClampedArray(depth.data.length * 4);
  for (let i = 0; i < depth.data.length; i++) {
    const d = depth.data[i];
    if (!(d > 0)) continue;
    const value = 255 - (215 * (d - least)) / Math.max(most - least, 1e-6 * most);
    data.set([value, value, value, 255], i * 4);
  }
  return { width: depth.width, height: depth.height, data };
}
