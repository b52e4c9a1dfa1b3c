import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readCapture } from '../../capture/readCapture.js';
import { toFailure, toPlinthError } from '../../core/errors.js';
import { openGpu } from '../../gpu/adapter/openGpu.js';
import type { Gpu } from '../../gpu/runtime/gpu.js';
import { readinessProbe } from '../../health/readiness.js';
import { getMethod, resolveOptions } from '../../methods/registry.js';
import { reconstruct } from '../../pipeline/reconstruct.js';
import { writeWhole } from '../../platform/writeWhole.js';
import type { RunResult } from '../jobRecord.js';
import type { NamedRun } from '../jobRequest.js';
import { COMPARISON_FILE, compareRuns } from './compareRuns.js';
import type { Engine, EngineHooks, EngineTask, ProbeReport } from './engine.js';

let probeGpu: Gpu | undefined;

function closeProbe(): void {
  probeGpu?.dispose();
  probeGpu = undefined;
}

/** Plinth's own engine: reads the capture once and runs `reconstruct()` for every method of the job. */
export const engine: Engine = {
  async describe(adapter) {
    probeGpu ??= await openGpu({ adapter });
    const { features: _, limits, ...facts } = probeGpu.adapter;
    return { ...facts, maxBufferBytes: limits.maxStorageBufferBindingSize };
  },

  async probe(adapter): Promise<ProbeReport> {
    const begin = performance.now();
    try {
      probeGpu ??= await openGpu({ adapter });
      const { ok, late, seconds, message } = await readinessProbe(probeGpu);
      if (ok) return { ok, seconds, adapter: probeGpu.adapter.device };
      // A device that hangs is kept: it is asked once, and its answer ends the waiting.
      if (!late) closeProbe();
      const failure = {
        code: 'GPU_SELF_TEST_FAILED',
        message,
        remedy: 'Update the driver; the device may be damaged',
      } as const;
      return { ok, seconds, failure };
    } catch (error) {
      closeProbe();
      return { ok: false, seconds: (performance.now() - begin) / 1000, failure: toFailure(error) };
    }
  },

  async run(task, hooks) {
    const capture = await readCapture(task.input, {
      maxPixels: task.limits.pixels,
      maxArchiveBytes: task.limits.unpackedBytes,
      maxArchiveEntries: task.limits.files,
      tempFolder: task.checkpoint,
      signal: hooks.signal,
    });
    try {
      const results: RunResult[] = [];
      for (const [index, run] of task.runs.entries()) {
        results.push((await finishedRun(task, run)) ?? (await oneRun(capture, task, run, index, hooks)));
        // Between two runs is a point to resume from.
        if (hooks.stopping.aborted && index < task.runs.length - 1) throw hooks.stopping.reason;
      }
      if (results.length > 1) {
        await writeFile(join(task.output, COMPARISON_FILE), JSON.stringify(compareRuns(results), null, 2));
      }
      return results;
    } finally {
      await capture.dispose();
    }
  },
};

type Capture = Awaited<ReturnType<typeof readCapture>>;

async function oneRun(
  capture: Capture,
  task: EngineTask,
  run: NamedRun,
  runIndex: number,
  hooks: EngineHooks,
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

/** A signal that follows cancellation at once and a wish to stop at the beginning of the next stage, when the last one's checkpoint is written. */
function stopAtStage(hooks: EngineHooks): { signal: AbortSignal; done: (stage: string) => void } {
  const atStage = new AbortController();
  let current: string | undefined;
  return {
    signal: AbortSignal.any([hooks.signal, atStage.signal]),
    done(stage) {
      if (current !== undefined && stage !== current && hooks.stopping.aborted) atStage.abort(hooks.stopping.reason);
      current = stage;
    },
  };
}

/** The run's options as its method makes them smaller. */
function reducedOptions(run: NamedRun): Record<string, unknown> {
  const method = getMethod(run.method);
  return method.reduced(resolveOptions(method, run.preset, run.options));
}

const recordPath = (task: EngineTask, run: string): string => join(task.checkpoint, `${run}.result.json`);

async function remember(task: EngineTask, result: RunResult): Promise<void> {
  const path = recordPath(task, result.name);
  await writeWhole(path, [JSON.stringify(result)]);
}

/** The result of a run that an earlier attempt finished. */
async function finishedRun(task: EngineTask, run: NamedRun): Promise<RunResult | undefined> {
  try {
    return JSON.parse(await readFile(recordPath(task, run.name), 'utf8')) as RunResult;
  } catch {
    return undefined;
  }
}
