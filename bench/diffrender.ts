/**
 * Cost of one optimisation iteration of the differentiable renderer, by operation. CPU seconds are those of the whole
 * process, so on a software adapter they are the work itself; on a GPU look at the wall time.
 *
 *     npx tsx bench/diffrender.ts [size=512] [triangles=20000] [texture=1024] [repeats=10]
 */
import type { Camera } from '../src/core/camera.js';
import { lookAt } from '../src/core/math.js';
import type { Mesh } from '../src/core/mesh.js';
import { openGpu } from '../src/gpu/adapter/openGpu.js';
import type { Batch } from '../src/gpu/runtime/batch.js';
import {
  createAdamGroup,
  createDiffCameras,
  createDiffLight,
  createDiffMesh,
  createEmptyMaterial,
  createFrame,
  createGradients,
  createTargets,
  recordAdam,
  recordAntialias,
  recordAntialiasBackward,
  recordClearGradients,
  recordGeometryBackward,
  recordLight,
  recordLightBackward,
  recordLoss,
  recordMaterialMips,
  recordMaterialStep,
  recordNormals,
  recordOutlines,
  recordShade,
  recordShadeBackward,
  recordTransform,
  recordVisibility,
} from '../src/render/diff/index.js';
import { NEUTRAL_STUDIO, paintStudio } from '../src/render/forward/studio.js';

const [size, triangles, texture, repeats] = [512, 20000, 1024, 10].map((d, i) => Number(process.argv[2 + i] ?? d));

/** Coordinates of a direction that spread the ball evenly over the texture, as an atlas does. */
function octahedral(x: number, y: number, z: number): [number, number] {
  const sum = Math.abs(x) + Math.abs(y) + Math.abs(z);
  let [u, v] = [x / sum, z / sum];
  if (y < 0) [u, v] = [(1 - Math.abs(v)) * (u < 0 ? -1 : 1), (1 - Math.abs(u)) * (v < 0 ? -1 : 1)];
  return [0.5 + 0.5 * u, 0.5 + 0.5 * v];
}

/** A bumpy ball of about the wanted number of triangles, its coordinates spread over the whole texture. */
function ball(count: number): Mesh {
  const rows = Math.round(Math.sqrt(count / 4));
  const columns = rows * 2;
  const positions: number[] = [];
  const uvs: number[] = [];
  const indices: number[] = [];
  for (let y = 0; y <= rows; y++) {
    for (let x = 0; x <= columns; x++) {
      const [p, a] = [(y / rows) * Math.PI, ((x % columns) / columns) * 2 * Math.PI];
      const r = 1 + 0.05 * Math.sin(5 * a) * Math.sin(4 * p) ** 2;
      positions.push(r * Math.sin(p) * Math.cos(a), r * Math.cos(p), r * Math.sin(p) * Math.sin(a));
      uvs.push(...octahedral(Math.sin(p) * Math.cos(a), Math.cos(p), Math.sin(p) * Math.sin(a)));
      if (x === columns || y === rows) continue;
      const v = y * (columns + 1) + x;
      if (y > 0) indices.push(v, v + 1, v + columns + 1);
      if (y < rows - 1) indices.push(v + 1, v + columns + 2, v + columns + 1);
    }
  }
  const tangents = Float32Array.from({ length: (positions.length / 3) * 4 }, (_, i) => [1, 0, 0, 1][i % 4]);
  return {
    positions: Float32Array.from(positions),
    uvs: Float32Array.from(uvs),
    indices: Uint32Array.from(indices),
    tangents,
  };
}

