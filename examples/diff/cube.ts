/**
 * Recovers the colours of a cube's faces and its corners from small pictures. Run: npx tsx examples/diff/cube.ts
 * [file.png]
 */
import { pathToFileURL } from 'node:url';
import type { Gpu, Mesh, Vec3 } from 'plinth';
import { createAdamGroup, createTargets, Random, recordAdam, recordMaterialStep } from 'plinth/diff';
import {
  cameraAt,
  createProblem,
  picture,
  plainTexels,
  type Recovered,
  recordGradients,
  runSample,
} from './problem.js';

const SIZE = 32;
const VIEWS = 12;
const STEPS = 300;

/** A cube of side 1, each face with a texel of its own in a texture of 8 × 1. */
export function cube(): Mesh {
  const positions: number[] = [];
  const uvs: number[] = [];
  const indices: number[] = [];
  for (let face = 0; face < 6; face++) {
    const axis = face >> 1;
    const side = face & 1 ? -0.5 : 0.5;
    for (const [a, b] of [
      [-0.5, -0.5],
      [0.5, -0.5],
      [0.5, 0.5],
      [-0.5, 0.5],
    ]) {
      const p = [0, 0, 0];
      p[axis] = side;
      p[(axis + 1) % 3] = side > 0 ? a : -a;
      p[(axis + 2) % 3] = b;
      positions.push(...p);
      uvs.push((face + 0.5) / 8, 0.5);
    }
    const v = face * 4;
    indices.push(v, v + 1, v + 2, v, v + 2, v + 3);
  }
  return { positions: Float32Array.from(positions), uvs: Float32Array.from(uvs), indices: Uint32Array.from(indices) };
}

/** Error: root mean square over face colours (0…1) and corner coordinates (the cube's side is 1). */
export async function recoverCube(gpu: Gpu): Promise<Recovered> {
  const random = new Random(4);
  const cameras = Array.from({ length: VIEWS }, (_, i) => {
    const [y, angle] = [1 - (2 * (i + 0.5)) / VIEWS, i * 2.4];
    const r = Math.sqrt(1 - y * y) * 2.6;
    return cameraAt([r * Math.cos(angle), 2.6 * y, r * Math.sin(angle)] as Vec3, SIZE);
  });
  const truth = plainTexels(8, 1, [0, 0, 0]).map((v, i) => (i % 8 < 3 ? 0.1 + 0.8 * random.float() : v));
  const mesh = cube();
  const actual = createProblem(gpu, mesh, cameras, { width: 8, height: 1, texels: truth });
  const corners = await gpu.readFloat32(actual.scene.mesh.positions, 24);
  const pictures = [];
  for (let view = 0; view < VIEWS; view++) pictures.push(await picture(actual, view));
  const targets = createTargets(gpu, pictures);
  const texels = plainTexels(8, 1, [0.5, 0.5, 0.5]);
  const problem = createProblem(gpu, mesh, cameras, { width: 8, height: 1, texels }, { capacity: 4 });
  const { material } = problem.scene;
  const { positions } = problem.scene.mesh;
  gpu.write(
    positions,
    corners.map((x) => x + 0.25 * (random.float() - 0.5)),
  );
  const group = createAdamGroup(gpu, positions, problem.gradients.positions, 24);
  const error = async () => {
    const colors = await gpu.readFloat32(material.texels, 48);
    const points = await gpu.readFloat32(positions, 24);
    let sum = 0;
    for (let i = 0; i < 48; i++) if (i % 8 < 3) sum += (colors[i] - truth[i]) ** 2;
    for (let i = 0; i < 24; i++) sum += (points[i] - corners[i]) ** 2;
    return Math.sqrt(sum / (18 + 24));
  };
  const before = await error();
  const strip = [pictures[4], await picture(problem, 4)];
  for (let step = 1; step <= STEPS; step++) {
    const decay = 0.02 ** (step / STEPS);
    const views = [0, 1, 2, 3].map(() => random.integer(VIEWS));
    gpu.run((batch) => {
      recordGradients(batch, problem, views, targets, { kind: 'mse' });
      recordMaterialStep(batch, material, problem.gradients, {
        baseColor: 0.05 * decay,
        occlusion: 0,
        roughness: 0,
        metallic: 0,
        normal: 0,
      });
      recordAdam(batch, group, { learningRate: 0.02 * decay, step });
    });
    if (step === 20 || step === 80 || step === STEPS) strip.push(await picture(problem, 4));
  }
  return { before, after: await error(), unit: 'root mean square', strip };
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await runSample('cube', recoverCube);
