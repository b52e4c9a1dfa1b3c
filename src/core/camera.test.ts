import { describe, expect, test } from 'vitest';
import { type Camera, projectPoint, resizeCamera, unprojectPixel, worldToClip } from './camera.js';
import { lookAt, type Vec3 } from './math.js';

/** A camera with nothing symmetric about it. */
const camera: Camera = {
  cameraToWorld: lookAt([1, 2, 5], [0.2, -0.1, 0], [0.1, 1, 0]),
  width: 640,
  height: 480,
  fx: 700,
  fy: 650,
  cx: 300,
  cy: 260,
};

test('a point projects, and its pixel at its depth is that point again', () => {
  for (const point of [
    [0, 0, 0],
    [0.5, -0.3, 0.7],
    [-1, 1, 1],
  ] as Vec3[]) {
    const { x, y, depth } = projectPoint(camera, point);
    expect(depth).toBeGreaterThan(0);
    unprojectPixel(camera, x, y, depth).forEach((v, i) => {
      expect(v).toBeCloseTo(point[i], 10);
    });
  }
});

test('image axes: right of the camera is a greater x, above it a smaller y, behind it a negative depth', () => {
  const front: Camera = { ...camera, cameraToWorld: lookAt([0, 0, 5], [0, 0, 0]) };
  const centre = projectPoint(front, [0, 0, 0]);
  expect([centre.x, centre.y, centre.depth]).toEqual([front.cx, front.cy, 5]);
  expect(projectPoint(front, [1, 0, 0]).x).toBeCloseTo(front.cx + front.fx / 5, 10);
  expect(projectPoint(front, [0, 1, 0]).y).toBeCloseTo(front.cy - front.fy / 5, 10);
  expect(projectPoint(front, [0, 0, 6]).depth).toBe(-1);
});

describe('resizeCamera', () => {
  test('scales pixels by each side’s own factor', () => {
    const half = resizeCamera(camera, 320, 120);
    expect(half).toMatchObject({ width: 320, height: 120, fx: 350, fy: 162.5, cx: 150, cy: 65 });
    const { x, y } = projectPoint(camera, [0.3, 0.2, 0.1]);
    const small = projectPoint(half, [0.3, 0.2, 0.1]);
    expect([small.x, small.y]).toEqual([expect.closeTo(x / 2, 9), expect.closeTo(y / 4, 9)]);
  });
});

test('clip space says the same as the projection: pixels, and depth 0 at near to 1 at far', () => {
  const m = worldToClip(camera, 1, 20);
  const clip = (p: Vec3) => {
    const [x, y, z, w] = [0, 1, 2, 3].map((r) => m[r] * p[0] + m[4 + r] * p[1] + m[8 + r] * p[2] + m[12 + r]);
    return { x: ((x / w + 1) / 2) * camera.width, y: ((1 - y / w) / 2) * camera.height, z: z / w };
  };
  const point: Vec3 = [0.4, -0.2, 0.3];
  const pixel = projectPoint(camera, point);
  expect(clip(point)).toEqual({ x: expect.closeTo(pixel.x, 8), y: expect.closeTo(pixel.y, 8), z: expect.anything() });
  expect(clip(unprojectPixel(camera, 100, 200, 1)).z).toBeCloseTo(0, 10);
  expect(clip(unprojectPixel(camera, 100, 200, 20)).z).toBeCloseTo(1, 10);
});
