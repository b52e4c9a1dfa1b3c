/** What comes after the networks, on a shape that is known: cameras found, model laid into place, colours, measures. */
import { expect, it } from 'vitest';
import { useGpu } from '../../../test/gpu.js';
import { box } from '../../../test/texturedShapes.js';
import type { Capture, View } from '../../capture/capture.js';
import type { Asset } from '../../core/asset.js';
import type { Camera } from '../../core/camera.js';
import { silentLogger, type Warning } from '../../core/context.js';
import type { ColorImage } from '../../core/image.js';
import { lookAt, type Vec3 } from '../../core/math.js';
import type { Mesh } from '../../core/mesh.js';
import { quaternionOf } from '../../core/quaternion.js';
import { Random } from '../../core/random.js';
import { computeNormals } from '../../geometry/mesh/normals.js';
import { unwrapMesh } from '../../geometry/mesh/unwrap/unwrap.js';
import { withCorrectedCameras } from '../../pipeline/correctedCameras.js';
import { runInThread } from '../../platform/runInThread.js';
import { assess } from '../../quality/assess/assess.js';
import { AssetRenderer } from '../../render/forward/assetRenderer.js';
import type { MethodContext } from '../method.js';
import { ofCut } from './align/cameras.js';
import { about, compose, inverse, turned } from './align/rotations.js';
import { colourModel } from './colourModel.js';
import { reconviagenOptions } from './options.js';
import type { SeenPhoto } from './photos.js';
import { foundCameras, movedPoints, placeModel } from './placeModel.js';
import { preparePhoto } from './preprocess.js';
import { Work } from './stages.js';

const gpu = useGpu();
const SIZE = 128;
const OPTIONS = reconviagenOptions.parse({ textureSize: 256 });

/** Three boxes of different colours, with a vertex grid fine enough for their colours. */
function thing(): { mesh: Mesh; colours: Float32Array } {
  const parts: [Vec3, number[], number[]][] = [
    [
      [0.3, 0.12, 0.2],
      [0, -0.2, 0],
      [0.8, 0.2, 0.15],
    ],
    [
      [0.08, 0.25, 0.08],
      [-0.2, 0.15, 0.08],
      [0.15, 0.6, 0.2],
    ],
    [
      [0.1, 0.1, 0.14],
      [0.2, 0.02, -0.05],
      [0.2, 0.25, 0.8],
    ],
  ];
  const [positions, colours, indices]: number[][] = [[], [], []];
  for (const [half, at, colour] of parts) {
    const part = box(half, 8);
    const first = positions.length / 3;
    part.positions.forEach((x, i) => {
      positions.push(x + at[i % 3]);
      colours.push(colour[i % 3]);
    });
    for (const i of part.indices) indices.push(i + first);
  }
  return {
    mesh: { positions: Float32Array.from(positions), indices: Uint32Array.from(indices) },
    colours: Float32Array.from(colours),
  };
}

const { mesh: shape, colours } = thing();

const context = (warnings: Warning[] = []): MethodContext => ({
  gpu: gpu(),
  progress() {},
  signal: new AbortController().signal,
  log: silentLogger,
  random: new Random(0),
  seed: 0,
  runInThread,
  warn: (warning) => warnings.push(warning),
});

/** A texture for the shape with the colours that its vertices have. */
async function coloured(mesh: Mesh, placed: Parameters<typeof colourModel>[4], photos: SeenPhoto[], texture: string) {
  const unwrapped = await unwrapMesh(mesh, { textureSize: 256 }, { runInThread });
  const whole: Mesh = { ...unwrapped.mesh, normals: computeNormals(unwrapped.mesh) };
  const points = { positions: mesh.positions, colours };
  const options = reconviagenOptions.parse({ textureSize: 256, texture });
  const { baseColor, facts } = await colourModel(
    whole,
    points,
    0.03,
    photos,
    placed,
    options,
    context(),
    new Work(context()),
  );
  return { asset: { mesh: whole, material: { kind: 'baked', baseColor } } satisfies Asset, facts };
}

const cameraAt = (azimuth: number, elevation: number): Camera => ({
  cameraToWorld: lookAt(
    [
      2.2 * Math.sin(azimuth) * Math.cos(elevation),
      2.2 * Math.sin(elevation),
      2.2 * Math.cos(azimuth) * Math.cos(elevation),
    ],
    [0.1, 0.05, 0],
  ),
  width: SIZE,
  height: SIZE,
  fx: 190,
  fy: 190,
  cx: SIZE / 2,
  cy: SIZE / 2,
});

const CAMERAS = [cameraAt(0.5, 0.3), cameraAt(1.9, 0.15), cameraAt(-1.3, 0.5)];

