import { readAsset } from '../../asset/read/readAsset.js';
import type { Capture, View } from '../../capture/capture.js';
import { mapLimited } from '../../capture/concurrency.js';
import type { Asset } from '../../core/asset.js';
import { type Camera, resizeCamera } from '../../core/camera.js';
import type { ProgressSink } from '../../core/context.js';
import { PlinthError, throwIfCancelled } from '../../core/errors.js';
import type { ColorImage, FloatImage } from '../../core/image.js';
import { assignDefaults } from '../../core/options.js';
import { meshHealth } from '../../geometry/mesh/measure/health.js';
import type { Gpu } from '../../gpu/runtime/gpu.js';
import { AssetRenderer } from '../../render/forward/assetRenderer.js';
import { depthError } from '../metrics/depthError.js';
import { texelsPerPixel, textureQuality } from '../metrics/meshFacts.js';
import type { Assessment, MeshQuality, Protocol, Thresholds, ViewGroup, ViewQuality } from '../schema.js';
import { classify, THRESHOLD_DEFAULTS } from './classify.js';
import { Comparisons } from './comparisons.js';
import { ImageWriter } from './imageWriter.js';
import { inFrameOf } from './inFrameOf.js';
import { decidingMeans, decidingMeasures, groupTotals } from './totals.js';

/** What is judged, and by which thresholds. */
export interface AssessOptions {
  /** PSNR (dB) and SSIM from which a result is `normal` or `warning`. Default 25 / 0.85 and 20 / 0.75. */
  thresholds?: Thresholds;
  /** Names of the views that were kept out of geometry and texture. Default: none. */
  heldOut?: readonly string[];
  /** Pictures are compared at this many pixels along the longer side at most, 32…8192. Default 1024. */
  maxSize?: number;
  /** Samples per pixel and direction of the renders, 1…4. Default 2. */
  supersample?: number;
}

export const ASSESS_DEFAULTS = { thresholds: THRESHOLD_DEFAULTS, heldOut: [], maxSize: 1024, supersample: 2 } as const;

/** What an assessment tells while it works. */
export interface AssessHooks {
  /** Checked between views and between the steps of one. */
  signal?: AbortSignal;
  /** Receives stage `assess`. */
  progress?: ProgressSink;
  /** Threads that compare pictures with renders; changes no figure. Default: by the work and the processors; 0 = none. */
  threads?: number;
}

/** What draws the asset; `AssetRenderer` is one. */
export interface ViewRenderer {
  render(
    camera: Camera,
    options: { supersample: number; depth: boolean },
  ): Promise<{ color: ColorImage; depth?: FloatImage }>;
}

/** Pixels of pictures that are worked on at once, at most: each is held a few times over. */
const PIXELS_AT_ONCE = 2 ** 25;

/**
 * Renders every view of the capture from the asset and measures how far it is from its picture.
 *
 * @param asset path of the exported GLB, which is read back, so that the exporter is judged too; or an asset in memory.
 * @param folder result folder; `assessment/<view>.{input,render,error}.png` are written into it. Absent: no files.
 * @throws `ASSET_UNREADABLE`, `OPTION_INVALID`, `CANCELLED`, what reading the pictures throws, and the device's errors.
 */
export async function assess(
  gpu: Gpu,
  asset: Asset | string,
  capture: Capture,
  options: AssessOptions = {},
  folder?: string,
  hooks: AssessHooks = {},
): Promise<Assessment> {
  const exported = typeof asset === 'string' ? inFrameOf(await readAsset(asset), capture) : asset;
  const mesh = meshHealth(exported.mesh);
  const renderer = await AssetRenderer.create(gpu, exported);
  try {
    return await assessWith(renderer, exported, mesh, capture, options, folder, hooks);
  } finally {
    renderer.dispose();
  }
}

