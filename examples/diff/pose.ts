/** Recovers where a camera stood from its picture of a known cube. Run: npx tsx examples/diff/pose.ts [file.png] */
import { pathToFileURL } from 'node:url';
import type { Camera, Gpu, Mat4, Vec3 } from 'plinth';
import { createTargets, multiply, packCameras, recordCameraBackward } from 'plinth/diff';
import { cube } from './cube.js';
import {
  cameraAt,
  createProblem,
  picture,
  plainTexels,
  type Recovered,
  recordGradients,
  runSample,
} from './problem.js';

const SIZE = 64;
const STEPS = 200;

/**
 * The world moved by a small turn about x, y, z (radians) and a shift, first order in the turn made exact by
 * composition.
 */
function motion(m: readonly number[]): Mat4 {
  const [x, y, z] = m;
  const [cx, sx, cy, sy, cz, sz] = [x, y, z].flatMap((a) => [Math.cos(a), Math.sin(a)]);
  const turnX = [1, 0, 0, 0, 0, cx, sx, 0, 0, -sx, cx, 0, 0, 0, 0, 1];
  const turnY = [cy, 0, -sy, 0, 0, 1, 0, 0, sy, 0, cy, 0, 0, 0, 0, 1];
  const turnZ = [cz, sz, 0, 0, -sz, cz, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
  const shift = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, m[3], m[4], m[5], 1];
  return multiply(shift, multiply(turnZ, multiply(turnY, turnX)));
}

/** Error: root mean square of turn (radians) and shift (the cube's side is 1) that are left. */
export async function recoverPose(gpu: Gpu): Promise<Recovered> {
  const camera = cameraAt([1.6, 1.2, 1.8] as Vec3, SIZE);
  const colors = plainTexels(8, 1, [0, 0, 0]).map((v, i) => (i % 8 < 3 ? ((i * 37) % 17) / 20 + 0.1 : v));
  const texture = { width: 8, height: 1, texels: colors };
  const target = await picture(createProblem(gpu, cube(), [camera], texture), 0);
  const targets = createTargets(gpu, [target]);
  const problem = createProblem(gpu, cube(), [camera], texture);
  const { cameras } = problem.scene;
  const pose = [0.16, -0.2, 0.12, 0.12, -0.08, 0.1];
  const left = () => Math.sqrt(pose.reduce((sum, v) => sum + v * v, 0) / 6);
  const clip = (m: readonly number[]): Mat4 => multiply(base(camera), motion(m));
  const place = () => gpu.write(cameras.buffer, Float32Array.from(clip(pose)));
  place();
  const before = left();
  const strip = [target, await picture(problem, 0)];
  const moments = pose.map(() => [0, 0]);
  for (let step = 1; step <= STEPS; step++) {
    gpu.run((batch) => {
      recordGradients(batch, problem, [0], targets, { kind: 'mse' });
      recordCameraBackward(batch, problem.scene, problem.frame, problem.gradients);
    });
    const gradient = await gpu.readFloat32(problem.gradients.cameras, 16);
    // From the matrix to the six numbers by differences of the matrix itself, which is cheap and exact enough in
    // float64.
    const slopes = pose.map((_, k) => {
      const moved = (by: number) => clip(pose.map((v, i) => (i === k ? v + by : v)));
      const [high, low] = [moved(1e-6), moved(-1e-6)];
      return gradient.reduce((sum, g, i) => sum + (g * (high[i] - low[i])) / 2e-6, 0);
    });
    const rate = 0.02 * 0.02 ** (step / STEPS);
    slopes.forEach((g, k) => {
      moments[k] = [0.9 * moments[k][0] + 0.1 * g, 0.99 * moments[k][1] + 0.01 * g * g];
      pose[k] -= (rate * moments[k][0]) / (Math.sqrt(moments[k][1]) + 1e-8);
    });
    place();
    if (step === 15 || step === 50 || step === STEPS) strip.push(await picture(problem, 0));
  }
  return { before, after: left(), unit: 'radians and sides', strip };
}

/** World-to-clip as `createProblem` packs it. */
function base(camera: Camera): Mat4 {
  return [...packCameras([camera], [0, 0, 0], 2).subarray(0, 16)];
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await runSample('pose', recoverPose);
