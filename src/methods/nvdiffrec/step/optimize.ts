import { PlinthError, throwIfCancelled } from '../../../core/errors.js';
import { pause } from '../../../core/pause.js';
import { anyOf, methodOption, remedy, step } from '../../../core/remedy.js';
import { createDiffCameras } from '../../../render/diff/geometry/cameras.js';
import { readLoss } from '../../../render/diff/loss/loss.js';
import { recordMovedCameras } from '../../../render/diff/step/cameraStep.js';
import type { MethodContext } from '../../method.js';
import type { NvdiffrecOptions } from '../options.js';
import { livePicture } from './livePicture.js';
import { ballAround, type Optimizer, type Pictures } from './optimizer.js';
import { epochBatches, type Level, locate, planLevels } from './schedule.js';
import { HALVINGS, meanResolution, packDepths, packWindows, type WindowSet } from './windows.js';
import { workUntil } from './work.js';

/** Steps between two looks at the loss, at cancellation being the exception: that is looked at after every step. */
const REPORT_EVERY = 10;
const PREVIEW_SECONDS = 5;
const CHECKPOINT_SECONDS = 60;
/** Depth error that counts as one where depth maps are more accurate, in pixels. */
const DEPTH_PIXELS = 0.5;

/** Curves of a run: [step, value]. */
export interface Curves {
  loss: [number, number][];
  psnr: [number, number][];
}

export interface Progress {
  /** Steps done. */
  iteration: number;
  curves: Curves;
  /** Whether an earlier run came so far, and this one goes on. */
  resumed?: boolean;
}

export interface OptimizeHooks {
  context: Pick<MethodContext, 'gpu' | 'signal' | 'stopping' | 'warn' | 'showPreview' | 'log'>;
  /** @param fraction share of the work that is done, not of the steps */
  report(
    fraction: number,
    detail: string,
    more: { metrics?: Record<string, number>; preview?: string; resumed?: boolean },
  ): void;
  /** Called now and then between steps, with everything up to date on the device. */
  checkpoint?(progress: Progress): Promise<void>;
  /** Least time between two checkpoints, in seconds. Default 60. */
  checkpointSeconds?: number;
}

/**
 * Runs the steps that are left, coarse pictures first.
 * @returns the curves
 * @throws OPTIMISATION_DIVERGED, CANCELLED within a step, GPU_OUT_OF_MEMORY where even the smallest pictures do not fit
 */
export async function optimize(
  optimizer: Optimizer,
  windows: WindowSet,
  options: NvdiffrecOptions,
  seed: number,
  from: Progress,
  hooks: OptimizeHooks,
): Promise<Curves> {
  const { gpu, signal, stopping } = hooks.context;
  const total = options.iterations;
  const levels = planLevels(total, Math.max(windows.width, windows.height));
  const work = (iterations: number) => workUntil(iterations, levels, options, windows, windows.windows.length);
  const shareUntil = (iterations: number) => work(iterations) / work(total);
  const curves = from.curves;
  let current: LevelPictures | undefined;
  let previewAt = performance.now();
  let checkpointAt = performance.now();
  let queued: Promise<void> | undefined;
  if (from.resumed) {
    const detail = `going on after step ${from.iteration} of ${total}`;
    hooks.report(shareUntil(from.iteration), detail, { resumed: true });
  }
  try {
    for (let iteration = from.iteration; iteration < total; iteration++) {
      const place = locate(levels, iteration)!;
      if (current?.level !== place.level) {
        await gpu.sync();
        current?.dispose();
        current = undefined;
        current = await preparePictures(optimizer, windows, options, place.level, levels, hooks.context);
      }
      const { pictures, views, pixelsPerUnit } = current.batchAt(place.within, seed);
      optimizer.step(pictures, views, iteration, total, pixelsPerUnit);
      // One step is under way while the next is recorded, and no more: a cancellation waits for two at most.
      await queued;
      queued = gpu.sync();
      queued.catch(() => {});
      throwIfCancelled(signal);
      const done = iteration + 1;
      if (hooks.checkpoint && stopping?.aborted) {
        await queued;
        await hooks.checkpoint({ iteration: done, curves });
        throwIfCancelled(stopping);
      }
      if (done % REPORT_EVERY !== 0 && done !== total) continue;

      const { loss, psnr } = await currentLoss(
        optimizer,
        windows,
        views.map((v) => pictures.first + v),
      );
      await checkFinite(optimizer, iteration);
      curves.loss.push([done, loss]);
      curves.psnr.push([done, psnr]);
      const now = performance.now();
      let preview: string | undefined;
      const { showPreview } = hooks.context;
      if (showPreview && (now - previewAt > PREVIEW_SECONDS * 1000 || done === total)) {
        const picture = await livePicture(gpu, optimizer, current.groups[0].cameras);
        preview = await showPreview(`step-${String(done).padStart(6, '0')}`, picture);
        previewAt = performance.now();
      }
      hooks.report(shareUntil(done), `step ${done} of ${total}, pictures ${current.width} × ${current.height}`, {
        metrics: { loss, psnr },
        preview,
      });
      if (hooks.checkpoint && now - checkpointAt >= (hooks.checkpointSeconds ?? CHECKPOINT_SECONDS) * 1000) {
        await hooks.checkpoint({ iteration: done, curves });
        checkpointAt = performance.now();
      }
      throwIfCancelled(signal);
    }
    await gpu.sync();
  } finally {
    await queued?.catch(() => {});
    current?.dispose();
  }
  return curves;
}