/**
 * `assess` with another renderer. Measures every view against its picture.
 *
 * @param renderer draws the asset as it was exported.
 * @param asset the same asset, for facts of its texture.
 * @param mesh health of its mesh.
 * @param folder result folder; `assessment/<view>.{input,render,error}.png` are written into it. Absent: no files.
 * @throws `OPTION_INVALID`, `CANCELLED`, and what reading the pictures throws.
 */
export async function assessWith(
  renderer: ViewRenderer,
  asset: Asset,
  mesh: MeshQuality,
  capture: Capture,
  options: AssessOptions = {},
  folder?: string,
  hooks: AssessHooks = {},
): Promise<Assessment> {
  const { thresholds, heldOut, maxSize, supersample } = checked(options, capture);
  const region: Protocol['statusRegion'] = capture.masks === 'none' ? 'inMask' : 'whole';
  const images = folder === undefined ? undefined : new ImageWriter(folder);
  await images?.open();
  const texels = texelsPerPixel(asset, mesh);
  const pixels = capture.views.map(({ camera }) => comparedPixels(camera, maxSize));
  const comparisons = new Comparisons(
    pixels.reduce((sum, n) => sum + n, 0),
    hooks.threads,
  );
  const measure = async (view: View): Promise<ViewQuality> => {
    const picture = await view.loadColor({ maxSize });
    const camera = resizeCamera(view.camera, picture.width, picture.height);
    const reference = await view.depth?.load({ maxSize });
    const depthCamera = view.depth && reference && resizeCamera(view.depth.camera, reference.width, reference.height);
    const shared = depthCamera !== undefined && sameCamera(camera, depthCamera);
    const { color: render, ...drawn } = await renderer.render(camera, { supersample, depth: shared });
    throwIfCancelled(hooks.signal);
    const depth =
      depthCamera && !shared
        ? (await renderer.render(depthCamera, { supersample: 1, depth: true })).depth
        : drawn.depth;
    const hasMasks = capture.masks !== 'none';
    const { measures, error } = await comparisons.compare({
      picture,
      render,
      hasMasks,
      errorMap: images !== undefined,
    });
    const deciding = decidingMeasures(measures, region);
    return {
      name: view.name,
      group: groupOf(view, heldOut),
      width: picture.width,
      height: picture.height,
      status: classify(deciding.psnr, deciding.ssim, thresholds),
      ...measures,
      depth: reference && depthCamera ? depthError(reference, depth!) : null,
      texelsPerPixel: texels?.(view.camera) ?? null,
      camera: { ...view.camera, cameraToWorld: [...view.camera.cameraToWorld] },
      images: images && error ? await images.write(view.name, picture, render, error) : null,
    };
  };
  let done = 0;
  const report = () =>
    hooks.progress?.({
      stage: 'assess',
      title: 'Assessing',
      fraction: done / capture.views.length,
      detail: `view ${done + 1} of ${capture.views.length}`,
    });
  report();
  const atOnce = Math.max(1, Math.min(comparisons.atOnce, Math.floor(PIXELS_AT_ONCE / Math.max(...pixels))));
  const measured = mapLimited(
    capture.views,
    atOnce,
    async (view) => {
      const quality = await measure(view);
      if (++done < capture.views.length) report();
      return quality;
    },
    hooks.signal,
  );
  const views = await measured.finally(() => comparisons.close());
  const total = (group: ViewGroup) => groupTotals(views, group, region, thresholds);
  const totals = { input: total('input'), heldOut: total('heldOut'), test: total('test') };
  const unseen = totals.heldOut ?? totals.test;
  const input = decidingMeans(totals.input ?? unseen, region)!;
  const unseenMeans = decidingMeans(unseen, region);
  hooks.progress?.({ stage: 'assess', title: 'Assessing', fraction: 1, metrics: input });
  return {
    status: (totals.input ?? unseen)!.status,
    statusOfUnseen: unseen?.status ?? null,
    ...input,
    heldOutGap: totals.input && unseenMeans ? input.psnr - unseenMeans.psnr : null,
    protocol: protocolOf(region, maxSize, supersample),
    thresholds,
    totals,
    views,
    mesh,
    texture: textureQuality(asset),
  };
}

