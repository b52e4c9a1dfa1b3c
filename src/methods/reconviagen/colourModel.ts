import type { Camera } from '../../core/camera.js';
import type { ColorImage } from '../../core/image.js';
import type { Mesh } from '../../core/mesh.js';
import { projectTexture } from '../../render/projection/projectTexture.js';
import type { TextureView } from '../../render/projection/views/viewSet.js';
import type { MethodContext } from '../method.js';
import { bakeColours, type ColouredPoints } from './bakeColours.js';
import type { ReconviagenOptions } from './options.js';
import type { SeenPhoto } from './photos.js';
import type { Placed } from './placeModel.js';
import type { Work } from './stages.js';

/** Share of the photos that must agree with the model before `auto` takes their colours. */
const LEAST_AGREEING = 0.5;
/** Share of the stage after which generated colours are there. */
const BAKED = 0.5;

/**
 * The texture: generated colours, and those of the photos over them where they were asked for and agree with the model.
 * Reports `texture`.
 * @param points the generated surface with its colours, in the frame of the mesh
 * @param spacing about the distance between neighbouring points
 */
export async function colourModel(
  mesh: Mesh,
  points: ColouredPoints,
  spacing: number,
  photos: readonly SeenPhoto[],
  { cameras, unplaced }: Placed,
  { texture, textureSize }: ReconviagenOptions,
  { gpu, signal, warn }: MethodContext,
  work: Work,
): Promise<{ baseColor: ColorImage; facts: Record<string, unknown> }> {
  const agreeing = photos.filter(({ view }) => !unplaced.includes(view.name));
  const enough = texture === 'photos' || agreeing.length >= LEAST_AGREEING * photos.length;
  const takes = texture !== 'generated' && agreeing.length > 0 && enough;
  if (texture === 'photos' && agreeing.length === 0) {
    warn({
      code: 'METHOD_PHOTOS_UNUSED',
      message: 'No photo agrees with the model, so none gave its colours to the texture: they are generated ones.',
      remedy: 'Look at the photos beside their renders in the report.',
    });
  }
  const baked = await bakeColours(mesh, points, spacing, textureSize, signal, (fraction) =>
    work.report('texture', (takes ? BAKED : 1) * fraction),
  );
  if (!takes) return { baseColor: baked, facts: { texture: { from: 'generated' } } };
  const views = agreeing.map(({ view }): TextureView => {
    const camera: Camera = cameras?.[view.name] ?? view.camera;
    return { name: view.name, camera, load: async () => await view.loadColor({ maxSize: textureSize }) };
  });
  const { baseColor, facts } = await projectTexture(
    gpu,
    mesh,
    views,
    { size: textureSize, unseen: baked },
    { signal, progress: (fraction, detail) => work.report('texture', BAKED + (1 - BAKED) * fraction, { detail }) },
  );
  return { baseColor, facts: { texture: { from: 'photos', ...facts, generatedShare: 1 - facts.seenShare } } };
}
