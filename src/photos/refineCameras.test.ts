import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { errorOf } from '../../test/captureScene.js';
import { compareCameras, type PlacedCamera } from '../../test/similarity.js';
import type { ReadSources } from '../capture/formats/sources.js';
import { fromRows, identity, type Mat4, multiply } from '../core/math.js';
import { Random } from '../core/random.js';
import { findCameras } from './findCameras.js';
import { placedPhotos } from './placedPhotos.js';
import { refineCameras } from './refineCameras.js';
import { rotationOf } from './solve/rotation.js';

const BANANA = new URL('../../test/photos/banana/', import.meta.url).pathname;
const FILES = [423, 424, 425, 438].map((n) => join(BANANA, `DSC_0${n}.jpg`));
const SIZE = { longerSide: 700, features: 1500 };

/** World to camera as `compareCameras` has it, of a camera to world with OpenGL axes. */
const placed = (m: Mat4): PlacedCamera => ({
  rotation: [m[0], m[1], m[2], -m[4], -m[5], -m[6], -m[8], -m[9], -m[10]],
  centre: [m[12], m[13], m[14]],
});

describe('refineCameras', () => {
  it('brings cameras that are a little off to where the photos have them, in the given world', {
    timeout: 400_000,
  }, async () => {
    const truth = placedPhotos(await findCameras(FILES, SIZE));
    expect(truth.placed.length).toBe(4);
    const random = new Random(6);
    const given: ReadSources = {
      format: 'nerfstudio',
      inputToWorld: identity(),
      warnings: [],
      sources: truth.placed.map(({ name, photo, lens, cameraToWorld }) => {
        const r = rotationOf(0.004 * random.normal(), 0.004 * random.normal(), 0.004 * random.normal());
        const off = fromRows([
          [r[0], r[1], r[2], 0.003 * random.normal()],
          [r[3], r[4], r[5], 0.003 * random.normal()],
          [r[6], r[7], r[8], 0.003 * random.normal()],
          [0, 0, 0, 1],
        ]);
        return {
          name,
          image: FILES[photo],
          orient: true,
          lens: { ...lens, fx: lens.fx * 1.01, fy: lens.fy * 1.01 },
          cameraToWorld: multiply(cameraToWorld, off),
          split: 'train',
        };
      }),
    };
    const refined = await refineCameras(given, SIZE);
    expect(refined.facts).toMatchObject({ registered: 4, scaleKnown: true });
    const after = placedPhotos(refined).placed;
    const right = truth.placed.map(({ cameraToWorld }) => placed(cameraToWorld));
    const before = compareCameras(
      given.sources.map(({ cameraToWorld }) => placed(cameraToWorld)),
      right,
    );
    const apart = compareCameras(
      after.map(({ cameraToWorld }) => placed(cameraToWorld)),
      right,
    );
    expect(before.medianAngle).toBeGreaterThan(0.2);
    expect(apart.medianAngle).toBeLessThan(0.3 * before.medianAngle);
    expect(apart.position).toBeLessThan(0.3 * before.position);
    expect(Math.abs(after[0].lens.fx / truth.placed[0].lens.fx - 1)).toBeLessThan(0.005);
    // The world is that of what was given: no similarity is needed to bring both together.
    after.forEach(({ cameraToWorld }, i) => {
      for (const k of [12, 13, 14])
        expect(Math.abs(cameraToWorld[k] - given.sources[i].cameraToWorld[k])).toBeLessThan(0.02);
    });
    const [first, ...others] = given.sources;
    const fisheye = {
      ...given,
      sources: [{ ...first, lens: { ...first.lens, model: 'fisheye' as const } }, ...others],
    };
    expect((await errorOf(refineCameras(fisheye, SIZE))).code).toBe('CAPTURE_CAMERA_INVALID');
  });
});
