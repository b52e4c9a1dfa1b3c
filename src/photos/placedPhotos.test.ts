import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { errorOf, useFolders } from '../../test/captureScene.js';
import type { SixViewOptions } from '../capture/sixView/options.js';
import { type PlacedPhotos, scaledPhotos } from './placedPhotos.js';
import { readAnyCapture } from './readAnyCapture.js';

const makeFolder = useFolders();

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
    const { placed } = scaledPhotos(FOUND, { between: [1, 0], distance: 5 });
    expect(placed[0].cameraToWorld.slice(12, 15)).toEqual([3, 0, 10].map((v) => expect.closeTo(v, 12)));
  });

  it('refuses photos that have no camera, and twice the same', async () => {
    const scaled = async (a: number, b: number) => scaledPhotos(FOUND, { between: [a, b], distance: 1 });
    expect(await errorOf(scaled(0, 2))).toMatchObject({ code: 'OPTION_INVALID', subject: 'scale' });
    expect(await errorOf(scaled(0, 0))).toMatchObject({ code: 'OPTION_INVALID', subject: 'scale' });
  });
});

it('tells of names of no photo before cameras are sought', async () => {
  const folder = await makeFolder();
  const picture = sharp({ create: { width: 64, height: 64, channels: 3, background: 'red' } });
  for (const name of ['a.jpg', 'b.jpg', 'c.jpg']) await picture.clone().toFile(join(folder, name));
  const read = readAnyCapture(folder, { scale: { between: ['a.jpg', 'nosuch.jpg'], distance: 1 } });
  expect(await errorOf(read)).toMatchObject({
    code: 'OPTION_INVALID',
    message: expect.stringMatching(/nosuch\.jpg, which is no photo/),
  });
});

it('tells of options of six views beside a capture that has cameras', async () => {
  const example = new URL('../../examples/captures/vase-six', import.meta.url).pathname;
  const codes = async (sixView: SixViewOptions) => {
    const capture = await readAnyCapture(example, { sixView });
    await capture.dispose();
    return capture.warnings.map(({ code, message }) => [code, message]);
  };
  expect(await codes({ left: 'auto', allowMissing: false, depthScale: 0.001, distance: undefined })).toEqual([]);
  expect(await codes({ topTurn: 0, distance: 4 })).toEqual([
    ['CAPTURE_OPTIONS_UNUSED', expect.stringMatching(/topTurn, distance.*nerfstudio/)],
  ]);
});

it('refuses a length of a capture that states its cameras', async () => {
  const example = new URL('../../examples/captures/vase-six', import.meta.url).pathname;
  const read = readAnyCapture(example, { scale: { meanDistance: 1 } });
  expect(await errorOf(read)).toMatchObject({ code: 'OPTION_INVALID', subject: 'scale' });
  const none = readAnyCapture(example, { scale: { meanDistance: -1 } });
  expect(await errorOf(none)).toMatchObject({ code: 'OPTION_INVALID', subject: 'scale' });
});
