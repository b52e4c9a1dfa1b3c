/**
 * Method `reconviagen` from photos without cameras to a finished folder, on the miniature of the networks: in process,
 * and as it is typed, with kill and resume.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import validator from 'gltf-validator';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import type { RunProgress } from '../src/core/context.js';
import { reconviagen } from '../src/methods/reconviagen/reconviagen.js';
import { getMethod } from '../src/methods/registry.js';
import { readAnyCapture } from '../src/photos/readAnyCapture.js';
import { requireAvailable } from '../src/pipeline/availability.js';
import { reconstruct } from '../src/pipeline/reconstruct.js';
import { errorOf, pinhole, renderEllipsoid, ringPoses, useFolders } from './captureScene.js';
import { startPlinth } from './command.js';
import { useGpu } from './gpu.js';
import { writeModelRepository } from './modelRepository.js';

const newFolder = useFolders();
const gpu = useGpu();
const sha = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

const OPTIONS = { structureSteps: 6, latentSteps: 4, triangles: 2000, textureSize: 256 };
const FLAGS = Object.entries(OPTIONS).flatMap(([name, value]) => ['-O', `${name}=${value}`]);
const SEED = 7;

let root: string;
let weights: string;
let photos: string;
let environment: Record<string, string>;
beforeAll(async () => {
  root = await newFolder();
  weights = join(root, 'weights');
  photos = join(root, 'photos');
  environment = { PLINTH_WEIGHTS: weights, PLINTH_TEST_MODELS: '1' };
  await writeModelRepository(weights);
  mkdirSync(photos);
  for (const [i, pose] of ringPoses(3).entries()) {
    const { color } = renderEllipsoid(pinhole(96, 72, 90), pose);
    const raw = { width: color.width, height: color.height, channels: 4 } as const;
    await sharp(color.data, { raw })
      .png()
      .toFile(join(photos, `p${i}.png`));
  }
});

/** Runs in this process. */
async function make(output: string, more: Partial<Parameters<typeof reconstruct>[1]> = {}) {
  const capture = await readAnyCapture(photos, { withoutCameras: true });
  try {
    return await reconstruct(capture, {
      output,
      method: 'reconviagen',
      options: OPTIONS,
      formats: ['glb'],
      seed: SEED,
      previews: false,
      weights,
      gpu: gpu(),
      ...more,
    });
  } finally {
    await capture.dispose();
  }
}

