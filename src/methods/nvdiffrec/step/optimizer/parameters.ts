import { type Bounds, boundsOf, centerOf, diagonalOf } from '../../../../core/bounds.js';
import type { Camera } from '../../../../core/camera.js';
import type { Vec3 } from '../../../../core/math.js';
import type { Gpu } from '../../../../gpu/runtime/gpu.js';
import { createDiffMesh, destroyDiffMesh } from '../../../../render/diff/geometry/mesh.js';
import { createDiffLight, destroyDiffLight } from '../../../../render/diff/light/light.js';
import {
  createEmptyMaterial,
  destroyDiffMaterial,
  recordMaterialMips,
} from '../../../../render/diff/shade/material.js';
import {
  createMovingCameras,
  destroyMovingCameras,
  type MovingCameras,
} from '../../../../render/diff/step/cameraStep.js';
import type { DiffLight, DiffMaterial, DiffMesh } from '../../../../render/diff/types.js';
import type { NvdiffrecOptions } from '../../options.js';
import { createLightCopy } from '../../priors/lightPrior.js';
import type { Start } from '../../start/start.js';
import { createBalance } from '../balance.js';
import { type Clusters, createClusters } from '../clusters.js';
import { createLaplacian, destroyLaplacian, type Laplacian } from '../laplacian.js';

/**
 * What is optimised, with the optimiser's memory of it, on the device. It does not depend on the size of the pictures.
 */
export interface Parameters {
  gpu: Gpu;
  options: NvdiffrecOptions;
  mesh: DiffMesh;
  material: DiffMaterial;
  light: DiffLight;
  /** Cameras, where they are refined. */
  moving?: MovingCameras;
  /** Of the mesh at the start. */
  bounds: Bounds;
  laplacian: Laplacian;
  clusters: Clusters;
  positionMoments: GPUBuffer;
  lightMoments: GPUBuffer;
  balance: GPUBuffer;
  /** For the light's prior, which reads the light as it was before. */
  lightCopy: GPUBuffer;
}

/**
 * @param start its mesh has texture coordinates and tangents; texels are f32 [textureSize² × 8]
 * @param cameras of all views, to be refined where the options say so
 */
export async function createParameters(
  gpu: Gpu,
  start: Omit<Start, 'facts'>,
  options: NvdiffrecOptions,
  cameras: readonly Camera[],
): Promise<Parameters> {
  const mesh = createDiffMesh(gpu, start.mesh);
  const positions = await gpu.readFloat32(mesh.positions, mesh.positionCount * 3);
  const shared = start.mesh.indices.map((v) => mesh.vertexToPosition[v]);
  const material = createEmptyMaterial(gpu, options.textureSize, options.textureSize);
  gpu.write(material.texels, start.texels);
  gpu.run((batch) => recordMaterialMips(batch, material));
  const bounds = boundsOf(start.mesh.positions, start.mesh.indices);
  const { center, radius } = ballAround(bounds);
  const light = await createDiffLight(gpu, start.light, options.lightSize);
  return {
    gpu,
    options,
    mesh,
    material,
    light,
    moving: options.refineCameras ? createMovingCameras(gpu, cameras, center, radius) : undefined,
    bounds,
    laplacian: createLaplacian(gpu, shared, positions),
    clusters: createClusters(gpu, start.palette),
    positionMoments: gpu.createBuffer(mesh.positionCount * 24, 'position moments'),
    lightMoments: gpu.createBuffer(6 * light.size ** 2 * 24, 'light moments'),
    balance: createBalance(gpu),
    lightCopy: createLightCopy(gpu, light),
  };
}

/** Frees their buffers. */
export function destroyParameters(parameters: Parameters): void {
  const { mesh, material, light, moving, laplacian, clusters } = parameters;
  destroyDiffMesh(mesh);
  destroyDiffMaterial(material);
  destroyDiffLight(light);
  destroyLaplacian(laplacian);
  if (moving) destroyMovingCameras(moving);
  parameters.positionMoments.destroy();
  parameters.lightMoments.destroy();
  parameters.balance.destroy();
  parameters.lightCopy.destroy();
  clusters.buffer.destroy();
}

/** A ball that the surface stays in, for the cameras' depth ranges. */
export const ballAround = (bounds: Bounds): { center: Vec3; radius: number } => ({
  center: centerOf(bounds),
  radius: 0.6 * diagonalOf(bounds),
});