type CheckedOptions = Required<Omit<AssessOptions, 'heldOut'>> & { heldOut: ReadonlySet<string> };

function checked(options: AssessOptions, capture: Capture): CheckedOptions {
  const invalid = (found: string, expected: string, subject: string) =>
    new PlinthError('OPTION_INVALID', { found, expected, subject });
  const { thresholds, maxSize, supersample, ...given } = assignDefaults(ASSESS_DEFAULTS, options);
  const heldOut = new Set(given.heldOut);
  if (!(maxSize >= 32 && maxSize <= 8192)) {
    throw invalid(`maxSize is ${maxSize}`, 'a number of pixels from 32 to 8192', 'maxSize');
  }
  if (![1, 2, 3, 4].includes(supersample)) {
    throw invalid(`supersample is ${supersample}`, '1, 2, 3 or 4', 'supersample');
  }
  const { normal, warning } = thresholds;
  if (![normal, warning].every((t) => Number.isFinite(t.psnr) && Number.isFinite(t.ssim))) {
    throw invalid('A threshold is no number', 'PSNR in dB and SSIM for `normal` and for `warning`', 'thresholds');
  }
  if (normal.psnr < warning.psnr || normal.ssim < warning.ssim) {
    throw invalid(
      `The thresholds of normal (${normal.psnr} dB, ${normal.ssim}) are below those of warning ` +
        `(${warning.psnr} dB, ${warning.ssim})`,
      'normal at least as high as warning',
      'thresholds',
    );
  }
  const names = new Set(capture.views.map((v) => v.name));
  const unknown = [...heldOut].find((name) => !names.has(name));
  if (unknown !== undefined) throw invalid(`There is no view "${unknown}"`, 'names of views', 'heldOut');
  return { thresholds, maxSize, supersample, heldOut };
}

function groupOf(view: View, heldOut: ReadonlySet<string>): ViewGroup {
  if (heldOut.has(view.name)) return 'heldOut';
  return view.split === 'test' ? 'test' : 'input';
}

/** Pixels at which a view is compared. */
function comparedPixels({ width, height }: Camera, maxSize: number): number {
  const scale = Math.min(1, maxSize / Math.max(width, height));
  return width * height * scale * scale;
}

const sameCamera = (a: Camera, b: Camera): boolean =>
  (['width', 'height', 'fx', 'fy', 'cx', 'cy'] as const).every((key) => a[key] === b[key]) &&
  a.cameraToWorld.every((v, i) => v === b.cameraToWorld[i]);

function protocolOf(statusRegion: Protocol['statusRegion'], maxSize: number, supersample: number): Protocol {
  return {
    renders:
      `Every picture is rendered from the exported asset by its own camera (${supersample} × ${supersample} ` +
      `samples a pixel) and compared at its own size, but at most ${maxSize} pixels along the longer side ` +
      '(area-filtered).',
    whole:
      'Picture and render are composited on white, sRGB values as they are; all pixels and the three channels count.',
    inMask:
      statusRegion === 'whole'
        ? 'The same, over pixels where the picture’s alpha is above 0.5.'
        : 'The same, over pixels where the render’s alpha is above 0.5, both cut out by the render’s alpha, ' +
          'since the capture has no masks.',
    ssim:
      'Wang et al. 2004: Gaussian window of 11 pixels, sigma 1.5, K1 0.01, K2 0.03, each colour channel on its ' +
      'own, the outer 5 pixels left out; in the mask the mean of the same map over its pixels.',
    depth: 'Distance along the viewing axis in scene units, where both have depth.',
    status:
      `Mean PSNR and SSIM ${statusRegion === 'whole' ? 'of the whole frame' : 'in the mask'} over the input ` +
      'views, held against the thresholds; views that the method did not see are reported apart.',
    statusRegion,
    maxSize,
  };
}