describe('reconviagen on its miniature', () => {
  let whole: string;
  const events: RunProgress[] = [];
  const shown: string[] = [];
  let result: Awaited<ReturnType<typeof make>>;
  beforeAll(async () => {
    process.env.PLINTH_TEST_MODELS = '1';
    whole = join(root, 'whole');
    result = await make(whole, {
      previewFolder: join(root, 'previews'),
      onProgress: (event) => {
        events.push(event);
        if (event.preview) shown.push(event.preview.replace(/.*\//, ''));
      },
    });
  }, 240_000);

  it('makes a whole result of three photos without cameras, and says that a miniature made it', async () => {
    const report = await validator.validateBytes(new Uint8Array(readFileSync(join(whole, 'asset.glb'))));
    expect(report.issues.numErrors + report.issues.numWarnings).toBe(0);
    const { quality, warnings } = result;
    expect(warnings.map(({ code }) => code)).toContain('METHOD_TEST_MODEL');
    expect(quality.method.facts).toMatchObject({
      model: 'miniature for tests, random numbers',
      photos: ['p0', 'p1', 'p2'],
    });
    expect(warnings.map(({ code }) => code)).toContain('METHOD_PHOTOS_UNPLACED');
    expect(quality.capture.scaleKnown).toBe(false);
    // Not where the placeholders stand: each camera was sought.
    expect(new Set(quality.views.map(({ camera }) => camera.cameraToWorld.join())).size).toBe(3);
    expect(quality.views.map(({ name }) => name)).toEqual(['p0', 'p1', 'p2']);
    expect(readdirSync(whole)).toContain('report.html');
  });

  it('goes through its stages in order, tells rising progress and the steps, and shows the voxels', () => {
    const overall = events.map((event) => event.overall);
    expect(overall).toEqual([...overall].sort((a, b) => a - b));
    const stages = [...new Set(events.map(({ stage }) => stage))];
    const own = reconviagen.stages.map(({ name }) => name);
    expect(stages.filter((stage) => own.includes(stage))).toEqual(own);
    const details = events.filter(({ stage }) => stage === 'structure').map(({ detail }) => detail);
    for (let step = 1; step <= 6; step++) expect(details).toContain(`step ${step} of 6`);
    expect(shown.some((name) => name.startsWith('voxels'))).toBe(true);
  });

  it('goes on after a stop between two steps and a kill in the next stage, to the same bytes', {
    timeout: 240_000,
  }, async () => {
    const checkpoint = join(root, 'checkpoint');
    const stopping = new AbortController();
    const stopped = make(join(root, 'stopped'), {
      checkpointFolder: checkpoint,
      stopping: stopping.signal,
      onProgress: ({ stage, detail }) => {
        if (stage === 'structure' && detail === 'step 3 of 6') stopping.abort();
      },
    });
    expect((await errorOf(stopped)).code).toBe('CANCELLED');
    expect(readdirSync(checkpoint).sort()).toEqual([
      'reconviagen-encode.checkpoint',
      'reconviagen-structure-steps.checkpoint',
    ]);

    const out = join(root, 'resumed');
    const args = ['reconstruct', photos, '-o', out, '-m', 'reconviagen', ...FLAGS, '--seed', `${SEED}`, '--json'];
    const run = () =>
      startPlinth([...args, '--formats', 'glb', '--no-previews', '--checkpoint', checkpoint], environment);
    const killed = run();
    let seen = '';
    await new Promise<void>((resolve) => {
      killed.child.stdout!.on('data', (text) => {
        seen += text;
        if (seen.includes('"stage":"latent"')) resolve();
      });
      void killed.finished.then(() => resolve());
    });
    killed.child.kill('SIGKILL');
    const ended = await killed.finished;
    expect(ended.code, ended.stderr).toBeNull();
    const begun = seen.split('\n').filter((line) => line.includes('"stage":"structure"'));
    expect(begun[0]).toContain('step 3 of 6');

    const again = await run().finished;
    expect(again.stderr).toBe('');
    expect(again.code).toBe(0);
    expect(again.stdout).not.toContain('step 1 of 6');
    expect(again.stdout).not.toContain('step 3 of 6');
    expect(sha(join(out, 'asset.glb'))).toBe(sha(join(whole, 'asset.glb')));
  });

  it('makes another shape of another seed, ends at once when it is cancelled, and gives the device everything back', {
    timeout: 120_000,
  }, async () => {
    gpu().trim();
    const before = gpu().bytesInUse;
    const abort = new AbortController();
    let after = 0;
    const cancelled = make(join(root, 'cancelled'), {
      signal: abort.signal,
      seed: SEED + 1,
      previewFolder: join(root, 'others'),
      onProgress: ({ stage, detail }) => {
        if (abort.signal.aborted) after++;
        else if (stage === 'latent' && detail === 'step 2 of 4') abort.abort();
      },
    });
    expect((await errorOf(cancelled)).code).toBe('CANCELLED');
    expect(after).toBeLessThanOrEqual(1);
    expect(gpu().bytesInUse).toBe(before);
    const voxels = (folder: string): string => {
      const [name] = readdirSync(join(root, folder)).filter((file) => file.startsWith('voxels'));
      return sha(join(root, folder, name));
    };
    expect(voxels('others')).not.toBe(voxels('previews'));
    expect(readdirSync(root)).not.toContain('cancelled');
  });
});

describe('what reconviagen refuses', () => {
  const refusal = async (adapter?: Parameters<typeof requireAvailable>[1]) =>
    await errorOf(requireAvailable(getMethod('reconviagen'), { weights, ...adapter }));

  it('takes a miniature in tests alone', async () => {
    delete process.env.PLINTH_TEST_MODELS;
    const error = await refusal();
    expect(error.code).toBe('WEIGHTS_UNSUPPORTED');
    expect(error.message).toMatch(/128 channels[\s\S]*24 blocks of 1024[\s\S]*PLINTH_TEST_MODELS/);
    process.env.PLINTH_TEST_MODELS = '1';
    await requireAvailable(getMethod('reconviagen'), { weights });
  });
});
