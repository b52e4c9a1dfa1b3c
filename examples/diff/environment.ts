/**
 * Recovers the light around a shiny ball from three pictures of it. Run: npx tsx examples/diff/environment.ts
 * [file.png]
 */
import { pathToFileURL } from 'node:url';
import type { Gpu, Vec3 } from 'plinth';
import {
  createAdamGroup,
  createDiffLight,
  createTargets,
  LIGHT_RANGE,
  NEUTRAL_STUDIO,
  paintStudio,
  recordAdam,
  recordLightBackward,
} from 'plinth/diff';
import { ball } from './ball.js';
import { cameraAt, createProblem, picture, type Recovered, recordGradients, runSample } from './problem.js';

const SIZE = 16;
const STEPS = 120;

/** Error: root mean square of log₂ radiance over the cube map, in stops. */
export async function recoverEnvironment(gpu: Gpu): Promise<Recovered> {
  const eyes: Vec3[] = [
    [0, 0.5, 3],
    [2.6, -0.5, -1.5],
    [-2.6, 0.8, -1.5],
  ];
  const cameras = eyes.map((eye) => cameraAt(eye, 96, 1.2));
  // A dim studio, so that no part of the pictures is saturated.
  const studio = paintStudio(NEUTRAL_STUDIO);
  const dim = { ...studio, data: studio.data.map((v) => 0.12 * v) };
  const texels = Float32Array.of(0.95, 0.95, 0.95, 1, 0.12, 1, 0, 0);
  const texture = { width: 1, height: 1, texels };
  const truth = await createDiffLight(gpu, dim, SIZE);
  const light = await createDiffLight(gpu, [0.1, 0.1, 0.1], SIZE);
  const actual = createProblem(gpu, ball(), cameras, texture, { light: truth });
  const pictures = [];
  for (let view = 0; view < cameras.length; view++) pictures.push(await picture(actual, view));
  const targets = createTargets(gpu, pictures);
  const problem = createProblem(gpu, ball(), cameras, texture, { light, capacity: 3 });
  const count = 6 * SIZE * SIZE * 3;
  const group = createAdamGroup(gpu, light.parameters, problem.gradients.light!, count, { range: LIGHT_RANGE });
  const wanted = await gpu.readFloat32(truth.parameters, count);
  const error = async () => {
    const now = await gpu.readFloat32(light.parameters, count);
    return Math.sqrt(now.reduce((sum, v, i) => sum + (v - wanted[i]) ** 2, 0) / count) / Math.LN2;
  };
  const before = await error();
  const strip = [pictures[0], await picture(problem, 0)];
  for (let step = 1; step <= STEPS; step++) {
    gpu.run((batch) => {
      recordGradients(batch, problem, [0, 1, 2], targets, { kind: 'mse' });
      recordLightBackward(batch, light, problem.gradients);
      recordAdam(batch, group, { learningRate: 0.1 * 0.05 ** (step / STEPS), step });
    });
    if (step === 8 || step === 30 || step === STEPS) strip.push(await picture(problem, 0));
  }
  return { before, after: await error(), unit: 'stops', strip };
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await runSample('environment', recoverEnvironment);
