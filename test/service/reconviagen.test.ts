/**
 * Method `reconviagen` over HTTP: told before anything is sent where it cannot run, and a photo to a finished model with
 * the engine's own worker, on the miniature of its networks.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { MethodFacts } from '../../src/api/catalogue.js';
import type { Job } from '../../src/api/job.js';
import type { Problem } from '../../src/api/problem.js';
import { pinhole, renderEllipsoid, ringPoses } from '../captureScene.js';
import { writeModelRepository } from '../modelRepository.js';
import { startTestServer, type TestServer } from './testServer.js';

const ENGINE = new URL('../../src/jobs/worker/reconstructEngine.ts', import.meta.url).href;
const NAMES = ['PLINTH_WEIGHTS', 'PLINTH_TEST_MODELS'] as const;
const before = NAMES.map((name) => process.env[name]);

let folder: string;
let photo: Buffer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plinth-weights-'));
  process.env.PLINTH_WEIGHTS = folder;
  const { color } = renderEllipsoid(pinhole(96, 72, 90), ringPoses(1)[0]);
  const raw = { width: color.width, height: color.height, channels: 4 } as const;
  photo = await sharp(color.data, { raw }).png().toBuffer();
});
afterAll(async () => {
  NAMES.forEach((name, i) => {
    if (before[i] === undefined) delete process.env[name];
    else process.env[name] = before[i];
  });
  await rm(folder, { recursive: true, force: true });
});

const submit = async (server: TestServer, method: string): Promise<Response> => {
  const form = new FormData();
  form.set('method', method);
  form.set('preset', 'draft');
  if (method === 'reconviagen') {
    form.set('options', JSON.stringify({ structureSteps: 2, latentSteps: 2, triangles: 500, textureSize: 256 }));
  }
  form.set('formats', 'glb');
  form.append('files', new Blob([new Uint8Array(photo)]), 'photo.png');
  return await server.ask('/v1/jobs', { method: 'POST', body: form });
};

const methodFacts = async (server: TestServer): Promise<MethodFacts | undefined> => {
  const { methods } = (await (await server.ask('/v1/methods')).json()) as { methods: MethodFacts[] };
  return methods.find(({ name }) => name === 'reconviagen');
};

test('without weights the method is listed with why it cannot run, and a job with it is refused', async () => {
  const server = await startTestServer();
  try {
    const facts = await methodFacts(server);
    expect(facts?.withoutCameras).toBe(true);
    expect(facts?.unavailable).toMatchObject({
      code: 'WEIGHTS_MISSING',
      remedy: expect.stringContaining('plinth weights download reconviagen'),
    });
    const answer = await submit(server, 'reconviagen');
    expect(answer.status).toBe(501);
    const problem = (await answer.json()) as Problem;
    expect(problem).toMatchObject({ code: 'WEIGHTS_MISSING', field: 'methods.0.method' });
    // No folder of this machine is named.
    expect(JSON.stringify([facts, problem])).not.toContain(folder);
    // A photo alone is too little for methods that need cameras, as ever.
    expect(((await (await submit(server, 'fusion')).json()) as Problem).code).toBe('CAPTURE_NO_CAMERAS');
  } finally {
    await server.destroy();
  }
});

test('with weights a single photo becomes a model', { timeout: 300_000 }, async () => {
  await writeModelRepository(folder);
  process.env.PLINTH_TEST_MODELS = '1';
  const server = await startTestServer({ flags: { 'worker.engine': ENGINE } });
  try {
    expect(await methodFacts(server)).not.toHaveProperty('unavailable');
    const answer = await submit(server, 'reconviagen');
    const job = (await answer.json()) as Job;
    expect(answer.status, JSON.stringify(job)).toBe(202);
    const done = await server.until(job.id, 'succeeded', 'failed');
    expect(done.failure).toBeNull();
    expect(done.result?.runs[0].warnings.map(({ code }) => code)).toContain('METHOD_TEST_MODEL');
    const { files } = (await (await server.ask(done.links.files)).json()) as { files: { name: string }[] };
    expect(files.map(({ name }) => name)).toContain('asset.glb');
  } finally {
    await server.destroy();
  }
});
