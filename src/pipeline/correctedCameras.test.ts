import { expect, test } from 'vitest';
import type { Capture, View } from '../capture/capture.js';
import type { Camera } from '../core/camera.js';
import { lookAt } from '../core/math.js';
import { withCorrectedCameras } from './correctedCameras.js';

const camera = (x: number): Camera => ({
  cameraToWorld: lookAt([x, 1, 3], [0, 0, 0]),
  width: 64,
  height: 48,
  fx: 70,
  fy: 72,
  cx: 32,
  cy: 24,
});
const view = (name: string, depthCamera?: Camera): View => ({
  name,
  source: name,
  camera: camera(1),
  split: 'train',
  loadColor: () => Promise.reject(new Error('not read')),
  ...(depthCamera && {
    depth: { source: name, camera: depthCamera, accuracy: 0.01, load: () => Promise.reject(new Error('not read')) },
  }),
});

test('corrected views look from their new places, and depth goes along where it was taken from the same place', () => {
  const views = [view('a', { ...camera(1), width: 32, fx: 35 }), view('b', camera(2)), view('c')];
  const capture = { name: 'x', views } as Capture;
  const moved = { cameraToWorld: camera(1.2).cameraToWorld, fx: 77, fy: 72 };
  const [a, b, c] = withCorrectedCameras(capture, { cameras: { a: moved, b: moved } }).views;
  expect(a.camera).toEqual({ ...camera(1), ...moved });
  expect(a.depth!.camera.cameraToWorld).toBe(moved.cameraToWorld);
  expect(a.depth!.camera.fx).toBeCloseTo(35 * 1.1, 9);
  expect(b.camera.fx).toBe(77);
  expect(b.depth!.camera).toEqual(camera(2));
  expect(c).toBe(views[2]);
  expect(withCorrectedCameras(capture, {})).toBe(capture);
});

test('the principal point moves where it was found, and views that are not placed are left out, unless all are', () => {
  const views = [view('a', camera(1)), view('b', camera(2)), view('c')];
  const capture = { name: 'x', views } as Capture;
  const found = { cameraToWorld: camera(1).cameraToWorld, fx: 70, fy: 70, cx: 3, cy: 4 };
  const cameras = { a: found, b: found };
  const named = (given: Capture, unplaced?: string[]) =>
    withCorrectedCameras(given, { cameras, unplaced }).views.map(({ name }) => name);
  expect(withCorrectedCameras(capture, { cameras }).views[0].camera).toMatchObject({ cx: 3, cy: 4 });
  expect(named(capture)).toEqual(['a', 'b', 'c']);
  expect(named(capture, ['b'])).toEqual(['a', 'c']);
  const unknown: Capture = { ...capture, cameras: 'none' };
  expect(named(unknown)).toEqual(['a', 'b']);
  expect(named(unknown, ['a'])).toEqual(['b']);
  expect(named(unknown, ['a', 'b'])).toEqual(['a', 'b']);
  expect(withCorrectedCameras(unknown, { cameras }).cameras).toBeUndefined();
});
