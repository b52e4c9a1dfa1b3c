import { expect, it } from 'vitest';
import { box } from '../../../../test/texturedShapes.js';
import type { View } from '../../../capture/capture.js';
import { lookAt } from '../../../core/math.js';
import type { SeenPhoto } from '../photos.js';
import { alignPhotos, LEAST_OVERLAP } from './alignPhotos.js';
import { ofCut, ofHead, ofPhoto } from './cameras.js';
import { Drawing, type Similarity, type SquareCamera } from './comparison.js';
import { about, compose, inverse, rotationOf, spreadRotations, turned } from './rotations.js';
import { type SurfacePoints, surfacePoints } from './surfacePoints.js';

/** A thing without symmetry: three boxes of different colours. */
function thing(): SurfacePoints {
  const parts: [number[], number[], number[]][] = [
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
  const positions: number[] = [];
  const colours: number[] = [];
  const indices: number[] = [];
  for (const [half, at, colour] of parts) {
    const mesh = box(half as [number, number, number]);
    const first = positions.length / 3;
    for (let i = 0; i < mesh.positions.length; i++) {
      positions.push(mesh.positions[i] + at[i % 3]);
      colours.push(colour[i % 3]);
    }
    indices.push(...[...mesh.indices].map((i) => i + first));
  }
  const mesh = { positions: Float32Array.from(positions), indices: Uint32Array.from(indices) };
  return surfacePoints(mesh, Float32Array.from(colours), 60_000);
}

const SIDE = 96;
const HOME: Similarity = { rotation: about(0, 0), scale: 1, translation: [0, 0, 0] };

/** What a camera sees of the thing, as a square photo. */
function photograph(points: SurfacePoints, place: Similarity, camera: SquareCamera) {
  const drawing = new Drawing(SIDE);
  drawing.draw(points, points.positions.length / 3, place, camera);
  const pixels = new Uint8Array(SIDE * SIDE * 4);
  drawing.eachPixel((pixel, point) => {
    for (let c = 0; c < 3; c++) pixels[pixel * 4 + c] = Math.round(points.colours[point * 3 + c] * 255);
    pixels[pixel * 4 + 3] = 255;
  });
  return { pixels, side: SIDE };
}

function cameraAt(azimuth: number, elevation: number, distance = 2.2, focal = 1.6): SquareCamera {
  const m = lookAt(
    [
      distance * Math.sin(azimuth) * Math.cos(elevation),
      distance * Math.sin(elevation),
      distance * Math.cos(azimuth) * Math.cos(elevation),
    ],
    [0, 0, 0],
  );
  const rotation = [m[0], m[1], m[2], m[4], m[5], m[6], m[8], m[9], m[10]];
  return {
    rotation,
    translation: turned(rotation, [m[12], m[13], m[14]]).map((x) => -x),
    focal,
    centre: [0.5, 0.5],
  };
}

/** Degrees between two rotations. */
const degreesBetween = (a: readonly number[], b: readonly number[]): number => {
  const [x, , , , y, , , , z] = compose(a, inverse(b));
  return (Math.acos(Math.min(1, Math.max(-1, (x + y + z - 1) / 2))) * 180) / Math.PI;
};

const points = thing();

it('rotations are spread so that none is farther than 14° from the next', () => {
  const all = spreadRotations(4608);
  const probes = spreadRotations(37).map((r) => compose(about(0, 0.3), r));
  for (const probe of probes) expect(Math.min(...all.map((r) => degreesBetween(r, probe)))).toBeLessThan(14);
});

it('finds how a model lies before given cameras', () => {
  const cameras = [cameraAt(0.2, 0.3), cameraAt(1.6, 0.1), cameraAt(3.4, 0.5)];
  const place: Similarity = {
    rotation: compose(about(1, 2.1), about(0, 0.7)),
    scale: 0.8,
    translation: [0.1, -0.05, 0.07],
  };
  const photos = cameras.map((camera) => photograph(points, place, camera));
  const found = alignPhotos({ points, photos, cameras, given: true });
  expect(degreesBetween(found.place.rotation, place.rotation)).toBeLessThan(2);
  expect(found.place.scale).toBeCloseTo(0.8, 1);
  for (let k = 0; k < 3; k++) expect(Math.abs(found.place.translation[k] - place.translation[k])).toBeLessThan(0.03);
  expect(Math.min(...found.agreements.map(({ iou }) => iou))).toBeGreaterThan(0.93);
  expect(found.cameras).toEqual(cameras);
});

it('finds cameras from guesses that are turned, scaled and one of them wrong, and tells a photo of something else', () => {
  const cameras = [cameraAt(0.2, 0.3), cameraAt(1.4, 0.1), cameraAt(2.6, 0.4)];
  const photos = cameras.map((camera) => photograph(points, HOME, camera));
  // The guesses' world is another one: turned, and half as large.
  const world = compose(about(2, 1.1), about(1, -0.6));
  const guesses = cameras.map(({ rotation, translation, ...rest }, i) => ({
    ...rest,
    rotation: compose(i === 2 ? about(1, 0.9) : about(1, 0.02), compose(rotation, inverse(world))),
    translation: translation.map((x) => x / 2),
  }));
  const found = alignPhotos({ points, photos, cameras: guesses, given: false });
  for (const [i, { rotation, translation }] of found.cameras.entries()) {
    expect(degreesBetween(rotation, cameras[i].rotation), `photo ${i}`).toBeLessThan(4);
    expect(Math.hypot(...translation.map((x, k) => x - cameras[i].translation[k]))).toBeLessThan(0.25);
    expect(found.agreements[i].iou).toBeGreaterThan(0.9);
  }

  const stripes = new Uint8Array(SIDE * SIDE * 4);
  for (let i = 0; i < SIDE * SIDE; i++) stripes[i * 4 + 3] = (i % SIDE) % 24 < 8 ? 255 : 0;
  const alien = alignPhotos({ points, photos: [{ pixels: stripes, side: SIDE }], given: false });
  expect(alien.agreements[0].iou).toBeLessThan(LEAST_OVERLAP);
});

it('cameras of a cut and of its whole photo are the same camera', () => {
  const camera = {
    cameraToWorld: lookAt([1, 2, 3], [0, 0.2, 0]),
    width: 4000,
    height: 3000,
    fx: 3100,
    fy: 3100,
    cx: 2010,
    cy: 1490,
  };
  const prepared = { data: new Uint8Array(0), side: 518, left: 350, top: -20, scale: 0.61 };
  const photo: SeenPhoto = { view: { camera } as View, prepared, scale: 0.5 };
  const back = ofPhoto(photo, ofCut(photo));
  for (const key of ['fx', 'fy', 'cx', 'cy'] as const) expect(back[key]).toBeCloseTo(camera[key], 6);
  for (let i = 0; i < 16; i++) expect(back.cameraToWorld[i]).toBeCloseTo(camera.cameraToWorld[i], 9);
});

it('the head’s cameras look along their z', () => {
  const quaternion: [number, number, number, number] = [0.1, -0.2, 0.3, Math.sqrt(1 - 0.14)];
  const { rotation, translation, focal } = ofHead({ translation: [0.5, 0.25, 2], rotation: quaternion, fov: [1, 1] });
  // A point at (1, 2, 3): in OpenCV's camera its y is down and its z forwards.
  const cv = turned(rotationOf(quaternion), [1, 2, 3]).map((x, k) => x + [0.5, 0.25, 2][k]);
  const gl = turned(rotation, [1, 2, 3]).map((x, k) => x + translation[k]);
  expect(gl[0]).toBeCloseTo(cv[0], 9);
  expect(gl[1]).toBeCloseTo(-cv[1], 9);
  expect(gl[2]).toBeCloseTo(-cv[2], 9);
  expect(focal).toBeCloseTo(0.5 / Math.tan(0.5), 9);
});
