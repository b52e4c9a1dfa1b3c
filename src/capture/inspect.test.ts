import { describe, expect, it } from 'vitest';
import { pinhole, useFolders, writeTransforms } from '../../test/captureScene.js';
import { cameraPosition, projectPoint } from '../core/camera.js';
import type { ColorImage } from '../core/image.js';
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
