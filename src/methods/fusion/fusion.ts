import type { Capture } from '../../capture/capture.js';
import type { Asset, Material } from '../../core/asset.js';
import { PlinthError, throwIfCancelled } from '../../core/errors.js';
import { type Mesh, triangleCount } from '../../core/mesh.js';
import { pause } from '../../core/pause.js';
import { anyOf, option, step } from '../../core/remedy.js';
import { computeNormals } from '../../geometry/mesh/normals.js';
import { cleanMesh, SIMPLIFYING_BEGINS } from '../../geometry/mesh/repair/cleanMesh.js';
import { unwrapMesh } from '../../geometry/mesh/unwrap/unwrap.js';
import { fuseSurface } from '../../geometry/volume/fuseSurface.js';
import { projectTexture } from '../../render/projection/projectTexture.js';
import { halved, type Method, type MethodContext } from '../method.js';
import { writeMeshPreview } from '../shared/meshPreview.js';
import { type FusionOptions, fusionOptions } from './options.js';
import { loadSurfaceViews, trainingViews } from './surfaceViews.js';

const STAGES = [
  { name: 'load', title: 'Loading masks and depth', weight: 8 },
  { name: 'fuse', title: 'Fusing the surface', weight: 20 },
  { name: 'clean', title: 'Cleaning and simplifying', weight: 8 },
  { name: 'unwrap', title: 'Unwrapping', weight: 24 },
  { name: 'texture', title: 'Blending the texture', weight: 40 },
] as const;

/** Method `fusion`: signed-distance fusion of depth and silhouettes, and a texture blended from all views. */
export const fusion: Method<typeof fusionOptions> = {
  name: 'fusion',
  title: 'Fusion of depth and silhouettes',
  description:
    'Fuses depth maps and silhouettes into one closed surface and blends all pictures into its texture. ' +
    'Needs cameras and masks or depth. Fast: seconds on a GPU, a minute on a CPU. The light of the pictures is baked into the texture.',
  requirements: ['cameras', 'masks, depth maps or a plain background', 'at least 2 views'],
  options: fusionOptions,
  presets: {
    draft: { maxResolution: 160, triangles: 10_000, textureSize: 1024 },
    standard: {},
    high: { maxResolution: 512, triangles: 100_000, textureSize: 4096 },
  },
  stages: STAGES,

  reduced(options) {
    return {
      ...options,
      resolution: options.resolution && halved(options.resolution, 32),
      maxResolution: halved(options.maxResolution, 32),
      textureSize: halved(options.textureSize, 256),
    };
  },

  accepts(capture) {
    if (capture.masks === 'none' && !capture.views.some((v) => v.split === 'train' && v.depth)) {
      throw new PlinthError('METHOD_REQUIREMENTS', {
        found: 'The capture has neither masks nor depth maps',
        expected: 'pictures with alpha, a masks/ folder, depth maps or a plain background',
        remedy: 'Cut the object out of the pictures, or photograph it in front of a plain backdrop',
      });
    }
    if (trainingViews(capture).length < 2) {
      throw new PlinthError('METHOD_REQUIREMENTS', {
        found: `The capture has ${trainingViews(capture).length} view to work with`,
        expected: 'at least 2, better 20 or more from all around',
        remedy: anyOf(step`add views`, step`lower ${option('holdout')}`),
      });
    }
  },

  async run(capture, options, context) {
    const surface = await fusedMesh(capture, options, context);
    return await texturedAsset(capture, surface.mesh, options, context, surface.facts);
  },
};

/** The cleaned and simplified surface, without UVs. */
export async function fusedMesh(
  capture: Capture,
  options: FusionOptions,
  context: MethodContext,
): Promise<{ mesh: Mesh; facts: Record<string, unknown> }> {
  const { gpu, signal } = context;
  const report = reporter(context);
  const maxSize = 2 * (options.resolution ?? options.maxResolution);
  const views = await loadSurfaceViews(
    capture,
    { maxSize: Math.max(1024, maxSize) },
    { signal, progress: (f) => report('load', f) },
  );
  const fused = await fuseSurface(
    gpu,
    views,
    capture.bounds,
    { resolution: options.resolution, maxResolution: options.maxResolution, hollow: options.hollow },
    { signal, progress: (f) => report('fuse', f) },
  );
  throwIfCancelled(signal);
  report('clean', 0, undefined, await writeMeshPreview(fused.mesh, 'fused', context));
  const simplified = await cleanMesh(fused.mesh, options, {
    signal,
    progress: (f) => report('clean', f, f < SIMPLIFYING_BEGINS ? 'smoothing' : 'simplifying'),
  });
  report('clean', 1, undefined, await writeMeshPreview(simplified.mesh, 'simplified', context));
  return {
    mesh: simplified.mesh,
    facts: {
      fusion: fused.facts,
      simplification: { triangles: triangleCount(simplified.mesh), error: simplified.error },
    },
  };
}

/** Unwraps the mesh and blends its texture from the training views. */
async function texturedAsset(
  capture: Capture,
  surface: Mesh,
  options: FusionOptions,
  context: MethodContext,
  facts: Record<string, unknown>,
): Promise<Asset> {
  const { gpu, signal } = context;
  const report = reporter(context);
  const unwrapped = await unwrapMesh(
    surface,
    { textureSize: options.textureSize },
    { signal, progress: (f) => report('unwrap', f) },
  );
  const mesh: Mesh = { ...unwrapped.mesh, normals: computeNormals(unwrapped.mesh) };
  await pause(signal);
  const texture = await projectTexture(
    gpu,
    mesh,
    trainingViews(capture).map((view) => ({
      name: view.name,
      camera: view.camera,
      load: async () => await view.loadColor({ maxSize: options.textureSize }),
    })),
    { size: options.textureSize, evenExposure: options.evenExposure },
    { signal, progress: (f, detail) => report('texture', f, detail) },
  );
  const material: Material = { kind: 'baked', baseColor: texture.baseColor };
  report('texture', 1, undefined, await writeMeshPreview({ mesh, material }, 'textured', context));
  return {
    mesh,
    material,
    facts: {
      ...facts,
      unwrap: { charts: unwrapped.charts, utilisation: unwrapped.utilisation },
      texture: { ...texture.facts, unseenShare: 1 - texture.facts.seenShare },
    },
  };
}

function reporter(
  context: MethodContext,
): (stage: (typeof STAGES)[number]['name'], fraction: number, detail?: string, preview?: string) => void {
  return (stage, fraction, detail, preview) => {
    const title = STAGES.find((s) => s.name === stage)!.title;
    context.progress({ stage, title, fraction, detail, preview });
  };
}
