import { join } from 'node:path';
import { writePreviews } from '../asset/previews/previews.js';
import { writeAsset } from '../asset/write/writeAsset.js';
import type { Capture } from '../capture/capture.js';
import { ASSET_FORMATS, type Asset, type AssetFormat } from '../core/asset.js';
import { type Logger, type RunProgress, silentLogger, type Warning } from '../core/context.js';
import { PlinthError, throwIfCancelled, toPlinthError } from '../core/errors.js';
import type { Preset } from '../core/presets.js';
import { Random } from '../core/random.js';
import { RESULT_PARTS, type ResultPart } from '../core/resultParts.js';
import { VERSION } from '../core/version.js';
import { openGpu } from '../gpu/adapter/openGpu.js';
import type { Gpu } from '../gpu/runtime/gpu.js';
import type { Profile } from '../gpu/runtime/profile.js';
import type { Method, MethodStage } from '../methods/method.js';
import { getMethod, resolveOptions } from '../methods/registry.js';
import type { ObjectHints } from '../object/hints.js';
import { MENDED_BY_MASKS } from '../object/objectCapture.js';
import { checkpointFolder } from '../platform/checkpointFolder.js';
import { previewFolder } from '../platform/previewFolder.js';
import { runInThread } from '../platform/runInThread.js';
import { assess } from '../quality/assess/assess.js';
import { buildQuality, describeFiles, writeQuality } from '../quality/report/qualityJson.js';
import { writeReport } from '../quality/report/report.js';
import type { QualityData, Thresholds } from '../quality/schema.js';
import { installedWeights, requireAvailable } from './availability.js';
import { completeCapture, completionStages } from './complete/completeCapture.js';
import { writeCutouts } from './complete/cutouts.js';
import { masksStage, unusedHints } from './complete/masks.js';
import { withCorrectedCameras } from './correctedCameras.js';
import { holdOut } from './holdout.js';
import { listFiles, OutputFolder } from './output.js';
import { profileFromEnvironment } from './profile.js';
import { ProgressTracker } from './progress.js';

/** What to make, and how. */
export interface ReconstructOptions {
  /** The result folder. Made under another name and renamed at the end, so that it is whole or absent. */
  output: string;
  /** Default `fusion`. */
  method?: string;
  /** Default `standard`. */
  preset?: Preset;
  /** Options of the method, checked against its schema. */
  options?: Record<string, unknown>;
  /** Default: all four. */
  formats?: AssetFormat[];
  /** Compress the GLB with EXT_meshopt_compression. Default false: every viewer opens the plain file. */
  meshopt?: boolean;
  /** Store textures as WebP (EXT_texture_webp) in the GLB. Default false. */
  webp?: boolean;
  /**
   * Hold every n-th training view out of geometry and texture; 0 = none. Default: 8 for captures of 8 or more views
   * without a test split, else 0.
   */
  holdout?: number;
  /** PSNR (dB) and SSIM thresholds of `normal` and `warning`. Default 25 / 0.85 and 20 / 0.75. */
  thresholds?: Thresholds;
  /**
   * `auto` (default): where the capture has neither masks nor depth maps but points, the object that the cameras look
   * at is found and cut out first. `none`: everything that the pictures show is kept.
   */
  object?: 'auto' | 'none';
  /** Where that object is, where it would not be found right. */
  hints?: ObjectHints;
  /** Default 0. */
  seed?: number;
  /** Folder of network weights. Default: the environment variable `PLINTH_WEIGHTS`, else `weights` in the cache. */
  weights?: string;
  /** An open device, or which adapter to open (see `AdapterChoice`). */
  gpu?: Gpu;
  adapter?: string | number;
  /**
   * Receives, after a reconstruction that succeeded, where its time on the GPU went (`formatProfile` and `profileTrace`
   * show it). Profiling costs time and changes no result. Default: see the environment variable `PLINTH_PROFILE` in
   * CONTRIBUTING. A given `gpu` must have been opened with `profile`.
   */
  onProfile?: (profile: Profile) => void;
  /** Turntable and preview images. Default true. */
  previews?: boolean;
  signal?: AbortSignal;
  /** As in `MethodContext.stopping`. */
  stopping?: AbortSignal;
  /** Told of every step; must not throw. */
  onProgress?: (event: RunProgress) => void;
  log?: Logger;
  /** Folder for live preview images, named in progress events. */
  previewFolder?: string;
  /** Kept over a restart of the same job: stages and methods resume from it. */
  checkpointFolder?: string;
  /**
   * Folder in which what is found in the pictures themselves, such as masks, is kept by their content. Default:
   * `checkpointFolder`.
   */
  workFolder?: string;
  /**
   * Replace an existing Plinth result at `output`. Default true; anything that is no Plinth result is never replaced.
   */
  overwrite?: boolean;
}

