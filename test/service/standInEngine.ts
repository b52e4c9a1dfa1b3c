/**
 * An engine for tests of the service: it makes small files instead of assets, quickly, and misbehaves on request. What
 * it does is set by option `standIn` of a run… of which the method's schema knows nothing, so tests put it into the
 * name of the uploaded file: `<behaviour>.png`.
 */
import { appendFile, cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PlinthError } from '../../src/core/errors.js';
import type { RunResult } from '../../src/jobs/jobRecord.js';
import { COMPARISON_FILE, compareRuns } from '../../src/jobs/worker/compareRuns.js';
import type { Engine, EngineTask } from '../../src/jobs/worker/engine.js';

/** Smallest PNG: one pixel. */
export const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

const STAGES = ['read', 'fuse', 'texture', 'report'];

async function behaviour(task: EngineTask): Promise<Map<string, number>> {
  const names = await readdir(task.input).catch(() => [] as string[]);
  const found = new Map<string, number>();
  for (const name of names) {
    const match = /^do-([a-z-]+?)(?:-(\d+))?\.png$/.exec(name);
    if (match) found.set(match[1], Number(match[2] ?? 1));
  }
  return found;
}

/** Counts attempts of a job in its checkpoint folder. */
async function countAttempt(task: EngineTask): Promise<number> {
  const path = join(task.checkpoint, 'attempts');
  await appendFile(path, '.');
  return (await readFile(path)).length;
}

/** Writes until nothing more fits. */
async function fillDisk(folder: string): Promise<void> {
  const mebibyte = Buffer.alloc(2 ** 20);
  for (;;) await appendFile(join(folder, 'endless'), mebibyte);
}

export const engine: Engine = {
  async describe() {
    return { device: 'stand-in', kind: 'software', vendor: 'test' };
  },
  async probe() {
    return { ok: process.env.STAND_IN_PROBE !== 'fail', seconds: 0.001, adapter: 'stand-in' };
  },
  async run(task, hooks) {
    const what = await behaviour(task);
    const attempt = await countAttempt(task);
    const results: RunResult[] = [];
    for (const [runIndex, run] of task.runs.entries()) {
      const begin = performance.now();
      for (const [i, stage] of STAGES.entries()) {
        const marker = join(task.checkpoint, `${run.name}-${stage}`);
        const done = await readFile(marker).then(
          () => true,
          () => false,
        );
        if (done) continue;
        hooks.log.info({ attempt }, `stage ${stage}`);
        const preview = join(task.checkpoint, 'preview.png');
        await writeFile(preview, PIXEL);
        const steps = what.has('slow') ? 20 : 1;
        for (let step = 0; step < steps; step++) {
          hooks.progress({
            run: run.name,
            runIndex,
            runs: task.runs.length,
            stage,
            title: `Stage ${stage}`,
            fraction: step / steps,
            overall: (runIndex + (i + step / steps) / STAGES.length) / task.runs.length,
            elapsedSeconds: (performance.now() - begin) / 1000,
            metrics: { loss: 1 / (i + 1), psnr: 20 + i },
            preview: step === 0 && !what.has('plain') ? preview : undefined,
          });
          if (what.has('slow')) await sleep(what.get('slow')! * 10, undefined, { signal: hooks.signal });
          if (hooks.signal.aborted) throw new PlinthError('CANCELLED', 'The work was cancelled');
        }
        if (stage === 'fuse') {
          if (what.has('input-error'))
            throw new PlinthError('CAPTURE_VIEWS_DISAGREE', {
              found: 'The views disagree',
              remedy: 'Take better ones',
            });
          if (what.has('path-error'))
            throw new PlinthError('CAPTURE_FILE_MISSING', `There is no ${join(task.output, 'front.png')}`);
          if (what.has('crash') && attempt <= what.get('crash')!) process.kill(process.pid, 'SIGKILL');
          if (what.has('device-lost') && attempt <= what.get('device-lost')!)
            throw new PlinthError('GPU_DEVICE_LOST', 'The device was lost');
          if (what.has('out-of-memory') && !task.reduced)
            throw new PlinthError('GPU_OUT_OF_MEMORY', 'Too little memory');
          if (what.has('hang') && attempt <= what.get('hang')!) for (;;) await sleep(1000);
          if (what.has('fill-disk') && attempt <= what.get('fill-disk')!) await fillDisk(task.output);
          if (what.has('busy-loop') && attempt <= what.get('busy-loop')!) for (;;);
        }
        await writeFile(marker, String(attempt));
        if (hooks.stopping.aborted) throw new PlinthError('CANCELLED', 'The service stops');
      }
      const partial = join(task.output, `.${run.name}.partial`);
      await mkdir(join(partial, 'previews'), { recursive: true });
      await writeFile(join(partial, 'asset.glb'), Buffer.alloc(1000, run.name));
      await writeFile(join(partial, 'previews', 'front.png'), PIXEL);
      const psnr = 30 - runIndex;
      await writeFile(
        join(partial, 'quality.json'),
        JSON.stringify({ schemaVersion: 1, status: 'normal', psnr, job: task.job, attempt, reduced: task.reduced }),
      );
      // A result that a test made before, in the place of these.
      if (process.env.STAND_IN_RESULT) await cp(process.env.STAND_IN_RESULT, partial, { recursive: true });
      await rm(join(task.output, run.name), { recursive: true, force: true });
      await rename(partial, join(task.output, run.name));
      results.push({
        name: run.name,
        method: run.method,
        preset: run.preset,
        seconds: (performance.now() - begin) / 1000,
        quality: { status: 'normal', psnr, ssim: 0.9 },
        warnings: [],
        stages: STAGES.map((stage) => ({ stage, seconds: 0.001 })),
      });
    }
    if (results.length > 1) await writeFile(join(task.output, COMPARISON_FILE), JSON.stringify(compareRuns(results)));
    return results;
  },
};
