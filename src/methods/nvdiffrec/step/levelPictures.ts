import { PlinthError } from '../../../core/errors.js';
import { pause } from '../../../core/pause.js';
import { anyOf, methodOption, step } from '../../../core/remedy.js';
import { createDiffCameras } from '../../../render/diff/geometry/cameras.js';
import { recordMovedCameras } from '../../../render/diff/step/cameraStep.js';
import type { MethodContext } from '../../method.js';
import type { NvdiffrecOptions } from '../options.js';
import type { Optimizer } from './optimizer/optimizer.js';
import type { OptimizerLevel } from './optimizer/optimizerLevel.js';
import { ballAround } from './optimizer/parameters.js';
import type { Pictures } from './optimizer/pictures.js';
import { epochBatches, type Level } from './schedule.js';
import { HALVINGS, meanResolution, packDepths, packWindows, type WindowSet } from './windows.js';

/** Depth error that counts as one where depth maps are more accurate, in pixels. */
const DEPTH_PIXELS = 0.5;

/** What one level of the run works with. */
export interface LevelPictures {
  /** Its number. */
  level: number;
  optimizer: OptimizerLevel;
  groups: readonly Pictures[];
  /** The batch of a step by its number within the level. */
  batchAt(within: number, seed: number): { pictures: Pictures; views: number[]; pixelsPerUnit: number };
  /** Frees pictures, cameras and the optimiser's level. */
  dispose(): void;
}

/** What is to be freed. */
interface Made {
  pictures: Pictures[];
  optimizer?: OptimizerLevel;
}

/** Pictures and buffers of one level; smaller than planned, with a warning, where memory is short. */
export async function preparePictures(
  optimizer: Optimizer,
  windows: WindowSet,
  options: NvdiffrecOptions,
  level: number,
  levels: readonly Level[],
  context: Pick<MethodContext, 'gpu' | 'signal' | 'warn'>,
): Promise<LevelPictures> {
  const { gpu } = context;
  const attempts: { divisor: number; batch: number }[] = [];
  for (let halved = 0; halved <= HALVINGS; halved++) {
    for (let batch = options.batch; batch >= 1; batch = batch >> 1) {
      attempts.push({ divisor: levels[level].divisor * 2 ** halved, batch });
    }
  }
  for (const [i, attempt] of attempts.entries()) {
    const made: Made = { pictures: [] };
    try {
      const pictures = await uploadLevel(optimizer, windows, level, attempt, made, context.signal);
      await gpu.sync();
      if (i > 0) {
        context.warn({
          code: 'GPU_OUT_OF_MEMORY',
          message:
            `The GPU has too little memory for ${options.batch} pictures of ` +
            `${windows.width / levels[level].divisor} × ${windows.height / levels[level].divisor} at a time: ` +
            `went on with ${attempt.batch} of ${pictures.optimizer.frame.width} × ` +
            `${pictures.optimizer.frame.height}`,
          remedy: anyOf(
            step`close other programs that use the GPU`,
            step`choose a smaller ${methodOption('imageSize')}`,
          ),
        });
      }
      return pictures;
    } catch (error) {
      free(made);
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
  made: Made,
  signal: AbortSignal,
): Promise<LevelPictures> {
  const { gpu, moving, bounds } = optimizer.parameters;
  const width = windows.width / attempt.divisor;
  const height = windows.height / attempt.divisor;
  const { center, radius } = ballAround(bounds);
  const pixelsPerUnit = meanResolution(windows, center) / attempt.divisor;
  const perGroup = Math.max(1, Math.floor(gpu.limits.maxStorageBufferBindingSize / (width * height * 4)));
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
    made.pictures.push(pictures);
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
    if (moving) gpu.run((batch) => recordMovedCameras(batch, moving, cameras, first));
  }
  const groups = made.pictures;
  made.optimizer = optimizer.level({ width, height, capacity: attempt.batch }, groups[0].cameras);
  const counts = groups.map(({ targets }) => targets.count);
  const perEpoch = counts.reduce((sum, n) => sum + Math.ceil(n / attempt.batch), 0);
  return {
    level,
    optimizer: made.optimizer,
    groups,
    batchAt(within, seed) {
      const epoch = level * 100_000 + Math.floor(within / perEpoch);
      const batch = epochBatches(counts, attempt.batch, seed, epoch)[within % perEpoch];
      return { pictures: groups[batch.group], views: batch.views, pixelsPerUnit };
    },
    dispose: () => free(made),
  };
}

function free({ pictures, optimizer }: Made): void {
  optimizer?.dispose();
  for (const { cameras, targets, depths } of pictures) {
    cameras.buffer.destroy();
    targets.buffer.destroy();
    depths?.buffer.destroy();
  }
}
