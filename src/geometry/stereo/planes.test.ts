import { expect, it } from 'vitest';
import { sphere } from '../../../test/solids.js';
import { around, photograph } from '../../../test/stereoScene.js';
import { projectPoint, unprojectPixel } from '../../core/camera.js';
import { stereoLevels } from './images.js';
import { finerPlanes, packMap, pointPlanes } from './planes.js';

const [shot] = photograph({ solid: sphere(0.5), shade: () => 0.5 }, around(0, 0), 48);
const [fine, coarse] = stereoLevels(shot.image, shot.camera, 2)!;

it('continues a plane of the coarse picture over the pixels of the fine one', () => {
  // The plane 0.2 x + 0.1 y + z = 2.6 in the camera's axes.
  const normal = [-0.2, -0.1, -1].map((v) => v / Math.hypot(0.2, 0.1, 1));
  const depthAt = (pixel: number, level: typeof fine): number => {
    const { cx, cy, fx, fy } = level.camera;
    const x = ((pixel & 0xffff) + 0.5 - cx) / fx;
    const y = ((pixel >>> 16) + 0.5 - cy) / fy;
    return 2.6 / (0.2 * x + 0.1 * y + 1);
  };
  const planes = new Float32Array(coarse.pixels.length * 4);
  coarse.pixels.forEach((pixel, i) => {
    planes.set([...normal, depthAt(pixel, coarse)], i * 4);
  });
  const out = finerPlanes(planes, coarse, fine);
  let found = 0;
  fine.pixels.forEach((pixel, i) => {
    if (out[i * 4 + 3] === 0) return;
    found++;
    expect(out[i * 4 + 3]).toBeCloseTo(depthAt(pixel, fine), 4);
    expect(out[i * 4]).toBeCloseTo(normal[0], 5);
  });
  expect(found).toBeGreaterThan(0.97 * fine.pixels.length);
});

it('starts from the nearest of the known points in a pixel, within the range', () => {
  const point = (x: number, y: number, depth: number) => unprojectPixel(fine.camera, x, y, depth);
  const middle = fine.camera.width / 2;
  const points = Float32Array.from([...point(middle, middle, 2.9), ...point(middle, middle, 2.5), ...point(12, 20, 9)]);
  const planes = pointPlanes(points, fine, { nearest: 2, farthest: 4 });
  const found = [...fine.pixels].flatMap((pixel, i) => (planes[i * 4 + 3] > 0 ? [[pixel, planes[i * 4 + 3]]] : []));
  const { x, y } = projectPoint(fine.camera, [points[3], points[4], points[5]]);
  expect(found).toHaveLength(1);
  expect(found[0][0]).toBe(Math.floor(y) * 65536 + Math.floor(x));
  expect(found[0][1]).toBeCloseTo(2.5, 4);
});

it('packs what fits well enough, and leaves the rest without depth', () => {
  const planes = new Float32Array(fine.pixels.length * 4);
  fine.pixels.forEach((_, i) => {
    planes.set([0.3, -0.4, -Math.sqrt(0.75), 2 + i / 1000], i * 4);
  });
  const map = packMap(
    fine,
    planes,
    Float32Array.from(fine.pixels, (_, i) => (i % 2 ? 0.2 : 0.9)),
    0.5,
  );
  const floats = new Float32Array(map.buffer);
  fine.pixels.forEach((pixel, i) => {
    const at = ((pixel >>> 16) * fine.camera.width + (pixel & 0xffff)) * 2;
    expect(floats[at]).toBeCloseTo(i % 2 ? 2 + i / 1000 : 0, 5);
    if (i % 2 === 0) return;
    const [x, y] = new Int16Array(map.buffer, (at + 1) * 4, 2);
    expect(x / 32767).toBeCloseTo(0.3, 4);
    expect(y / 32767).toBeCloseTo(-0.4, 4);
  });
});