interface LevelPictures {
  level: number;
  width: number;
  height: number;
  groups: Pictures[];
  batchAt(within: number, seed: number): { pictures: Pictures; views: number[]; pixelsPerUnit: number };
  dispose(): void;
}

/** Pictures and buffers of one level; smaller than planned, with a warning, where memory is short. */
async function preparePictures(
  optimizer: Optimizer,
  windows: WindowSet,
  options: NvdiffrecOptions,
  level: number,
  levels: readonly Level[],
  context: OptimizeHooks['context'],
): Promise<LevelPictures> {
  const { gpu } = context;
  const attempts: { divisor: number; batch: number }[] = [];
  for (let halved = 0; halved <= HALVINGS; halved++) {
    for (let batch = options.batch; batch >= 1; batch = batch >> 1) {
      attempts.push({ divisor: levels[level].divisor * 2 ** halved, batch });
    }
  }
  for (const [i, attempt] of attempts.entries()) {
    const made: Pictures[] = [];
    try {
      const pictures = await uploadLevel(optimizer, windows, level, attempt, made, context.signal);
      await gpu.sync();
      if (i > 0) {
        context.warn({
          code: 'GPU_OUT_OF_MEMORY',
          message: `The GPU has too little memory for ${options.batch} pictures of ${windows.width / levels[level].divisor} × ${windows.height / levels[level].divisor} at a time: went on with ${attempt.batch} of ${pictures.width} × ${pictures.height}`,
          remedy: anyOf(
            step`close other programs that use the GPU`,
            step`choose a smaller ${methodOption('imageSize')}`,
          ),
        });
      }
      return pictures;
    } catch (error) {
      freePictures(made);
      const short =
        error instanceof PlinthError && (error.code === 'GPU_OUT_OF_MEMORY' || error.code === 'GPU_LIMIT_TOO_LOW');
      if (!short || i === attempts.length - 1) throw error;
      gpu.clearError();
    }
  }
  throw new RangeError('no size to try');
}

