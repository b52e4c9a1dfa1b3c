import { describe, expect, it } from 'vitest';
import { photoScene } from '../../../test/photoScene.js';
import { Random } from '../../core/random.js';
import { Scene } from '../mapper/scene.js';
import { nearPairs } from './ambiguity.js';

const [PHOTOS, POINTS] = [8, 800];

/** Photos on a short arc; `sees` says which photos see which points. */
function sceneOf(sees: (photo: number, point: number) => boolean): Scene {
  const truth = photoScene({ photos: PHOTOS, points: POINTS, degrees: 30, seed: 5 });
  const starts = [0];
  const photos: number[] = [];
  const features: number[] = [];
  for (let j = 0; j < POINTS; j++) {
    for (let i = 0; i < PHOTOS; i++) {
      if (!sees(i, j)) continue;
      photos.push(i);
      features.push(j);
    }
    starts.push(photos.length);
  }
  const scene = new Scene(
    truth.pixels.map((pixels) => ({ lens: 0, points: Float32Array.from(pixels) })),
    [{ ...truth.lens }],
    {
      count: POINTS,
      starts: Uint32Array.from(starts),
      photos: Uint32Array.from(photos),
      features: Uint32Array.from(features),
    },
  );
  truth.poses.forEach((pose, i) => {
    scene.poses[i] = pose;
  });
  scene.retriangulate();
  return scene;
}

describe('nearPairs', () => {
  it('finds nothing missing where neighbours see half of what each sees', () => {
    const random = new Random(2);
    const { near, unlike } = nearPairs(sceneOf(() => random.float() < 0.5));
    expect(near).toBeGreaterThan(20);
    expect(unlike).toBe(0);
  });

  it('finds photos that share a corner but see unlike things around it, as of two sides laid upon each other', () => {
    const truth = photoScene({ photos: PHOTOS, points: POINTS, degrees: 30, seed: 5 });
    // What looks alike is in the right part of the pictures; around it each group sees its own.
    const alike = (point: number): boolean => truth.pixels[0][point * 2] > 1000;
    const { near, unlike } = nearPairs(sceneOf((photo, point) => alike(point) || point % 2 === photo % 2));
    expect(near).toBeGreaterThan(20);
    // Neighbours of unlike groups are the larger half.
    expect(unlike).toBeGreaterThan(0.3 * near);
  });
});
