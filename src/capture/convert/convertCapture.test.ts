import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { errorOf, put, useFolders } from '../../../test/captureScene.js';
import { sphereCapture } from '../../../test/sphereCapture.js';
import type { Camera } from '../../core/camera.js';
import { invertAffine, multiply } from '../../core/math.js';
import type { Capture } from '../capture.js';
import { readCapture } from '../readCapture.js';
import { convertCapture } from './convertCapture.js';
import { depthOnto } from './depthOnto.js';

const folder = useFolders();
const named = (capture: Capture, name: string) => capture.views.find((v) => v.name === name)!;

/** Greatest difference of two cameras' numbers, relative to `1 + |value|`. */
function difference(a: Camera, b: Camera): number {
  const numbers = ({ cameraToWorld, width, height, fx, fy, cx, cy }: Camera) => [
    ...cameraToWorld,
    ...[width, height, fx, fy, cx, cy],
  ];
  const other = numbers(b);
  return Math.max(...numbers(a).map((v, i) => Math.abs(v - other[i]) / (1 + Math.abs(v))));
}

const capture = sphereCapture({ views: 6 });
const withTest: Capture = {
  ...capture,
  views: capture.views.map((v, i) => ({ ...v, split: i === 5 ? 'test' : 'train' })),
};

describe('what is written reads back', () => {
  test('as transforms: cameras, pictures with masks, depth and splits', async () => {
    const out = join(await folder(), 'clean');
    const written = await convertCapture(withTest, out, 'transforms');
    expect(written).toMatchObject({ output: out, warnings: [] });
    const again = await readCapture(out);
    expect(again).toMatchObject({ masks: 'alpha', warnings: [] });
    expect(again.views).toHaveLength(6);
    for (const view of withTest.views) {
      const other = named(again, view.name);
      expect(difference(view.camera, other.camera)).toBeLessThan(1e-9);
      expect(other.split).toBe(view.split);
      expect((await other.loadColor()).data).toEqual((await view.loadColor()).data);
      expect((await other.depth!.load()).data).toEqual((await view.depth!.load()).data);
    }
  });

  test('as a COLMAP model: cameras up to the turn that gives it an up, pictures and masks', async () => {
    const out = join(await folder(), 'clean');
    const written = await convertCapture(withTest, out, 'colmap');
    expect(written.warnings.map((w) => w.code)).toEqual(['CONVERT_DEPTH_LEFT_OUT', 'CONVERT_SPLIT_LOST']);
    const again = await readCapture(out);
    expect(again).toMatchObject({ format: 'colmap', masks: 'files' });
    const first = withTest.views[0];
    // COLMAP's world has no up, so the reader chooses it: one rotation for all cameras.
    const turn = multiply(named(again, first.name).camera.cameraToWorld, invertAffine(first.camera.cameraToWorld));
    for (const view of withTest.views) {
      const other = named(again, view.name);
      const expected = { ...view.camera, cameraToWorld: multiply(turn, view.camera.cameraToWorld) };
      expect(difference(expected, other.camera)).toBeLessThan(1e-6);
      const [a, b] = [await view.loadColor(), await other.loadColor()];
      expect(b.data.filter((_, i) => i % 4 === 3)).toEqual(a.data.filter((_, i) => i % 4 === 3));
      expect(b.data).toEqual(a.data);
    }
  });
});

test('a depth map with lenses of its own is put onto the picture’s, one from elsewhere is not', () => {
  const camera = capture.views[0].camera;
  const wide = { ...camera, fx: camera.fx / 2, fy: camera.fy / 2 };
  const data = Float32Array.from({ length: camera.width * camera.height }, (_, i) => 1 + (i % camera.width));
  const depth = { width: camera.width, height: camera.height, data };
  const onto = depthOnto(depth, wide, camera)!;
  const row = Math.floor(camera.height / 2) * camera.width;
  // Half the focal length: the picture's whole width is the middle half of the depth map.
  expect(onto.data[row]).toBe(1 + Math.floor(camera.width / 4));
  expect(onto.data[row + camera.width - 1]).toBe(Math.floor((3 * camera.width) / 4));
  const moved = { ...wide, cameraToWorld: camera.cameraToWorld.map((v, i) => (i === 12 ? v + 0.1 : v)) };
  expect(depthOnto(depth, moved, camera)).toBeUndefined();
});

test('a folder that holds something stays as it is', async () => {
  const root = await folder();
  await put(root, 'mine.txt', 'keep');
  const error = await errorOf(convertCapture(capture, root, 'transforms'));
  expect(error).toMatchObject({ code: 'OUTPUT_EXISTS' });
  expect(await readdir(root)).toEqual(['mine.txt']);
  expect(await readFile(join(root, 'mine.txt'), 'utf8')).toBe('keep');
});

test('what fails or is cancelled half way leaves nothing', async () => {
  const root = await folder();
  const broken: Capture = {
    ...capture,
    views: capture.views.map((v, i) => (i === 3 ? { ...v, loadColor: () => Promise.reject(new Error('torn')) } : v)),
  };
  await errorOf(convertCapture(broken, join(root, 'a'), 'transforms'));
  const stop = new AbortController();
  const cancelled = convertCapture(capture, join(root, 'b'), 'colmap', {
    signal: stop.signal,
    progress: ({ fraction }) => fraction > 0.4 && stop.abort(),
  });
  expect(await errorOf(cancelled)).toMatchObject({ code: 'CANCELLED' });
  expect(await readdir(root)).toEqual([]);
});
