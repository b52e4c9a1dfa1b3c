import type { Capture } from '../../../capture/capture.js';
import type { ColorImage, HdrImage } from '../../../core/image.js';
import type { Mesh } from '../../../core/mesh.js';
import { pause } from '../../../core/pause.js';
import { computeNormals } from '../../../geometry/mesh/normals.js';
import { computeTangents } from '../../../geometry/mesh/tangents.js';
import { unwrapMesh } from '../../../geometry/mesh/unwrap/unwrap.js';
import { uploadGeometry } from '../../../render/forward/geometryPass.js';
import { openness } from '../../../render/forward/openness.js';
import { projectTexture } from '../../../render/projection/projectTexture.js';
import type { MethodContext } from '../../method.js';
import { firstSurface } from '../../shared/firstSurface.js';
import { atTexel, mapTexels, type TexelMap } from '../../shared/texelMap.js';
import { textureViews } from '../../shared/textureViews.js';
import type { NvdiffrecOptions } from '../options.js';
import { topologyStart } from '../topology/topologyStart.js';
import { openConcavities } from './concavities.js';
import { fitLight } from './lightFit.js';
import { spreadTexels, TEXEL_FLOATS } from './spreadTexels.js';

/** Material that nothing is known about yet. */
const ROUGHNESS = 0.3;
const METALLIC = 0;

/** What the optimisation begins with. */
export interface Start {
  /** With normals, texture coordinates and tangents. */
  mesh: Mesh;
  /** f32 [size × size × 8] in the order of `DiffMaterial`. */
  texels: Float32Array;
  light: HdrImage | readonly [number, number, number];
  /** Colours that the surface is mostly made of: linear, three numbers each. */
  palette: Float64Array;
  facts: Record<string, unknown>;
}

/** The surface with what is known of it before light and material are told apart. */
export interface Skin {
  /** With normals, texture coordinates and tangents. */
  mesh: Mesh;
  /** Where its texels are. */
  map: TexelMap;
  /** Pictures blended over the surface, light included. */
  picture: ColorImage;
  /** Open share of the hemisphere per vertex, 0…1. */
  occlusion: Float32Array;
  facts: Record<string, unknown>;
}

type Report = (
  stage: 'concavities' | 'topology' | 'unwrap' | 'texture' | 'light',
  fraction: number,
  detail?: string,
  more?: object,
) => void;

/**
 * The first guess: the surface that `fusion` makes, unwrapped; base colour from the blended pictures divided by the
 * shading of a light that is fitted to them; occlusion from the surface itself; rather smooth, not metallic, without
 * relief.
 */
export async function prepareStart(
  capture: Capture,
  options: NvdiffrecOptions,
  context: MethodContext,
  report: Report,
): Promise<Start> {
  const surface = await startSurface(capture, options, context, report);
  const skin = await unwrapSurface(capture, surface.mesh, options, context, report);
  const start = await guessMaterial(skin, context, report);
  return { ...start, facts: { ...surface.facts, ...start.facts } };
}

/** The surface without texture coordinates, with facts of how it was found. */
export async function startSurface(
  capture: Capture,
  options: NvdiffrecOptions,
  context: MethodContext,
  report: Report,
): Promise<{ mesh: Mesh; facts: Record<string, unknown> }> {
  const surface = await firstSurface(
    capture,
    {
      triangles: options.triangles,
      maxResolution: options.resolution,
      stereo: options.stereo,
      stereoDetail: options.stereoDetail,
    },
    context,
  );
  report('concavities', 0);
  const opened = await openConcavities(capture, surface.mesh, options, context, (f) => report('concavities', f));
  report('concavities', 1);
  const topology = await topologyStart(capture, opened.mesh, options, context, report);
  return {
    mesh: topology.mesh,
    facts: {
      ...surface.facts,
      ...(opened.facts && { concavities: opened.facts }),
      ...(topology.facts && { topology: topology.facts }),
    },
  };
}

/** Unwraps a surface, blends the pictures over it and measures how open it lies. */
export async function unwrapSurface(
  capture: Capture,
  surface: Mesh,
  options: NvdiffrecOptions,
  context: MethodContext,
  report: Report,
): Promise<Skin> {
  const { gpu, signal, runInThread } = context;
  const size = options.textureSize;
  const unwrapped = await unwrapMesh(
    surface,
    { textureSize: size },
    { runInThread, signal, progress: (f) => report('unwrap', f) },
  );
  const mesh = await computeTangents({ ...unwrapped.mesh, normals: computeNormals(unwrapped.mesh) });
  await pause(signal);
  const texture = await projectTexture(
    gpu,
    mesh,
    textureViews(capture, size),
    { size },
    { signal, progress: (f, detail) => report('texture', f, detail) },
  );
  return {
    mesh,
    map: await mapTexels(mesh, size, size, signal),
    picture: texture.baseColor,
    occlusion: await vertexOpenness(context, mesh),
    facts: {
      unwrap: { charts: unwrapped.charts, utilisation: unwrapped.utilisation },
      texture: { unseenShare: 1 - texture.facts.seenShare },
    },
  };
}

/** Tells light and base colour apart as far as the blended pictures allow, and fills in the rest of the material. */
export async function guessMaterial(
  { mesh, map, picture, occlusion, facts }: Skin,
  { signal }: Pick<MethodContext, 'signal'>,
  report: Report,
): Promise<Start> {
  report('light', 0);
  const fit = await fitLight(map, mesh, picture, occlusion, signal);
  const texels = await packStart(map, mesh, fit.baseColor, occlusion, signal);
  report('light', 1);
  return {
    mesh,
    texels,
    light: fit.light,
    palette: fit.palette,
    facts: { ...facts, colors: fit.palette.length / 3 },
  };
}

/** Open share of the hemisphere per vertex, 0…1. */
async function vertexOpenness({ gpu }: MethodContext, mesh: Mesh): Promise<Float32Array> {
  const geometry = uploadGeometry(gpu, mesh);
  try {
    return await openness(gpu, geometry, { positions: mesh.positions, normals: mesh.normals! });
  } finally {
    for (const buffer of [geometry.positions, geometry.indices]) buffer.destroy();
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
  await pause(signal);
  await spreadTexels(texels, filled, map.width, map.height, signal);
  return texels;
}
