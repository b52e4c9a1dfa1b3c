/**
 * Recovers the corners of a triangle from one picture of it, through its outline alone. Run: npx tsx
 * examples/diff/triangle.ts [file.png]
 */
import { pathToFileURL } from 'node:url';
import type { Gpu, Mesh } from 'plinth';
import { createAdamGroup, createTargets, projectPoint, recordAdam } from 'plinth/diff';
import {
  cameraAt,
  createProblem,
  picture,
  plainTexels,
  type Recovered,
  recordGradients,
  runSample,
} from './problem.js';

const TRUTH = [-0.7, -0.5, 0, 0.8, -0.3, 0, 0.1, 0.75, 0];
const START = [-0.3, -0.65, 0, 0.5, 0.1, 0, -0.35, 0.5, 0];
const SIZE = 64;

/** Error: mean distance of the corners from the truth on the picture, in pixels. */
export async function recoverTriangle(gpu: Gpu): Promise<Recovered> {
  const mesh = (positions: number[]): Mesh => ({
    positions: Float32Array.from(positions),
    indices: Uint32Array.of(0, 1, 2),
  });
  const camera = cameraAt([0, 0, 3], SIZE);
  const texture = { width: 1, height: 1, texels: plainTexels(1, 1, [0.9, 0.4, 0.1]) };
  const target = await picture(createProblem(gpu, mesh(TRUTH), [camera], texture), 0);
  const problem = createProblem(gpu, mesh(START), [camera], texture);
  const targets = createTargets(gpu, [target]);
  const { positions } = problem.scene.mesh;
  const group = createAdamGroup(gpu, positions, problem.gradients.positions, 9);
  const error = async () => {
    const now = await gpu.readFloat32(positions, 9);
    const pixel = (list: ArrayLike<number>, k: number) => projectPoint(camera, [list[k], list[k + 1], list[k + 2]]);
    const distances = [0, 3, 6].map((k) => {
      const [found, wanted] = [pixel(now, k), pixel(TRUTH, k)];
      return Math.hypot(found.x - wanted.x, found.y - wanted.y);
    });
    return (distances[0] + distances[1] + distances[2]) / 3;
  };
  const before = await error();
  const strip = [target, await picture(problem, 0)];
  const steps = 200;
  for (let step = 1; step <= steps; step++) {
    gpu.run((batch) => {
      recordGradients(batch, problem, [0], targets, { kind: 'mse' });
      recordAdam(batch, group, { learningRate: 0.03 * 0.02 ** (step / steps), step });
    });
    if (step === 25 || step === 60 || step === steps) strip.push(await picture(problem, 0));
  }
  return { before, after: await error(), unit: 'pixels', strip };
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await runSample('triangle', recoverTriangle);
