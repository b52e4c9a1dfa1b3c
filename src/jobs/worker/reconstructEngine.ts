import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readCapture } from '../../capture/readCapture.js';
import { PlinthError, toPlinthError } from '../../core/errors.js';
import { recordReduce } from '../../gpu/primitives/reduce.js';
import { type Gpu, openGpu } from '../../gpu/runtime/gpu.js';
import type { Method } from '../../methods/method.js';
import { getMethod, resolveOptions } from '../../methods/registry.js';
import { reconstruct } from '../../pipeline/reconstruct.js';
import type { RunResult } from '../jobRecord.js';
import type { NamedRun } from '../jobRequest.js';
import { COMPARISON_FILE, compareRuns } from './compareRuns.js';
import type { Engine, EngineHooks, EngineTask, ProbeReport } from './engine.js';

/** Options that set a working size; at a smaller one each is halved. */
const SIZE_OPTIONS = [
  'resolution',
  'maxResolution',
  'textureSize',
  'imageSize',
  'maxSize',
  'gridSize',
  'gridResolution',
  'batch',
];

/** Numbers the probe adds up: enough for more than one workgroup and more than one pass. */
const PROBE_ITEMS = 100_000;

let probeGpu: Gpu | undefined;

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
      const sum = await addUp(probeGpu);
      const expected = ((PROBE_ITEMS * (PROBE_ITEMS - 1)) / 2) >>> 0;
      if (sum !== expected) {
        throw new PlinthError('GPU_SELF_TEST_FAILED', {
          found: `The sum of ${PROBE_ITEMS} numbers came out as ${sum}`,
          expected: String(expected),
          remedy: 'Update the driver; the device may be damaged',
        });
      }
      return { ok: true, seconds: (performance.now() - begin) / 1000, adapter: probeGpu.adapter.device };
    } catch (error) {
      probeGpu?.dispose();
      probeGpu = undefined;
      const { code, message, remedy } = toPlinthError(error);
      return { ok: false, seconds: (performance.now() - begin) / 1000, failure: { code, message, remedy } };
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
      options: task.reduced ? reducedOptions(getMethod(run.method), run) : run.options,
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
    const { code, message, remedy } = coded;
    return {
      ...base,
      seconds: (performance.now() - begin) / 1000,
      warnings: [],
      stages: [],
      failure: { code, message, remedy },
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

/** Options with every working size halved, as far as the method's schema allows. */
function reducedOptions(method: Method, run: NamedRun): Record<string, unknown> {
  const full = resolveOptions(method, run.preset, run.options);
  let options = { ...run.options };
  for (const name of SIZE_OPTIONS) {
    const value = full[name];
    if (typeof value !== 'number' || value < 2) continue;
    const half = { ...options, [name]: value >= 16 ? Math.floor(value / 8) * 4 : Math.floor(value / 2) };
    try {
      resolveOptions(method, run.preset, half);
      options = half;
    } catch {
      // Already as small as the method allows.
    }
  }
  return options;
}

const recordPath = (task: EngineTask, run: string): string => join(task.checkpoint, `${run}.result.json`);

async function remember(task: EngineTask, result: RunResult): Promise<void> {
  const path = recordPath(task, result.name);
  await writeFile(`${path}.partial`, JSON.stringify(result));
  await rename(`${path}.partial`, path);
}

/** The result of a run that an earlier attempt finished. */
async function finishedRun(task: EngineTask, run: NamedRun): Promise<RunResult | undefined> {
  try {
    return JSON.parse(await readFile(recordPath(task, run.name), 'utf8')) as RunResult;
  } catch {
    return undefined;
  }
}

async function addUp(gpu: Gpu): Promise<number> {
  const items = gpu.upload(Uint32Array.from({ length: PROBE_ITEMS }, (_, i) => i));
  const result = gpu.createBuffer(4, 'probe');
  try {
    gpu.run((batch) => recordReduce(batch, items, PROBE_ITEMS, { operation: 'sum', type: 'u32', result }));
    return (await gpu.readUint32(result, 1))[0];
  } finally {
    items.destroy();
    result.destroy();
  }
}
