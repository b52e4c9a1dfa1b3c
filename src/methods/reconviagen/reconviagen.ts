import type { Asset } from '../../core/asset.js';
import { PlinthError } from '../../core/errors.js';
import type { Mesh } from '../../core/mesh.js';
import { computeNormals } from '../../geometry/mesh/normals.js';
import { cleanMesh, SIMPLIFYING_BEGINS } from '../../geometry/mesh/repair/cleanMesh.js';
import { unwrapMesh } from '../../geometry/mesh/unwrap/unwrap.js';
import { RECONVIAGEN_WEIGHTS } from '../../weights/reconviagen.js';
import { halved, type Method } from '../method.js';
import { writeMeshPreview } from '../shared/meshPreview.js';
import { colourModel } from './colourModel.js';
import { generate, upright } from './generate.js';
import { openModel } from './model.js';
import { reconviagenOptions } from './options.js';
import { readPhotos } from './photos.js';
import { foundCameras, movedPoints, placeModel } from './placeModel.js';
import { requireDevice } from './requireDevice.js';
import { STAGES, Work } from './stages.js';

/** Parts below this share of the object's extent are removed as specks. */
const LEAST_PART = 0.02;

/**
 * Method `reconviagen`: a few photos, with or without cameras, become a whole object by the published networks of
 * ReconViaGen 0.2 (Chang et al. 2025), on VGGT, DINOv2 and TRELLIS.
 */
export const reconviagen: Method<typeof reconviagenOptions> = {
  name: 'reconviagen',
  title: 'Whole object from a few photos',
  description:
    'Networks complete what one to sixteen photos show to a whole object, also the sides that nobody photographed, and ' +
    'need no cameras. The object must be cut out in every photo. Needs network weights on this machine and a GPU; what ' +
    'no photo shows is invented.',
  requirements: ['1 to 16 photos of one object', 'the object cut out: transparency, masks or a plain background'],
  options: reconviagenOptions,
  presets: {
    draft: { structureSteps: 12, latentSteps: 8, triangles: 10_000, textureSize: 1024 },
    standard: {},
    high: { structureSteps: 50, latentSteps: 25, triangles: 100_000, textureSize: 4096 },
  },
  weights: RECONVIAGEN_WEIGHTS,
  withoutCameras: true,

  async checkWeights(files, device) {
    const model = await openModel(files);
    if (device && !model.isTest) requireDevice(device, files.onSoftware);
  },

  stages: STAGES,

  reduced(options) {
    return {
      ...options,
      triangles: Math.max(100, Math.min(options.triangles, Math.floor(options.triangles / 2))),
      textureSize: halved(options.textureSize, 256),
    };
  },

  accepts(capture) {
    if (!capture.views.some((view) => view.split === 'train')) {
      throw new PlinthError('METHOD_REQUIREMENTS', {
        found: 'The capture has no photo to work with',
        expected: 'at least one',
      });
    }
    if (capture.masks !== 'none') return;
    throw new PlinthError('METHOD_REQUIREMENTS', {
      found: 'Nothing tells the object from its surroundings in these photos',
      expected: 'pictures with transparency, a masks/ folder or a plain background',
      remedy:
        'Cut the object out of the photos (many phones do by a long press on it), or photograph it in front of ' +
        'a plain backdrop',
    });
  },

  async run(capture, options, context) {
    const { signal, runInThread, weights } = context;
    if (!weights) throw new RangeError('reconviagen is given no weights');
    const work = new Work(context);
    work.report('prepare', 0);
    const model = await openModel(weights);
    const identity = await weights.identity();
    if (model.isTest) {
      context.warn({
        code: 'METHOD_TEST_MODEL',
        message: 'The networks are a miniature for tests with random numbers: the result means nothing.',
        remedy: 'Name a folder that has the published weights with PLINTH_WEIGHTS.',
      });
    }
    const photos = await readPhotos(capture, model.side, context, (done, of) =>
      work.report('prepare', 0.1 + (0.9 * done) / of, { detail: `photo ${done + 1} of ${of}` }),
    );
    work.report('prepare', 1);
    const made = await generate(model, photos, options, identity, context, work);

    work.report('clean', 0);
    const surface = upright({ positions: made.mesh.vertices, indices: made.mesh.faces });
    const { mesh: simplified, error } = await cleanMesh(
      surface,
      { triangles: options.triangles, minimumPart: LEAST_PART },
      { runInThread, signal, progress: (f) => work.report('clean', f, { detail: cleaning(f) }) },
    );
    const preview = await writeMeshPreview(simplified, 'surface', context);
    work.report('clean', 1, { preview });

    const colours = rgbOf(made.mesh.colours);
    const placed = await placeModel(capture, photos, surface, colours, made.poses, options, context, work);
    const inPlace = (positions: Float32Array): Float32Array => movedPoints(positions, placed.place);
    const unwrapped = await unwrapMesh(
      { positions: inPlace(simplified.positions), indices: simplified.indices },
      { textureSize: options.textureSize },
      { runInThread, signal, progress: (f) => work.report('unwrap', f) },
    );
    const mesh: Mesh = { ...unwrapped.mesh, normals: computeNormals(unwrapped.mesh) };
    const points = { positions: inPlace(surface.positions), colours };
    const spacing = placed.place.scale / (4 * model.resolution);
    const coloured = await colourModel(mesh, points, spacing, photos, placed, options, context, work);
    const asset: Asset = { mesh, material: { kind: 'baked', baseColor: coloured.baseColor } };
    work.report('texture', 1, { preview: await writeMeshPreview(asset, 'textured', context) });
    return {
      ...asset,
      cameras: placed.cameras && foundCameras(placed.cameras),
      unplaced: placed.unplaced,
      facts: {
        model: model.isTest ? 'miniature for tests, random numbers' : 'ReconViaGen 0.2',
        photos: photos.map(({ view }) => view.name),
        voxels: made.voxels,
        simplification: { triangles: mesh.indices.length / 3, error },
        alignment: placed.facts,
        unwrap: { charts: unwrapped.charts, utilisation: unwrapped.utilisation },
        ...coloured.facts,
      },
    };
  },
};

const cleaning = (fraction: number): string => (fraction < SIMPLIFYING_BEGINS ? 'cleaning' : 'simplifying');

/** Red, green, blue of vertices with six numbers. */
function rgbOf(colours: Float32Array): Float32Array {
  const result = new Float32Array(colours.length / 2);
  for (let i = 0; i < result.length; i++) result[i] = colours[Math.floor(i / 3) * 6 + (i % 3)];
  return result;
}
