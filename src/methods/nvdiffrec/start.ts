import type { Capture } from '../../capture/capture.js';
import { throwIfCancelled } from '../../core/errors.js';
import type { HdrImage } from '../../core/image.js';
import type { Mesh } from '../../core/mesh.js';
import { computeNormals } from '../../geometry/mesh/normals.js';
import { computeTangents } from '../../geometry/mesh/tangents.js';
import { unwrapMesh } from '../../geometry/mesh/unwrap.js';
import { uploadGeometry } from '../../render/forward/geometryPass.js';
import { vertexOpenness } from '../../render/forward/openness.js';
import { projectTexture } from '../../render/projection/projectTexture.js';
import { fusedMesh } from '../fusion/fusion.js';
import { fusionOptions } from '../fusion/options.js';
import { trainingViews } from '../fusion/surfaceViews.js';
import type { MethodContext } from '../method.js';
import { fitLight } from './lightFit.js';
import type { NvdiffrecOptions } from './options.js';
import { spreadTexels, TEXEL_FLOATS } from './spreadTexels.js';
import { atTexel, mapTexels, type TexelMap } from './texelMap.js';
import { topologyStart } from './topologyStart.js';

/** Material that nothing is known about yet. */
const ROUGHNESS = 0.5;
const METALLIC = 0;

/** What the optimisation begins with. */
export interface Start {
  /** With normals, texture coordinates and tangents. */
  mesh: Mesh;
  /** f32 [size × size × 8] in the order of `DiffMaterial`. */
  texels: Float32Array;
  light: HdrImage | readonly [number, number, number];
  facts: Record<string, unknown>;
}

/**
 * The first guess: the surface that `fusion` makes, unwrapped; base colour from the blended pictures divided by the shading of a light that
 * is fitted to them; occlusion from the surface itself; half rough, not metallic, without relief.
 */
export async function prepareStart(
  capture: Capture,
  options: NvdiffrecOptions,
  context: MethodContext,
  report: (
    stage: 'topology' | 'unwrap' | 'texture' | 'light',
    fraction: number,
    detail?: string,
    more?: object,
  ) => void,
): Promise<Start> {
  const { gpu, signal } = context;
  const size = options.textureSize;
  const surface = await fusedMesh(
    capture,
    fusionOptions.parse({
      triangles: options.triangles,
      maxResolution: options.resolution,
      textureSize: Math.max(256, size),
    }),
    context,
  );
  const topology = await topologyStart(capture, surface.mesh, options, context, report);
  const unwrapped = await unwrapMesh(
    topology.mesh,
    { textureSize: size },
    { signal, progress: (f) => report('unwrap', f) },
  );
  const mesh = await computeTangents({ ...unwrapped.mesh, normals: computeNormals(unwrapped.mesh) });
  await turn(signal);
  const texture = await projectTexture(
    gpu,
    mesh,
    trainingViews(capture).map((view) => ({
      name: view.name,
      camera: view.camera,
      load: async () => await view.loadColor({ maxSize: size }),
    })),
    { size },
    { signal, progress: (f, detail) => report('texture', f, detail) },
  );
  report('light', 0);
  const occlusion = await openness(context, mesh);
  const map = await mapTexels(mesh, size, size, signal);
  const fit = await fitLight(map, mesh, texture.baseColor, occlusion, signal);
  const texels = await packStart(map, mesh, fit.baseColor, occlusion, signal);
  report('light', 1);
  return {
    mesh,
    texels,
    light: fit.light,
    facts: {
      ...surface.facts,
      ...(topology.facts && { topology: topology.facts }),
      unwrap: { charts: unwrapped.charts, utilisation: unwrapped.utilisation },
      texture: { unseenShare: 1 - texture.facts.seenShare },
    },
  };
}

/** Open share of the hemisphere per vertex, 0…1. */
async function openness({ gpu }: MethodContext, mesh: Mesh): Promise<Float32Array> {
  const count = mesh.positions.length / 3;
  const interleaved = new Float32Array(count * 12);
  for (let i = 0; i < count; i++) {
    interleaved.set(mesh.positions.subarray(i * 3, i * 3 + 3), i * 12);
    interleaved.set(mesh.normals!.subarray(i * 3, i * 3 + 3), i * 12 + 3);
  }
  const geometry = uploadGeometry(gpu, mesh);
  const vertices = gpu.upload(interleaved, 'vertices');
  try {
    return await vertexOpenness(gpu, geometry, vertices, count);
  } finally {
    for (const buffer of [geometry.positions, geometry.indices, vertices]) buffer.destroy();
  }
}

/** Texels of the first material; outside of charts those of the nearest one inside. */
async function packStart(
  map: TexelMap,
  mesh: Mesh,
  baseColor: Float32Array,
  occlusion: Float32Array,
  signal: AbortSignal,
): Promise<Float32Array> {
  const texels = new Float32Array(map.width * map.height * TEXEL_FLOATS);
  const filled = Uint8Array.from(map.triangle, (t) => (t === 0 ? 0 : 1));
  const open = new Float64Array(1);
  for (let i = 0; i < filled.length; i++) {
    if (!filled[i]) continue;
    atTexel(map, mesh, occlusion, 1, i, open);
    texels.set(baseColor.subarray(i * 3, i * 3 + 3), i * TEXEL_FLOATS);
    texels.set([open[0], ROUGHNESS, METALLIC], i * TEXEL_FLOATS + 3);
  }
  await turn(signal);
  await spreadTexels(texels, filled, map.width, map.height, signal);
  return texels;
}

/** Gives the event loop a turn, so that a pending abort arrives, and throws if there was one. */
async function turn(signal: AbortSignal): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  throwIfCancelled(signal);
}
