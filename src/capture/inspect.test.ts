import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pinhole, put, ringPoses, useFolders, writeTransforms } from '../../test/captureScene.js';
import { cameraPosition, projectPoint } from '../core/camera.js';
import type { ColorImage } from '../core/image.js';
import { leftOutTiles, MOST_LEFT_OUT } from './draw/leftOutTiles.js';
import { drawCameras, drawViews, inspectCapture } from './inspect.js';
import { readCapture } from './readCapture.js';

const folder = useFolders();

async function capture() {
  const root = await folder();
  await writeTransforms(root, {
    lens: pinhole(96, 72, 90),
    depthScale: 0.001,
    change: (t) => {
      t.test_filenames = ['images/r_5.png'];
    },
  });
  return readCapture(root);
}

/** One view of eight was culled, one is there twice; a picture, a mask and another model lie beside them. */
async function withLeftOut() {
  const root = await folder();
  await writeTransforms(root, {
    count: 8,
    change: ({ frames }) => {
      frames.push(frames[2]);
    },
  });
  await rename(join(root, 'images/r_7.png'), join(root, 'images/extra.png'));
  await put(root, 'masks/other.png', await readFile(join(root, 'images/r_1.png')));
  for (const name of ['cameras', 'images', 'points3D']) await put(root, `sparse/0/${name}.txt`, '# nothing\n');
  return readCapture(root);
}

/** Pixels near an sRGB colour. */
function count(image: ColorImage, [r, g, b]: readonly number[], tolerance = 30): number {
  let found = 0;
  for (let p = 0; p < image.data.length; p += 4) {
    if (Math.abs(image.data[p] - r) + Math.abs(image.data[p + 1] - g) + Math.abs(image.data[p + 2] - b) < tolerance)
      found++;
  }
  return found;
}

describe('inspectCapture', () => {
  it('tells sizes, lenses, positions, masks and depth ranges, and survives JSON', async () => {
    const read = await capture();
    const inspection = await inspectCapture(read);
    expect(JSON.parse(JSON.stringify(inspection))).toEqual(JSON.parse(JSON.stringify({ ...inspection })));
    expect(inspection).toMatchObject({ format: 'nerfstudio', masks: 'alpha', scaleKnown: true });
    expect(inspection.views.map(({ name, split }) => `${name} ${split}`).slice(4)).toEqual(['r_4 train', 'r_5 test']);
    const [view] = inspection.views;
    expect(view).toMatchObject({ width: 96, height: 72, focal: [90, 90], principalPoint: [48, 36] });
    expect(view.fieldOfView[0]).toBeCloseTo((360 / Math.PI) * Math.atan(48 / 90), 9);
    expect(Math.hypot(...view.position)).toBeCloseTo(2.6, 6);
    const { data } = await read.views[0].loadColor();
    const share = data.filter((v, i) => i % 4 === 3 && v > 127).length / (96 * 72);
    expect(view.maskCoverage).toBeCloseTo(share, 12);
    expect(view.depth?.near).toBeGreaterThan(1.5);
    expect(view.depth?.far).toBeLessThan(3.4);
    expect(view.depth?.near).toBeLessThan(view.depth?.far ?? 0);
    inspection.bounds.size.forEach((v, i) => {
      expect(v).toBeCloseTo(inspection.bounds.max[i] - inspection.bounds.min[i], 12);
    });
  });
});

describe('what was left out', () => {
  it('is told part by part with the reason, and with the place of its camera where there is one', async () => {
    const { leftOut, views } = await inspectCapture(await withLeftOut());
    expect(views).toHaveLength(7);
    expect(leftOut.map(({ kind, name, reason }) => [kind, name, reason])).toEqual([
      ['cameras', 'COLMAP model', 'other-cameras'],
      ['picture', 'images/r_7.png', 'missing'],
      ['picture', 'images/r_2.png', 'twice'],
      ['picture', 'images/extra.png', 'no-camera'],
      ['mask', 'masks/other.png', 'no-picture'],
    ]);
    expect(leftOut[1].why).toBe('named, but not there');
    const pose = ringPoses(8)[7];
    for (const k of [0, 1, 2]) expect(leftOut[1].position?.[k]).toBeCloseTo(pose[12 + k], 9);
    expect(leftOut.filter(({ position }) => position)).toHaveLength(1);
  });

  it('stands in both drawings, in red', async () => {
    const read = await withLeftOut();
    const red = [185, 28, 28] as const;
    const plain = { ...read, leftOut: undefined };
    expect(count(await drawCameras(plain), red)).toBeLessThan(20);
    expect(count(await drawCameras(read), red)).toBeGreaterThan(300);
    const [with_, without] = [await drawViews(read, { tile: 96 }), await drawViews(plain, { tile: 96 })];
    expect(count(without, red)).toBe(0);
    // Five frames of dashes.
    expect(count(with_, red)).toBeGreaterThan(5 * 200);
    // The picture that no camera belongs to is there, faded.
    expect(count(with_, [255 - 0.35 * 55, 255 - 0.35 * 175, 255 - 0.35 * 215], 12)).toBeGreaterThan(100);
  });

  it('is counted where there is much of it', async () => {
    const read = await capture();
    const leftOut = Array.from({ length: 60 }, (_, i) => ({
      kind: 'picture' as const,
      name: `${i}.png`,
      reason: 'missing' as const,
    }));
    const tiles = await leftOutTiles(leftOut, 64);
    expect(tiles).toHaveLength(MOST_LEFT_OUT + 1);
    expect(tiles.at(-1)?.title).toBe(`and ${60 - MOST_LEFT_OUT} more`);
    expect((await drawViews({ ...read, leftOut }, { tile: 32 })).width).toBeLessThan(600);
  });
});

describe('drawCameras', () => {
  it('draws training and test cameras, bounds and axes within the frame', async () => {
    const image = await drawCameras(await capture(), { size: 1024 });
    expect([image.width, image.height, image.data.length]).toEqual([1024, 1024, 1024 * 1024 * 4]);
    for (const color of [
      [37, 99, 235],
      [234, 88, 12],
      [17, 24, 39],
      [220, 38, 38],
      [22, 163, 74],
    ]) {
      expect(count(image, color)).toBeGreaterThan(20);
    }
    // Nothing but the ground grid and the legend reaches the border.
    for (let x = 0; x < 1024; x++) expect(image.data[x * 4]).toBeGreaterThan(200);
  });
});

describe('drawViews', () => {
  it('shows every view with the outline of its mask, and its depth beside it', async () => {
    const read = await capture();
    const sheet = await drawViews(read, { tile: 96 });
    expect(count(sheet, [255, 0, 170])).toBeGreaterThan(6 * 2 * 60);
    // The checkered skin is there, and the depth's colours are.
    expect(count(sheet, [200, 80, 40])).toBeGreaterThan(1000);
    expect(count(sheet, [150, 50, 130], 60)).toBeGreaterThan(100);
    const few = await drawViews(read, { tile: 48, most: 2 });
    expect(few.width * few.height).toBeLessThan((sheet.width * sheet.height) / 4);
  });
});

describe('cameras of a capture', () => {
  it('look at the bounds', async () => {
    const { views, bounds } = await capture();
    const centre = bounds.min.map((v, i) => (v + bounds.max[i]) / 2) as [number, number, number];
    for (const { camera } of views) {
      const { x, y, depth } = projectPoint(camera, centre);
      expect(depth).toBeGreaterThan(0);
      expect(x > 0 && x < 96 && y > 0 && y < 72).toBe(true);
      expect(cameraPosition(camera).every(Number.isFinite)).toBe(true);
    }
  });
});