/** What a reconstruction has made. */
export interface ReconstructionResult {
  /** Absolute path of the result folder. */
  output: string;
  /** Paths relative to `output`. */
  files: string[];
  /** Contents of `quality.json`. */
  quality: QualityData;
  warnings: Warning[];
}

/** What parts of a reconstruction were made; nothing is known of its quality without `report`. */
export type ReconstructedParts = Omit<ReconstructionResult, 'quality'> & Partial<Pick<ReconstructionResult, 'quality'>>;

/** Stages after the method, with their weights relative to the method's 100, or to the seconds that it expects. */
const OUTPUT_STAGES: readonly MethodStage[] = [
  { name: 'export', title: 'Writing the asset', weight: 6 },
  { name: 'previews', title: 'Rendering previews', weight: 14 },
  { name: 'assess', title: 'Assessing', weight: 12 },
  { name: 'report', title: 'Writing the report', weight: 4 },
];
/** Of these, the ones that a part of the result asks for. */
const STAGES_OF: Partial<Record<ResultPart, readonly string[]>> = {
  previews: ['previews'],
  report: ['assess', 'report'],
};

/**
 * Checks what can be checked before the capture is read, which takes a while: method, its options, seed and output
 * folder, and whether the weights that the method reads are here. Throws `METHOD_UNKNOWN`, `OPTION_INVALID`,
 * `OUTPUT_EXISTS` and `WEIGHTS_…`.
 */
export async function checkRequest(options: ReconstructOptions): Promise<void> {
  const method = getMethod(options.method ?? 'fusion');
  resolveOptions(method, options.preset ?? 'standard', options.options);
  checkedSeed(options.seed ?? 0);
  await requireAvailable(method, { weights: options.weights });
  await OutputFolder.check(options.output, options.overwrite ?? true);
}

/**
 * Makes a finished result folder from a capture: the method's asset in every format, previews, assessment,
 * `quality.json` and `report.html`. The folder appears whole at the end or not at all.
 *
 * The same capture, options, seed and adapter give the same bytes in the asset.
 *
 * @throws `PlinthError`: what the method throws (`METHOD_REQUIREMENTS`, `SURFACE_EMPTY`, GPU errors), `METHOD_UNKNOWN`,
 * `OPTION_INVALID`, `OUTPUT_EXISTS`, `OUTPUT_NOT_WRITABLE`, and `CANCELLED` within about a second of an abort.
 */
export async function reconstruct(capture: Capture, options: ReconstructOptions): Promise<ReconstructionResult> {
  const { formats = ASSET_FORMATS, previews = true } = options;
  const parts: readonly ResultPart[] = [...formats, 'report', ...(previews ? (['previews'] as const) : [])];
  const { quality, ...made } = await make(capture, options, parts);
  return { ...made, quality: quality! };
}

/**
 * Makes parts of what `reconstruct` makes, in less time; `asset.glb` comes with `report`, which is made of it. Without
 * a report `plinth.json` marks the folder as a result, so that a later run may replace it.
 *
 * @param parts at least one
 * @throws as `reconstruct` does
 */