async function photograph(): Promise<ColorImage[]> {
  const nowhere = { place: { rotation: about(0, 0), scale: 1, translation: [0, 0, 0] }, unplaced: [], facts: {} };
  const { asset } = await coloured(shape, nowhere, [], 'generated');
  const renderer = await AssetRenderer.create(gpu(), asset);
  const images: ColorImage[] = [];
  for (const camera of CAMERAS) images.push((await renderer.render(camera, { supersample: 2 })).color);
  renderer.dispose();
  return images;
}

function captureOf(images: readonly ColorImage[], cameras: readonly Camera[], known: boolean): Capture {
  return {
    name: 'thing',
    source: 'thing',
    format: 'photos',
    ...(!known && { cameras: 'none' as const }),
    views: images.map(
      (image, i): View => ({
        name: `p${i}`,
        source: `p${i}`,
        camera: cameras[i],
        split: 'train',
        loadColor: async () => image,
      }),
    ),
    bounds: { min: [-1, -1, -1], max: [1, 1, 1] },
    inputToWorld: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1],
    scaleKnown: false,
    masks: 'alpha',
    warnings: [],
    dispose: async () => {},
  };
}

const seenPhotos = (capture: Capture, images: readonly ColorImage[]): SeenPhoto[] =>
  capture.views.map((view, i) => ({ view, prepared: preparePhoto(images[i], 140)!, scale: 1 }));

it('photos without cameras get them from what the head states, and the report agrees with the photos', {
  timeout: 240_000,
}, async () => {
  const images = await photograph();
  const nominal = CAMERAS.map((camera) => ({
    ...camera,
    cameraToWorld: lookAt([0, 0, 2], [0, 0, 0]),
    fx: 137,
    fy: 137,
  }));
  const capture = captureOf(images, nominal, false);
  const photos = seenPhotos(capture, images);
  // As the head states poses: in the frame of the first photo, of cuts that it takes for centred.
  const cuts = seenPhotos(captureOf(images, CAMERAS, true), images).map(ofCut);
  const poses = cuts.flatMap(({ rotation, translation, focal }) => {
    const own = compose(rotation, inverse(cuts[0].rotation));
    const moved = turned(own, cuts[0].translation).map((x, k) => translation[k] - x);
    const flipped = own.map((x, i) => ((i % 3 === 0) === i < 3 ? x : -x));
    const [w, x, y, z] = quaternionOf(flipped);
    const view = 2 * Math.atan(0.5 / focal);
    return [moved[0], -moved[1], -moved[2], x, y, z, w, view, view];
  });
  const warnings: Warning[] = [];
  const placed = await placeModel(
    capture,
    photos,
    shape,
    colours,
    Float32Array.from(poses),
    OPTIONS,
    context(warnings),
    new Work(context()),
  );
  expect(warnings).toEqual([]);
  expect(placed.unplaced).toEqual([]);
  expect(placed.facts.cameras).toBe('VGGT');
  // The first photo looks along −Z.
  const [front] = Object.values(placed.cameras ?? {});
  expect(front.cameraToWorld[12]).toBeCloseTo(0, 9);
  expect(front.cameraToWorld[14]).toBeGreaterThan(1);

  const moved = { ...shape, positions: movedPoints(shape.positions, placed.place) };
  for (const texture of ['generated', 'auto']) {
    const { asset, facts } = await coloured(moved, placed, photos, texture);
    expect((facts.texture as { from: string }).from).toBe(texture === 'auto' ? 'photos' : 'generated');
    const compared = withCorrectedCameras(capture, { cameras: foundCameras(placed.cameras ?? {}) });
    const { totals } = await assess(gpu(), asset, compared);
    expect(totals.input?.maskIou?.mean, texture).toBeGreaterThan(0.9);
    expect(totals.input?.psnr.mean, texture).toBeGreaterThan(20);
  }
});

it('a model is laid into the frame of cameras that are known', { timeout: 240_000 }, async () => {
  const images = await photograph();
  const capture = captureOf(images, CAMERAS, true);
  // As the networks may have made it: turned, of another size, elsewhere.
  const away = { rotation: compose(about(1, 2.2), about(2, 0.4)), scale: 1.4, translation: [0.1, 0.2, -0.1] };
  const made = { ...shape, positions: movedPoints(shape.positions, away) };
  const placed = await placeModel(
    capture,
    seenPhotos(capture, images),
    made,
    colours,
    new Float32Array(0),
    OPTIONS,
    context(),
    new Work(context()),
  );
  expect(placed.cameras).toBeUndefined();
  expect(placed.unplaced).toEqual([]);
  const back = movedPoints(made.positions, placed.place);
  const worst = Math.max(...back.map((x, i) => Math.abs(x - shape.positions[i])));
  expect(worst).toBeLessThan(0.04);
});
