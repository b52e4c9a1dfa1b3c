/** Recovers the texture of a ball from eight pictures. Run: npx tsx examples/diff/texture.ts [file.png] */
import { pathToFileURL } from 'node:url';
import type { Gpu, Vec3 } from 'plinth';
import { createTargets, recordMaterialStep } from 'plinth/diff';
import { ball } from './ball.js';
import {
  cameraAt,
  createProblem,
  picture,
  plainTexels,
  type Recovered,
  recordGradients,
  runSample,
} from './problem.js';

const [WIDTH, HEIGHT] = [64, 32];
const STEPS = 120;
const EYES: Vec3[] = [0, 1, 2, 3, 4, 5].map((i) => [
  2.6 * Math.sin(i * 1.05),
  i % 2 ? 1 : -1,
  2.6 * Math.cos(i * 1.05),
]);

/** Error: root mean square over the linear base colour (0…1) of all texels but the two rows nearest to each pole. */
export async function recoverTexture(gpu: Gpu): Promise<Recovered> {
  const cameras = [...EYES, [0.1, 2.8, 0] as Vec3, [0.1, -2.8, 0] as Vec3].map((eye) => cameraAt(eye, 96, 1.2));
  const truth = plainTexels(WIDTH, HEIGHT, [0, 0, 0]).map((v, i) => {
    const [c, x, y] = [i % 8, Math.floor(i / 8) % WIDTH, Math.floor(i / 8 / WIDTH)];
    const check = (x >> 3) + (y >> 3);
    return c < 3 ? 0.15 + 0.35 * (check & 1) + 0.3 * Math.sin(0.2 * x * (c + 1) + 0.3 * y) ** 2 : v;
  });
  const actual = createProblem(gpu, ball(), cameras, { width: WIDTH, height: HEIGHT, texels: truth });
  const pictures = [];
  for (let view = 0; view < cameras.length; view++) pictures.push(await picture(actual, view));
  const targets = createTargets(gpu, pictures);
  const texels = plainTexels(WIDTH, HEIGHT, [0.5, 0.5, 0.5]);
  const problem = createProblem(gpu, ball(), cameras, { width: WIDTH, height: HEIGHT, texels }, { capacity: 4 });
  const { material } = problem.scene;
  const error = async () => {
    const now = await gpu.readFloat32(material.texels, WIDTH * HEIGHT * 8);
    let sum = 0;
    for (let i = WIDTH * 2; i < WIDTH * (HEIGHT - 2); i++) {
      for (let c = 0; c < 3; c++) sum += (now[i * 8 + c] - truth[i * 8 + c]) ** 2;
    }
    return Math.sqrt(sum / (WIDTH * (HEIGHT - 4) * 3));
  };
  const before = await error();
  const strip = [pictures[0], await picture(problem, 0)];
  for (let step = 1; step <= STEPS; step++) {
    const first = (step % 2) * 4;
    gpu.run((batch) => {
      recordGradients(batch, problem, [first, first + 1, first + 2, first + 3], targets, { kind: 'mse' });
      recordMaterialStep(batch, material, problem.gradients, {
        baseColor: 0.05 * 0.05 ** (step / STEPS),
        occlusion: 0,
        roughness: 0,
        metallic: 0,
        normal: 0,
      });
    });
    if (step === 6 || step === 24 || step === STEPS) strip.push(await picture(problem, 0));
  }
  return { before, after: await error(), unit: 'root mean square of linear colour', strip };
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await runSample('texture', recoverTexture);
