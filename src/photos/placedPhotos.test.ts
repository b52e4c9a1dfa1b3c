import { describe, expect, it } from 'vitest';
import { errorOf } from '../../test/captureScene.js';
import { type PlacedPhotos, scaledPhotos } from './placedPhotos.js';
import { readAnyCapture } from './readAnyCapture.js';

const at = (x: number, y: number, z: number): number[] => [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, x, y, z, 1];

/** Two cameras half a unit apart, and a point. */
const FOUND = {
  placed: [
    { name: 'a.jpg', photo: 0, cameraToWorld: at(0.3, 0, 1) },
    { name: 'b.jpg', photo: 1, cameraToWorld: at(0, 0.4, 1) },
  ],
  points: Float64Array.from([0.1, -0.2, 0.3]),
  report: { set: { scaleKnown: false, error: 0.5 } },
} as unknown as PlacedPhotos;

describe('scaledPhotos', () => {
  it('brings cameras and points into the unit of the mean distance that is stated', () => {
    const { placed, points, report } = scaledPhotos(FOUND, { meanDistance: 20 });
    expect(placed.map(({ cameraToWorld }) => cameraToWorld)).toEqual([at(6, 0, 20), at(0, 8, 20)]);
    expect([...points]).toEqual([2, -4, 6].map((v) => expect.closeTo(v, 12)));
    expect(report.set).toEqual({ scaleKnown: true, error: 0.5 });
    // What was kept for other scales stays as it was.
    expect(FOUND.placed[0].cameraToWorld[12]).toBe(0.3);
  });

  it('takes the distance of two cameras', () => {
    const { placed } = scaledPhotos(FOUND, { between: ['b.jpg', 'a.jpg'], distance: 5 });
    expect(placed[0].cameraToWorld.slice(12, 15)).toEqual([3, 0, 10].map((v) => expect.closeTo(v, 12)));
  });

  it('refuses photos that have no camera, and twice the same', async () => {
    const scaled = async (a: string, b: string) => scaledPhotos(FOUND, { between: [a, b], distance: 1 });
    expect(await errorOf(scaled('a.jpg', 'c.jpg'))).toMatchObject({ code: 'OPTION_INVALID', subject: 'scale' });
    expect(await errorOf(scaled('a.jpg', 'a.jpg'))).toMatchObject({ code: 'OPTION_INVALID', subject: 'scale' });
  });
});

it('refuses a length of a capture that states its cameras', async () => {
  const example = new URL('../../examples/captures/vase-six', import.meta.url).pathname;
  const read = readAnyCapture(example, { scale: { meanDistance: 1 } });
  expect(await errorOf(read)).toMatchObject({ code: 'OPTION_INVALID', subject: 'scale' });
  const none = readAnyCapture(example, { scale: { meanDistance: -1 } });
  expect(await errorOf(none)).toMatchObject({ code: 'OPTION_INVALID', subject: 'scale' });
});
