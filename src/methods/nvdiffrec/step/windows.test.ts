import { expect, test } from 'vitest';
import { cameraAt } from '../../../../test/solids.js';
import type { View } from '../../../capture/capture.js';
import { projectPoint, resizeCamera } from '../../../core/camera.js';
import type { ColorImage } from '../../../core/image.js';
import { loadWindows, packDepths, packWindows } from './windows.js';

/** A picture with one opaque rectangle. */
function pictured(name: string, width: number, height: number, box: readonly [number, number, number, number]): View {
  const image: ColorImage = { width, height, data: new Uint8ClampedArray(width * height * 4) };
  for (let y = box[1]; y < box[3]; y++) {
    for (let x = box[0]; x < box[2]; x++) image.data.set([x, y, 7, 255], (y * width + x) * 4);
  }
  const camera = resizeCamera(cameraAt([0, 0, 3], 100), width, height);
  return { name, source: name, camera, split: 'train', loadColor: async () => image };
}

test('windows have one size, hold all that is opaque, and their cameras see it where it was', async () => {
  const views = [pictured('a', 100, 80, [10, 20, 40, 50]), pictured('b', 60, 60, [0, 0, 20, 37])];
  const set = await loadWindows(views, { maxSize: 100, multiple: 16 });
  expect([set.width % 16, set.height % 16]).toEqual([0, 0]);
  set.windows.forEach(({ camera, image }, i) => {
    expect([image.width, image.height]).toEqual([set.width, set.height]);
    expect([camera.width, camera.height]).toEqual([set.width, set.height]);
    const point = projectPoint(camera, [0.1, 0.2, 0.3]);
    const before = projectPoint(views[i].camera, [0.1, 0.2, 0.3]);
    const [dx, dy] = [before.x - point.x, before.y - point.y];
    let opaque = 0;
    for (let p = 0; p < set.width * set.height; p++) {
      if (image.data[p * 4 + 3] === 0) continue;
      opaque++;
      expect(image.data[p * 4]).toBe((p % set.width) + Math.round(dx));
      expect(image.data[p * 4 + 1]).toBe(Math.floor(p / set.width) + Math.round(dy));
    }
    expect(opaque).toBe([900, 740][i]);
  });
});

test('packed pictures are area means of colours with their alpha', async () => {
  const set = await loadWindows([pictured('a', 64, 64, [8, 8, 40, 40])], { maxSize: 64, multiple: 16 });
  const packed = packWindows(set, 4, [0]);
  expect(packed).toHaveLength((set.width * set.height) / 16);
  const alpha = packed.reduce((sum, p) => sum + (p >>> 24), 0) / 255;
  expect(alpha).toBeCloseTo((32 * 32) / 16, 0);
});

test(
  'depth is read where the window sees it, from a map of its own size, and not where it was taken from ' + 'elsewhere',
  async () => {
    const view = pictured('a', 100, 80, [10, 20, 40, 50]);
    const depthCamera = resizeCamera(view.camera, 50, 40);
    const map = {
      width: 50,
      height: 40,
      data: Float32Array.from({ length: 2000 }, (_, i) => (i % 7 === 0 ? 0 : 1 + i)),
    };
    const depth = { source: 'a', camera: depthCamera, accuracy: 0.02, load: async () => map };
    const elsewhere = { ...depth, camera: { ...depthCamera, cameraToWorld: cameraAt([0, 0.5, 3], 100).cameraToWorld } };
    const set = await loadWindows(
      [
        { ...view, depth },
        { ...view, name: 'b', depth: elsewhere },
      ],
      { maxSize: 100, multiple: 16 },
    );
    expect(set.windows[0].depth!.accuracy).toBe(0.02);
    expect(set.windows[1].depth).toBeUndefined();
    const packed = packDepths(set, 2, [0, 1]);
    const [width, height] = [set.width / 2, set.height / 2];
    expect(packed).toHaveLength(2 * width * height);
    const { camera } = set.windows[0];
    let seen = 0;
    for (let i = 0; i < width * height; i++) {
      // The window's left upper corner in the whole picture.
      const x = ((i % width) + 0.5) * 2 + view.camera.cx - camera.cx;
      const y = (Math.floor(i / width) + 0.5) * 2 + view.camera.cy - camera.cy;
      const [u, v] = [Math.floor(x / 2), Math.floor(y / 2)];
      const inside = u >= 0 && v >= 0 && u < 50 && v < 40;
      expect(packed[i]).toBe(inside ? map.data[v * 50 + u] : 0);
      if (inside) seen++;
    }
    expect(seen).toBeGreaterThan(200);
    expect(packed.subarray(width * height).every((d) => d === 0)).toBe(true);
  },
);
