import { PlinthError, throwIfCancelled } from '../../../core/errors.js';
import { methodOption, remedy } from '../../../core/remedy.js';
import type { Gpu } from '../../../gpu/runtime/gpu.js';
import { readLoss } from '../../../render/diff/loss/loss.js';
import type { Frame } from '../../../render/diff/types.js';
import type { MethodContext } from '../../method.js';
import type { NvdiffrecOptions } from '../options.js';
import { type LevelPictures, preparePictures } from './levelPictures.js';
import { livePicture } from './livePicture.js';
import type { Optimizer } from './optimizer/optimizer.js';
import { locate, planLevels } from './schedule.js';
import type { WindowSet } from './windows.js';
import { workUntil } from './work.js';

/** Steps between two looks at the loss, at cancellation being the exception: that is looked at after every step. */
const REPORT_EVERY = 10;
const PREVIEW_SECONDS = 5;
const CHECKPOINT_SECONDS = 60;

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
      current.optimizer.step(pictures, views, iteration, total, pixelsPerUnit);
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
        gpu,
        current.optimizer.frame,
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
        const picture = await livePicture(gpu, current.optimizer, current.groups[0].cameras);
        preview = await showPreview(`step-${String(done).padStart(6, '0')}`, picture);
        previewAt = performance.now();
      }
      const { width, height } = current.optimizer.frame;
      hooks.report(shareUntil(done), `step ${done} of ${total}, pictures ${width} × ${height}`, {
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

/** Loss per pixel, and PSNR of the whole pictures, of the batch of the last step. */
async function currentLoss(
  gpu: Gpu,
  frame: Frame,
  { windows }: WindowSet,
  views: readonly number[],
): Promise<{ loss: number; psnr: number }> {
  const sums = await readLoss(gpu, frame);
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
  const diverged = await optimizer.diverged();
  if (!diverged) return;
  throw new PlinthError('OPTIMISATION_DIVERGED', {
    found: `The ${diverged} became numbers that are not finite, or far outside of the object, by step ${iteration + 1}`,
    remedy: remedy`Lower the learning rates (${methodOption('positionRate')}, ${methodOption('lightRate')}), and please report this with the log`,
  });
}
