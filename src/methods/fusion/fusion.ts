import type { Capture } from '../../capture/capture.js';
import type { Asset, Material } from '../../core/asset.js';
import type { Mesh } from '../../core/mesh.js';
import { pause } from '../../core/pause.js';
import { computeNormals } from '../../geometry/mesh/normals.js';
import { unwrapMesh } from '../../geometry/mesh/unwrap/unwrap.js';
import { projectTexture } from '../../render/projection/projectTexture.js';
import { halved, type Method, type MethodContext } from '../method.js';
import { acceptShape, firstSurface } from '../shared/firstSurface.js';
import { writeMeshPreview } from '../shared/meshPreview.js';
import { STAGE_TITLES } from '../shared/stages.js';
import { stereoSeconds } from '../shared/stereo.js';
import { textureViews } from '../shared/textureViews.js';
import { type FusionOptions, fusionOptions } from './options.js';

// Seconds of a run of `standard` on two cores.
const WEIGHTS = { stereo: 240, load: 8, fuse: 20, clean: 8, unwrap: 24, texture: 40 } as const;

const STAGES = (Object.keys(WEIGHTS) as (keyof typeof WEIGHTS)[]).map((name) => ({
  name,
  title: STAGE_TITLES[name],
  weight: WEIGHTS[name],
}));

/** Method `fusion`: signed-distance fusion of depth and silhouettes, and a texture blended from all views. */
export const fusion: Method<typeof fusionOptions> = {
  name: 'fusion',
  title: 'Fusion of depth and silhouettes',
  description:
    'Fuses depth maps and silhouettes into one closed surface and blends all pictures into its texture. ' +
    'Needs cameras and masks or depth. Fast: seconds on a GPU, a minute on a CPU. The light of the pictures ' +
    'is baked into the texture.',
  requirements: ['cameras', 'masks, depth maps or a plain background', 'at least 2 views'],
  options: fusionOptions,
  presets: {
    draft: { stereoDetail: 'draft', maxResolution: 160, triangles: 10_000, textureSize: 1024 },
    standard: {},
    high: { stereoDetail: 'high', maxResolution: 512, triangles: 100_000, textureSize: 4096 },
  },
  stages: STAGES,

  expectedSeconds(options, capture) {
    return { ...WEIGHTS, stereo: stereoSeconds(capture, options) };
  },

  reduced(options) {
    return {
      ...options,
      resolution: options.resolution && halved(options.resolution, 32),
      maxResolution: halved(options.maxResolution, 32),
      textureSize: halved(options.textureSize, 256),
    };
  },

  accepts: acceptShape,

  async run(capture, options, context) {
    const surface = await firstSurface(capture, options, context);
    return await texturedAsset(capture, surface.mesh, options, context, surface.facts);
  },
};

/** Unwraps the mesh and blends its texture from the training views. */
async function texturedAsset(
  capture: Capture,
  surface: Mesh,
  options: FusionOptions,
  context: MethodContext,
  facts: Record<string, unknown>,
): Promise<Asset> {
  const { gpu, signal, runInThread } = context;
  const report = (stage: 'unwrap' | 'texture', fraction: number, detail?: string, preview?: string) =>
    context.progress({ stage, title: STAGE_TITLES[stage], fraction, detail, preview });
  const unwrapped = await unwrapMesh(
    surface,
    { textureSize: options.textureSize },
    { runInThread, signal, progress: (f) => report('unwrap', f) },
  );
  const mesh: Mesh = { ...unwrapped.mesh, normals: computeNormals(unwrapped.mesh) };
  await pause(signal);
  const texture = await projectTexture(
    gpu,
    mesh,
    textureViews(capture, options.textureSize),
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