const gpu = await openGpu();
// The ball's radius on the picture is a quarter of its size: about 19 % of the pixels, 48,000 at 512².
const distance = 4;
const f = size * 0.24 * Math.sqrt(distance * distance - 1);
const camera: Camera = {
  cameraToWorld: lookAt([2.4, 1.6, 2.77], [0, 0, 0]),
  width: size,
  height: size,
  fx: f,
  fy: f,
  cx: size / 2,
  cy: size / 2,
};
const mesh = createDiffMesh(gpu, ball(triangles));
const light = await createDiffLight(gpu, paintStudio(NEUTRAL_STUDIO));
const scene = {
  mesh,
  cameras: createDiffCameras(gpu, [camera], [0, 0, 0], 1.5),
  material: createEmptyMaterial(gpu, texture, texture),
  light,
};
gpu.write(
  scene.material.texels,
  Float32Array.from({ length: texture * texture * 8 }, (_, i) =>
    i % 8 < 6 ? 0.5 + 0.3 * Math.sin(i * 0.37) : 0.1 * Math.sin(i),
  ),
);
const frame = createFrame(gpu, {
  width: size,
  height: size,
  capacity: 1,
  positionCount: mesh.positionCount,
  triangleCount: mesh.triangleCount,
});
frame.views = [0];
const gradients = createGradients(gpu, scene, 1);
const targets = createTargets(gpu, [{ width: size, height: size, data: new Uint8Array(size * size * 4).fill(200) }]);
const positions = createAdamGroup(gpu, mesh.positions, gradients.positions, mesh.positionCount * 3);
const lightGroup = createAdamGroup(gpu, light.parameters, gradients.light!, 6 * light.size ** 2 * 3);
const rates = { baseColor: 1e-3, occlusion: 1e-3, roughness: 1e-3, metallic: 1e-3, normal: 1e-3 };

const steps: [string, (batch: Batch) => void][] = [
  ['normals', (b) => recordNormals(b, mesh)],
  ['light', (b) => recordLight(b, light)],
  ['transform', (b) => recordTransform(b, scene, frame)],
  ['visibility (hardware)', (b) => recordVisibility(b, mesh, frame)],
  ['outlines', (b) => recordOutlines(b, mesh, frame)],
  ['shade', (b) => recordShade(b, scene, frame)],
  ['antialias', (b) => recordAntialias(b, mesh, frame)],
  ['loss', (b) => recordLoss(b, frame, targets)],
  ['antialias backward', (b) => recordAntialiasBackward(b, mesh, frame, gradients)],
  ['shade backward', (b) => recordShadeBackward(b, scene, frame, gradients)],
  ['geometry backward', (b) => recordGeometryBackward(b, scene, frame, gradients)],
  ['light backward', (b) => recordLightBackward(b, light, gradients)],
  ['material step and mips', (b) => recordMaterialStep(b, scene.material, gradients, rates)],
  ['adam: positions', (b) => recordAdam(b, positions, { learningRate: 1e-7 })],
  ['adam: light', (b) => recordAdam(b, lightGroup, { learningRate: 1e-5 })],
  ['clear', (b) => recordClearGradients(b, scene, gradients)],
];

gpu.run((batch) => recordMaterialMips(batch, scene.material));
const iteration = () =>
  gpu.run((batch) => {
    for (const [, record] of steps) record(batch);
  });
iteration();
await gpu.sync();
const ids = await gpu.readUint32(frame.ids, size * size);
const covered = ids.reduce((n, id) => n + (id > 0 ? 1 : 0), 0);
console.log(
  `${gpu.adapter.device}: ${size}² pixels, ${covered} covered, ${mesh.triangleCount} triangles, ${texture}² ` +
    `texels, one view\n`,
);

/** What a run of `nvdiffrec` records in place of the operations of the same names: see `ShadeOptions`. */
const cheaper: typeof steps = [
  ['shade, nearest mip', (b) => recordShade(b, scene, frame, { mips: 'nearest' })],
  [
    'shade backward, nearest mip, light from a fifth of the pixels',
    (b) => recordShadeBackward(b, scene, frame, gradients, { mips: 'nearest', lightStride: 5 }),
  ],
];

const totals = new Map<string, { wall: number; cpu: number }>();
async function timed(name: string, work: () => void): Promise<void> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  work();
  await gpu.sync();
  const used = process.cpuUsage(cpu);
  const total = totals.get(name) ?? { wall: 0, cpu: 0 };
  total.wall += performance.now() - start;
  total.cpu += (used.user + used.system) / 1000;
  totals.set(name, total);
}
for (let i = 0; i < repeats; i++) {
  for (const [name, record] of [...steps, ...cheaper]) await timed(name, () => gpu.run(record));
  await timed('whole iteration in one submission', iteration);
}
const recordStart = performance.now();
for (let i = 0; i < repeats; i++) iteration();
const recording = (performance.now() - recordStart) / repeats;
await gpu.sync();

console.log('| operation | CPU ms | wall ms |\n|---|---|---|');
for (const [name, { wall, cpu }] of totals) {
  console.log(`| ${name} | ${(cpu / repeats).toFixed(1)} | ${(wall / repeats).toFixed(1)} |`);
}
console.log(`\nrecording and submitting one iteration: ${recording.toFixed(2)} ms`);
gpu.dispose();