/** @param made receives what is to be freed, also where this fails */
async function uploadLevel(
  optimizer: Optimizer,
  windows: WindowSet,
  level: number,
  attempt: { divisor: number; batch: number },
  made: Pictures[],
  signal: AbortSignal,
): Promise<LevelPictures> {
  const { gpu } = optimizer;
  const width = windows.width / attempt.divisor;
  const height = windows.height / attempt.divisor;
  const { center, radius } = ballAround(optimizer.bounds);
  const pixelsPerUnit = meanResolution(windows, center) / attempt.divisor;
  const perGroup = Math.max(1, Math.floor(gpu.limits.maxStorageBufferBindingSize / (width * height * 4)));
  const groups: LevelPictures['groups'] = [];
  for (let first = 0; first < windows.windows.length; first += perGroup) {
    const indices = windows.windows.map((_, i) => i).slice(first, first + perGroup);
    const cameras = createDiffCameras(
      gpu,
      indices.map((i) => windows.windows[i].camera),
      center,
      radius,
    );
    const bytes = width * height * 4;
    const buffer = gpu.createBuffer(bytes * indices.length, 'targets');
    const pictures: Pictures = { cameras, first, targets: { buffer, width, height, count: indices.length } };
    made.push(pictures);
    const accuracies = indices.flatMap((i) => windows.windows[i].depth?.accuracy ?? []);
    if (accuracies.length > 0) {
      const depths = gpu.createBuffer(bytes * indices.length, 'depth maps');
      const unit = Math.max(DEPTH_PIXELS / pixelsPerUnit, ...accuracies);
      pictures.depths = { buffer: depths, width, height, unit };
    }
    for (const [at, i] of indices.entries()) {
      gpu.write(buffer, packWindows(windows, attempt.divisor, [i]), at * bytes);
      if (pictures.depths) gpu.write(pictures.depths.buffer, packDepths(windows, attempt.divisor, [i]), at * bytes);
      // Many large pictures take seconds.
      await pause(signal);
    }
    const { moving } = optimizer;
    if (moving) gpu.run((batch) => recordMovedCameras(batch, moving, cameras, first));
    groups.push(pictures);
  }
  optimizer.resize(width, height, attempt.batch, groups[0].cameras);
  const counts = groups.map(({ targets }) => targets.count);
  const perEpoch = counts.reduce((sum, n) => sum + Math.ceil(n / attempt.batch), 0);
  return {
    level,
    width,
    height,
    groups,
    batchAt(within, seed) {
      const epoch = level * 100_000 + Math.floor(within / perEpoch);
      const batch = epochBatches(counts, attempt.batch, seed, epoch)[within % perEpoch];
      return { pictures: groups[batch.group], views: batch.views, pixelsPerUnit };
    },
    dispose: () => freePictures(made),
  };
}

function freePictures(made: readonly Pictures[]): void {
  for (const { cameras, targets, depths } of made) {
    cameras.buffer.destroy();
    targets.buffer.destroy();
    depths?.buffer.destroy();
  }
}

/** Loss per pixel, and PSNR of the whole pictures, of the batch of the last step. */
async function currentLoss(
  optimizer: Optimizer,
  { windows }: WindowSet,
  views: readonly number[],
): Promise<{ loss: number; psnr: number }> {
  const frame = optimizer.frame!;
  const sums = await readLoss(optimizer.gpu, frame);
  const pixels = frame.width * frame.height;
  const mean = (values: number[]) => values.reduce((sum, v) => sum + v, 0) / values.length;
  return {
    loss: mean(sums.map((s) => (s.image + s.silhouette + s.depth) / pixels)),
    // Outside of a window picture and rendering are both white.
    psnr: mean(
      sums.map((s, i) => -10 * Math.log10(Math.max(1e-10, s.meanSquaredError * Math.min(1, windows[views[i]].share)))),
    ),
  };
}

/** Throws OPTIMISATION_DIVERGED where the optimiser says that its numbers are no use any more. */
async function checkFinite(optimizer: Optimizer, iteration: number): Promise<void> {
  const broken = await optimizer.broken();
  if (!broken) return;
  throw new PlinthError('OPTIMISATION_DIVERGED', {
    found: `The ${broken} became numbers that are not finite, or far outside of the object, by step ${iteration + 1}`,
    remedy: remedy`Lower the learning rates (${methodOption('positionRate')}, ${methodOption('lightRate')}), and please report this with the log`,
  });
}
