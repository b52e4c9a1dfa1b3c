import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Capture } from '../../capture/capture.js';
import { toFailure, toPlinthError } from '../../core/errors.js';
import { getMethod, resolveOptions } from '../../methods/registry.js';
import type { readAnyCapture } from '../../photos/readAnyCapture.js';
import type { reconstruct } from '../../pipeline/reconstruct.js';
import { checkpointFolder } from '../../platform/checkpointFolder.js';
import { writeWhole } from '../../platform/writeWhole.js';
import type { RunResult } from '../jobRecord.js';
import { type NamedRun, withoutCameras } from '../jobRequest.js';
import { describeFolder, isWhole, type ManifestFile } from '../storage/manifest.js';
import { COMPARISON_FILE, compareRuns } from './compareRuns.js';
import type { EngineHooks, EngineTask } from './engine.js';

/** What is done within a task; tests prepare results instead of computing them. */
export interface Work {
  read: typeof readAnyCapture;
  reconstruct: typeof reconstruct;
}

/**
 * Reads the capture once and makes every run of the task in turn. Runs that an earlier attempt finished are not made
 * again.
 */
export async function runTask(task: EngineTask, hooks: EngineHooks, work: Work): Promise<RunResult[]> {
  const { signal } = watched(hooks);
  const finished = await Promise.all(task.runs.map((run) => finishedRun(task, run)));
  const runs = task.runs.length;
  const next = finished.indexOf(undefined);
  const begin = performance.now();
  const reading = (fraction: number, detail: string): void =>
    hooks.progress({
      run: task.runs[next].name,
      runIndex: next,
      runs,
      stage: 'read',
      title: 'Reading the capture',
      fraction,
      detail,
      overall: next / runs,
      elapsedSeconds: (performance.now() - begin) / 1000,
    });
  // Where every run is finished, only the comparison may be missing.
  const capture =
    next < 0
      ? undefined
      : await work.read(task.input, {
          invertMasks: task.invertMasks,
          scale: task.scale,
          withoutCameras: withoutCameras(task.runs),
          maxPixels: task.limits.pixels,
          maxArchiveBytes: task.limits.unpackedBytes,
          maxArchiveEntries: task.limits.files,
          tempFolder: task.checkpoint,
          checkpoints: checkpointFolder(workFolder(task)),
          onProgress: reading,
          signal,
        });
  try {
    const results: RunResult[] = [];
    for (const [index, run] of task.runs.entries()) {
      results.push(finished[index] ?? (await oneRun(capture!, task, run, index, hooks, work)));
      // Between two runs is a point to resume from.
      if (hooks.stopping.aborted && index < runs - 1) throw hooks.stopping.reason;
    }
    if (results.length > 1) {
      await writeWhole(join(task.output, COMPARISON_FILE), [JSON.stringify(compareRuns(results), null, 2)]);
    }
    return results;
  } finally {
    await capture?.dispose();
  }
}

/** What is found in the pictures themselves serves all runs of a job. No run can have this name. */
const workFolder = (task: EngineTask): string => join(task.checkpoint, '.work');

async function oneRun(
  capture: Capture,
  task: EngineTask,
  run: NamedRun,
  runIndex: number,
  hooks: EngineHooks,
  { reconstruct }: Work,
): Promise<RunResult> {
  const begin = performance.now();
  const { signal, done } = stopAtStage(hooks);
  const runs = task.runs.length;
  const base = { name: run.name, method: run.method, preset: run.preset };
  try {
    const result = await reconstruct(capture, {
      output: join(task.output, run.name),
      method: run.method,
      preset: run.preset,
      options: task.reduced ? reducedOptions(run) : run.options,
      formats: task.formats,
      holdout: task.holdout,
      seed: task.seed,
      adapter: task.adapter,
      signal,
      stopping: hooks.stopping,
      log: hooks.log,
      checkpointFolder: join(task.checkpoint, run.name),
      workFolder: workFolder(task),
      previewFolder: join(task.checkpoint, `${run.name}-previews`),
      onProgress: (event) => {
        done(event.stage);
        const overall = (runIndex + event.overall) / runs;
        hooks.progress({ ...event, run: run.name, runIndex, runs, overall });
      },
    });
    for (const warning of result.warnings) hooks.warn(run.name, warning);
    const { status, psnr, ssim } = result.quality;
    const finished: RunResult = {
      ...base,
      seconds: (performance.now() - begin) / 1000,
      quality: { status, psnr, ssim },
      warnings: result.warnings,
      stages: result.quality.run.timings.map(({ stage, seconds }) => ({ stage, seconds })),
    };
    await remember(task, finished);
    return finished;
  } catch (error) {
    const coded = toPlinthError(error);
    // What one method cannot do another may; what the machine or the user stopped ends the attempt.
    if (coded.kind === 'machine' || coded.kind === 'cancelled' || runs === 1) throw coded;
    hooks.log.error({ code: coded.code }, coded.message);
    return {
      ...base,
      seconds: (performance.now() - begin) / 1000,
      warnings: [],
      stages: [],
      failure: toFailure(coded),
    };
  }
}

/**
 * A signal that follows cancellation at once and a wish to stop at the beginning of the next stage, when the last one's
 * checkpoint is written.
 */
function stopAtStage(hooks: EngineHooks): { signal: AbortSignal; done: (stage: string) => void } {
  const atStage = new AbortController();
  let current: string | undefined;
  return {
    signal: watched({ ...hooks, signal: AbortSignal.any([hooks.signal, atStage.signal]) }).signal,
    done(stage) {
      if (current !== undefined && stage !== current && hooks.stopping.aborted) atStage.abort(hooks.stopping.reason);
      current = stage;
    },
  };
}

/**
 * A signal that tells of every look at it. Long work looks for a cancellation at least every second, wherever it is:
 * that is the best sign that it goes on, and work that hangs gives none.
 */
function watched({ signal, alive }: Pick<EngineHooks, 'signal' | 'alive'>): { signal: AbortSignal } {
  const own = AbortSignal.any([signal]);
  const aborted = Object.getOwnPropertyDescriptor(AbortSignal.prototype, 'aborted')!.get!;
  Object.defineProperty(own, 'aborted', {
    get() {
      alive();
      return aborted.call(own) as boolean;
    },
  });
  return { signal: own };
}

/** The run's options as its method makes them smaller. */
function reducedOptions(run: NamedRun): Record<string, unknown> {
  const method = getMethod(run.method);
  return method.reduced(resolveOptions(method, run.preset, run.options));
}

const recordPath = (task: EngineTask, run: string): string => join(task.checkpoint, `${run}.result.json`);

/** A run that is finished, and the files that are its output. */
interface FinishedRun {
  result: RunResult;
  files: ManifestFile[];
}

async function remember(task: EngineTask, result: RunResult): Promise<void> {
  const files = await describeFolder(join(task.output, result.name));
  await writeWhole(recordPath(task, result.name), [JSON.stringify({ result, files } satisfies FinishedRun)]);
}

/** The result of a run that an earlier attempt finished, where its output is still there and what it was. */
async function finishedRun(task: EngineTask, run: NamedRun): Promise<RunResult | undefined> {
  let earlier: Partial<FinishedRun>;
  try {
    earlier = JSON.parse(await readFile(recordPath(task, run.name), 'utf8')) as Partial<FinishedRun>;
  } catch {
    return undefined;
  }
  const { result, files } = earlier;
  return result && files && (await isWhole(join(task.output, run.name), files)) ? result : undefined;
}