export async function reconstructParts(
  capture: Capture,
  options: Omit<ReconstructOptions, 'formats' | 'previews'>,
  parts: readonly ResultPart[],
): Promise<ReconstructedParts> {
  if (parts.length > 0) return await make(capture, options, parts);
  throw new PlinthError('OPTION_INVALID', { found: 'No part of a result', expected: RESULT_PARTS.join(', ') });
}

async function make(
  capture: Capture,
  options: ReconstructOptions,
  parts: readonly ResultPart[],
): Promise<ReconstructedParts> {
  const log = options.log ?? silentLogger;
  const signal = options.signal ?? new AbortController().signal;
  const method = getMethod(options.method ?? 'fusion');
  const preset = options.preset ?? 'standard';
  const methodOptions = resolveOptions(method, preset, options.options);
  const seed = checkedSeed(options.seed ?? 0);
  if (capture.cameras === 'none' && options.holdout) {
    throw new PlinthError('OPTION_INVALID', {
      found: `holdout is ${options.holdout} for photos without cameras`,
      expected: '0: a photo that is held out could not be compared with the result',
      subject: 'holdout',
    });
  }
  const { capture: split, heldOut } = holdOut(capture, capture.cameras === 'none' ? 0 : options.holdout);
  const completion = { object: options.object ?? 'auto', hints: options.hints } as const;
  const completing = completionStages(split, completion);
  // What is missing is found first, which takes a while; where nothing is, a refusal comes at once.
  if (completing.length === 0) method.accepts(split);
  throwIfCancelled(signal);

  const onProfile = options.onProfile ?? (options.gpu ? undefined : profileFromEnvironment());
  if (options.onProfile && options.gpu && !options.gpu.profiler) {
    throw new PlinthError('OPTION_INVALID', {
      found: 'onProfile with a device that keeps no times',
      expected: 'one opened with openGpu({ profile: true }), or none',
      subject: 'onProfile',
    });
  }
  const output = await OutputFolder.open(options.output, options.overwrite ?? true);
  const ownGpu = options.gpu === undefined;
  let gpu: Gpu | undefined;
  const begin = performance.now();
  try {
    gpu = options.gpu ?? (await openGpu({ adapter: options.adapter, profile: onProfile !== undefined }));
    await requireAvailable(method, { weights: options.weights, adapter: gpu.adapter });
    const { profiler } = gpu;
    const wantedStages = new Set(['export', ...parts.flatMap((part) => STAGES_OF[part] ?? [])]);
    const stages = [
      ...completing.map((stage) => ({ ...stage, weight: stage.expectedSeconds(split) })),
      ...weighed(method, methodOptions, split),
      ...OUTPUT_STAGES.filter(({ name }) => wantedStages.has(name)),
    ];
    const tracker = new ProgressTracker(stages, (event) => {
      profiler?.stage(event.stage);
      options.onProgress?.(event);
    });
    const hooks = { signal, progress: tracker.report };
    const warnings: Warning[] = capture.warnings.filter(
      ({ code }) => !MENDED_BY_MASKS.includes(code) || !completing.includes(masksStage),
    );
    const warn = (warning: Warning): void => {
      warnings.push(warning);
      log.warn({ ...warning }, warning.message);
    };
    unusedHints(split, completion).forEach(warn);
    const checkpoints = options.checkpointFolder === undefined ? undefined : checkpointFolder(options.checkpointFolder);
    const showPreview = options.previewFolder === undefined ? undefined : previewFolder(options.previewFolder);
    const work = options.workFolder ?? options.checkpointFolder;
    const used = await completeCapture(split, completion, {
      gpu,
      ...hooks,
      seed,
      checkpoints: work === undefined ? undefined : checkpointFolder(work),
      showPreview,
      warn,
    });
    if (completing.length > 0) method.accepts(used);
    log.info(
      { method: method.name, preset, options: methodOptions, views: used.views.length, adapter: gpu.adapter.device },
      'reconstructing',
    );

    const asset = await method.run(used, methodOptions, {
      gpu,
      progress: tracker.report,
      signal,
      stopping: options.stopping,
      log,
      random: new Random(seed),
      seed,
      weights: method.weights && installedWeights(method.weights, options.weights),
      runInThread,
      checkpoints,
      showPreview,
      warn,
    });
    throwIfCancelled(signal);
    gpu.trim();

    // The assessment reads the exported GLB.
    const formats = ASSET_FORMATS.filter((f) => parts.includes(f) || (f === 'glb' && parts.includes('report')));
    const [ox, oy, oz] = capture.inputToWorld.slice(12, 15);
    const placed: Asset = ox === 0 && oy === 0 && oz === 0 ? asset : { ...asset, origin: [0 - ox, 0 - oy, 0 - oz] };
    await writeAsset(placed, output.partial, { formats, meshopt: options.meshopt, webp: options.webp }, hooks);
    throwIfCancelled(signal);
    if (parts.includes('previews')) await writePreviews(gpu, asset, join(output.partial, 'previews'), hooks);
    throwIfCancelled(signal);
    let quality: QualityData | undefined;
    if (parts.includes('report')) {
      if (used.masks === 'object') await writeCutouts(used, join(output.partial, 'previews'));
      const assessed = withCorrectedCameras(used, asset);
      const assessment = await assess(
        gpu,
        join(output.partial, 'asset.glb'),
        assessed,
        { thresholds: options.thresholds, heldOut },
        output.partial,
        hooks,
      );
      tracker.report({ stage: 'report', title: 'Writing the report', fraction: 0 });
      const files = await describeFiles(output.partial, signal);
      tracker.finish();
      quality = buildQuality({
        assessment,
        capture: assessed,
        method: { name: method.name, preset, options: methodOptions, facts: asset.facts },
        seed,
        plinth: VERSION,
        warnings,
        files,
        run: {
          adapter: gpu.adapter,
          timings: tracker.timings.map((t) => ({ ...t, title: stages.find((s) => s.name === t.stage)?.title })),
          seconds: (performance.now() - begin) / 1000,
          peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
          peakGpuBytes: gpu.peakBytes,
        },
      });
      throwIfCancelled(signal);
      await writeQuality(output.partial, quality);
      throwIfCancelled(signal);
      await writeReport(output.partial, quality);
    } else {
      tracker.finish();
      await output.markParts({ method: method.name, preset, options: methodOptions, seed, parts });
    }
    throwIfCancelled(signal);
    const profile = onProfile && (await profiler?.take());
    await output.commit();
    if (profile) onProfile?.(profile);
    log.info(
      { output: output.path, status: quality?.status, psnr: quality?.psnr, ssim: quality?.ssim },
      'reconstructed',
    );
    return { output: output.path, files: await listFiles(output.path), warnings, ...(quality && { quality }) };
  } catch (error) {
    await output.discard();
    // A device that failed because the process is being cancelled is a cancellation.
    throwIfCancelled(signal);
    throw toPlinthError(error);
  } finally {
    if (ownGpu) gpu?.dispose();
  }
}

/** The method's stages with weights that go with those of the stages after it. */
function weighed(method: Method, options: Record<string, unknown>, capture: Capture): MethodStage[] {
  const expected = method.expectedSeconds?.(options, capture);
  if (expected) return method.stages.map((s) => ({ ...s, weight: expected[s.name] ?? s.weight }));
  const total = method.stages.reduce((sum, s) => sum + s.weight, 0) || 1;
  return method.stages.map((s) => ({ ...s, weight: (s.weight * 100) / total }));
}

function checkedSeed(seed: number): number {
  if (Number.isInteger(seed) && seed >= 0 && seed <= 0xffffffff) return seed;
  throw new PlinthError('OPTION_INVALID', {
    found: `seed is ${seed}`,
    expected: 'an integer from 0 to 4294967295',
    subject: 'seed',
  });
}
