import { writeFileSync } from 'node:fs';
import { type Batch, type Camera, type ColorImage, type Gpu, type Mesh, openGpu, type Vec3 } from 'plinth';
import {
  createDiffCameras,
  createDiffMesh,
  createEmptyMaterial,
  createFrame,
  createGradients,
  type DiffLight,
  type DiffScene,
  type Frame,
  type Gradients,
  type LossOptions,
  linearToSrgb,
  lookAt,
  recordAntialias,
  recordAntialiasBackward,
  recordClearGradients,
  recordGeometry,
  recordGeometryBackward,
  recordLight,
  recordLoss,
  recordMaterialMips,
  recordNormals,
  recordShade,
  recordShadeBackward,
  type TargetImages,
} from 'plinth/diff';
import sharp from 'sharp';

/**
 * What a sample hands back: how far the result is from the truth, in the unit that the sample names, before and after.
 */
export interface Recovered {
  before: number;
  after: number;
  unit: string;
  /** Target, start, steps in between, result. */
  strip: ColorImage[];
}

/** A scene with the buffers to render and optimise it. */
export interface Problem {
  gpu: Gpu;
  scene: DiffScene;
  frame: Frame;
  gradients: Gradients;
}

/** A square camera at `eye` that looks at the origin. */
export function cameraAt(eye: Vec3, size: number, focal = 1.5): Camera {
  const f = size * focal;
  return { cameraToWorld: lookAt(eye, [0, 0, 0]), width: size, height: size, fx: f, fy: f, cx: size / 2, cy: size / 2 };
}

/** @param texels level 0 of the material, [width × height × 8] */
export function createProblem(
  gpu: Gpu,
  mesh: Mesh,
  cameras: Camera[],
  texture: { width: number; height: number; texels: Float32Array },
  options: { capacity?: number; light?: DiffLight } = {},
): Problem {
  const { width, height } = cameras[0];
  const scene: DiffScene = {
    mesh: createDiffMesh(gpu, mesh),
    cameras: createDiffCameras(gpu, cameras, [0, 0, 0], 2),
    material: createEmptyMaterial(gpu, texture.width, texture.height),
    light: options.light,
  };
  gpu.write(scene.material.texels, texture.texels);
  gpu.run((batch) => recordMaterialMips(batch, scene.material));
  const { positionCount, triangleCount } = scene.mesh;
  const capacity = options.capacity ?? 1;
  const frame = createFrame(gpu, { width, height, capacity, positionCount, triangleCount });
  return { gpu, scene, frame, gradients: createGradients(gpu, scene, capacity) };
}

/** Records the picture of the frame's views. */
export function recordPicture(batch: Batch, { scene, frame }: Problem): void {
  recordNormals(batch, scene.mesh);
  if (scene.light) recordLight(batch, scene.light);
  recordGeometry(batch, scene, frame);
  recordShade(batch, scene, frame);
  recordAntialias(batch, scene.mesh, frame);
}

/** Records picture, loss and all gradients of the given views; record steps on parameters after it, then submit. */
export function recordGradients(
  batch: Batch,
  problem: Problem,
  views: readonly number[],
  targets: TargetImages,
  loss: LossOptions,
): void {
  const { scene, frame, gradients } = problem;
  frame.views = views;
  recordClearGradients(batch, scene, gradients, true);
  recordPicture(batch, problem);
  recordLoss(batch, frame, targets, loss);
  recordAntialiasBackward(batch, scene.mesh, frame, gradients);
  recordShadeBackward(batch, scene, frame, gradients);
  recordGeometryBackward(batch, scene, frame, gradients);
}

/** Renders one view and reads it back: sRGB, straight alpha. */
export async function picture(problem: Problem, view: number): Promise<ColorImage> {
  const { gpu, frame } = problem;
  frame.views = [view];
  gpu.run((batch) => recordPicture(batch, problem));
  const { width, height } = frame;
  const linear = await gpu.readFloat32(frame.antialiased, width * height * 4);
  const data = new Uint8ClampedArray(width * height * 4);
  for (let i = 0; i < width * height; i++) {
    const alpha = linear[i * 4 + 3];
    for (let c = 0; c < 3; c++) {
      const value = alpha > 0 ? linear[i * 4 + c] / alpha : 0;
      data[i * 4 + c] = 255 * linearToSrgb(Math.min(1, Math.max(0, value)));
    }
    data[i * 4 + 3] = 255 * alpha;
  }
  return { width, height, data };
}

/** Runs a sample by itself: prints its errors and writes the pictures side by side. */
export async function runSample(name: string, sample: (gpu: Gpu) => Promise<Recovered>): Promise<void> {
  const gpu = await openGpu();
  const { before, after, unit, strip } = await sample(gpu);
  gpu.dispose();
  const file = process.argv[2] ?? `${name}.png`;
  const size = 192;
  const tiles = await Promise.all(
    strip.map(({ width, height, data }) =>
      sharp(data, { raw: { width, height, channels: 4 } })
        .resize(size, size, { kernel: 'nearest' })
        .flatten({ background: '#ffffff' })
        .png()
        .toBuffer(),
    ),
  );
  writeFileSync(
    file,
    await sharp({ create: { width: size * tiles.length, height: size, channels: 3, background: '#ffffff' } })
      .composite(tiles.map((input, i) => ({ input, left: i * size, top: 0 })))
      .png()
      .toBuffer(),
  );
  console.log(`${name}: ${before.toFixed(4)} before, ${after.toFixed(4)} after (${unit}); pictures in ${file}`);
}

/** Texels of one colour: rough, not metallic, flat. */
export function plainTexels(width: number, height: number, color: readonly number[]): Float32Array {
  return Float32Array.from({ length: width * height * 8 }, (_, i) => [...color, 1, 0.6, 0, 0, 0][i % 8]);
}
