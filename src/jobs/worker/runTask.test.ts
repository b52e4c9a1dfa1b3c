import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Capture } from '../../capture/capture.js';
import { type JobProgress, silentLogger } from '../../core/context.js';
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
  alive: () => {},
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

test('reading reports how far it is, and every look for a cancellation is a sign of life', async () => {
  let signs = 0;
  const stages: string[] = [];
  const watching = {
    ...hooks(),
    alive: () => {
      signs++;
    },
    progress: ({ run, stage, fraction, overall }: JobProgress) =>
      void stages.push(`${run} ${stage} ${fraction} ${overall}`),
  };
  await runTask(task('fusion', 'nvdiffrec'), watching, {
    async read(_path, options) {
      options!.onProgress!(0.5, 'r_0.png');
      expect(options!.signal!.aborted).toBe(false);
      return { dispose: async () => {} } as Capture;
    },
    async reconstruct(capture, options) {
      const before = signs;
      expect(options.signal!.aborted).toBe(false);
      expect(signs).toBe(before + 1);
      return await work().reconstruct(capture, options);
    },
  });
  expect(stages).toEqual(['fusion read 0.5 0']);
  // One for the reading, one for each run.
  expect(signs).toBe(3);
  // An attempt at what is left reads for that, and one at what is finished does not read at all.
  await rm(join(scratch, 'output/nvdiffrec'), { recursive: true });
  await runTask(task('fusion', 'nvdiffrec'), watching, {
    ...work(),
    async read(_path, options) {
      options!.onProgress!(1, 'r_0.png');
      return { dispose: async () => {} } as Capture;
    },
  });
  expect(stages.at(-1)).toBe('nvdiffrec read 1 0.5');
  await runTask(task('fusion', 'nvdiffrec'), watching, { ...work(), read: () => Promise.reject(new Error('read')) });
});

test('a length that the job states reaches the reader', async () => {
  const asked: unknown[] = [];
  const watched: Work = {
    ...work(),
    async read(_path, options) {
      asked.push(options?.scale);
      return { dispose: async () => {} } as Capture;
    },
  };
  await runTask({ ...task('fusion'), scale: { meanDistance: 0.6 } }, hooks(), watched);
  expect(asked).toEqual([{ meanDistance: 0.6 }]);
});

test('masks are turned round where the job asks for it', async () => {
  const asked: unknown[] = [];
  const watched: Work = {
    ...work(),
    async read(_path, options) {
      asked.push(options?.invertMasks);
      return { dispose: async () => {} } as Capture;
    },
  };
  await runTask({ ...task('fusion'), invertMasks: true }, hooks(), watched);
  await rm(join(scratch, 'output/fusion'), { recursive: true });
  await runTask(task('fusion'), hooks(), watched);
  expect(asked).toEqual([true, undefined]);
});

test('a cancellation reaches the work through the watched signal', async () => {
  const cancel = new AbortController();
  await expect(
    runTask(
      task('fusion'),
      { ...hooks(), signal: cancel.signal },
      {
        ...work(),
        async reconstruct(_capture, options) {
          cancel.abort(new PlinthError('CANCELLED', 'The job was cancelled'));
          expect(options.signal!.aborted).toBe(true);
          options.signal!.throwIfAborted();
          throw new Error('it goes on');
        },
      },
    ),
  ).rejects.toMatchObject({ code: 'CANCELLED' });
});
