import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Capture } from '../../capture/capture.js';
import { silentLogger } from '../../core/context.js';
import { PlinthError } from '../../core/errors.js';
import type { ReconstructionResult } from '../../pipeline/reconstruct.js';
import type { EngineHooks, EngineTask } from './engine.js';
import { runTask, type Work } from './runTask.js';

let scratch: string;
let made: string[];
beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'plinth-task-'));
  made = [];
  for (const name of ['output', 'checkpoint']) await mkdir(join(scratch, name));
});
afterEach(() => rm(scratch, { recursive: true, force: true }));

const task = (...methods: string[]): EngineTask => ({
  job: '1',
  input: scratch,
  output: join(scratch, 'output'),
  checkpoint: join(scratch, 'checkpoint'),
  runs: methods.map((method) => ({ name: method, method, preset: 'draft', options: {} })),
  formats: ['glb'],
  seed: 0,
  limits: { pixels: 1, unpackedBytes: 1, files: 1 },
  reduced: false,
});
const hooks = (stopping = new AbortController().signal): EngineHooks => ({
  progress: () => {},
  warn: () => {},
  log: silentLogger,
  signal: new AbortController().signal,
  stopping,
});
const work = (fail?: PlinthError): Work => ({
  read: async () => ({ dispose: async () => {} }) as Capture,
  async reconstruct(_capture, options) {
    made.push(options.method!);
    if (fail && options.method === 'nvdiffrec') throw fail;
    await mkdir(options.output, { recursive: true });
    await writeFile(join(options.output, 'asset.glb'), options.method!);
    const quality = { status: 'normal', psnr: 30, ssim: 0.9, run: { timings: [] } };
    return { output: options.output, files: [], quality, warnings: [] } as unknown as ReconstructionResult;
  },
});

test('a run that is finished is not made again, and one whose output is not what it was is', async () => {
  await runTask(task('fusion', 'nvdiffrec'), hooks(), work());
  expect(await runTask(task('fusion', 'nvdiffrec'), hooks(), work())).toHaveLength(2);
  expect(made).toEqual(['fusion', 'nvdiffrec']);
  await writeFile(join(scratch, 'output/fusion/asset.glb'), 'fusioM');
  await runTask(task('fusion', 'nvdiffrec'), hooks(), work());
  await rm(join(scratch, 'output/nvdiffrec'), { recursive: true });
  await runTask(task('fusion', 'nvdiffrec'), hooks(), work());
  expect(made).toEqual(['fusion', 'nvdiffrec', 'fusion', 'nvdiffrec']);
});

test('a method that cannot does not fail the others; a machine that fails ends the attempt', async () => {
  const cannot = new PlinthError('METHOD_REQUIREMENTS', 'There are no masks');
  const results = await runTask(task('fusion', 'nvdiffrec'), hooks(), work(cannot));
  expect(results.map((r) => r.failure?.code)).toEqual([undefined, 'METHOD_REQUIREMENTS']);
  await expect(runTask(task('nvdiffrec'), hooks(), work(cannot))).rejects.toBe(cannot);
  const lost = new PlinthError('GPU_DEVICE_LOST', 'The device was lost');
  await expect(runTask(task('fusion', 'nvdiffrec'), hooks(), work(lost))).rejects.toBe(lost);
});

test('a stop is obeyed between two runs, and the first is kept', async () => {
  const reason = new PlinthError('CANCELLED', 'The service stops');
  await expect(runTask(task('fusion', 'nvdiffrec'), hooks(AbortSignal.abort(reason)), work())).rejects.toBe(reason);
  await runTask(task('fusion', 'nvdiffrec'), hooks(), work());
  expect(made).toEqual(['fusion', 'nvdiffrec']);
});
