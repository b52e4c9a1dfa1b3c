import { describe, expect, it } from 'vitest';
import {
  ELLIPSOID_BOX,
  encode,
  errorOf,
  pinhole,
  put,
  renderEllipsoid,
  ringPoses,
  useFolders,
} from '../../test/captureScene.js';
import type { Mat4 } from '../core/math.js';
import { captureFromViews, type ObjectView } from './captureFromViews.js';

const folder = useFolders();
const LENS = pinhole(96, 72, 90);

const views = (change: (view: ObjectView, i: number) => ObjectView = (view) => view): ObjectView[] =>
  ringPoses(6).map((pose, i) => {
    const { color, depth } = renderEllipsoid(LENS, pose);
    const { width, height, fx, fy, cx, cy } = LENS;
    const camera = { width, height, fx, fy, cx, cy, cameraToWorld: pose };
    return change({ color, camera, depth: { image: depth, accuracy: 1e-5 } }, i);
  });

describe('captureFromViews', () => {
  it('makes a capture of pixels in memory', async () => {
    const given = views();
    const capture = await captureFromViews(given, { name: 'ellipsoid' });
    expect(capture).toMatchObject({
      name: 'ellipsoid',
      format: 'object',
      masks: 'alpha',
      scaleKnown: true,
      warnings: [],
    });
    expect(capture.views.map(({ name }) => name)).toEqual([0, 1, 2, 3, 4, 5].map((i) => `view_${i}`));
    for (let i = 0; i < 3; i++) {
      expect(capture.bounds.min[i]).toBeLessThanOrEqual(ELLIPSOID_BOX.min[i]);
      expect(capture.bounds.max[i]).toBeGreaterThanOrEqual(ELLIPSOID_BOX.max[i]);
    }
    const [view] = capture.views;
    const loaded = await view.loadColor();
    expect(Buffer.compare(Buffer.from(loaded.data), Buffer.from((given[0].color as typeof loaded).data))).toBe(0);
    loaded.data.fill(0);
    expect((await view.loadColor()).data.some((v) => v > 0)).toBe(true);
    expect(view.depth?.accuracy).toBe(1e-5);
    expect((await view.depth?.load())?.data).toEqual(given[0].depth?.image.data);
  });

  it('takes files, masks, names and splits', async () => {
    const root = await folder();
    const given = views();
    for (const [i, view] of given.entries()) {
      const { width, height, data } = view.color as { width: number; height: number; data: Uint8ClampedArray };
      view.mask = { width, height, data: Uint8Array.from({ length: width * height }, (_, p) => data[p * 4 + 3]) };
      view.color = await put(
        root,
        `p${i}.png`,
        await encode({ width, height, data: data.map((v, p) => (p % 4 === 3 ? 255 : v)) }),
      );
      view.split = i === 5 ? 'test' : undefined;
      if (i === 1) view.name = 'second';
    }
    const capture = await captureFromViews(given);
    expect(capture.masks).toBe('files');
    expect(capture.views.map(({ name, split }) => `${name} ${split}`)).toEqual([
      'p0 train',
      'second train',
      'p2 train',
      'p3 train',
      'p4 train',
      'p5 test',
    ]);
    expect((await capture.views[0].loadColor()).data[3]).toBe(0);
  });

  it('turns cameras of a +Z up frame, those of depth maps too', async () => {
    // World (x, y, z) is (x, −z, y) in the frame with +Z up.
    const turned = (m: Mat4): Mat4 => m.map((_, k) => [m[k], -m[k + 1], m[k - 1], m[k]][k % 4]);
    const plain = await captureFromViews(views());
    const capture = await captureFromViews(
      views((view) => {
        const camera = { ...view.camera, cameraToWorld: turned(view.camera.cameraToWorld) };
        return { ...view, camera, depth: view.depth && { ...view.depth, camera } };
      }),
      { up: 'z' },
    );
    capture.views.forEach((view, i) => {
      for (const camera of [view.camera, view.depth?.camera]) {
        camera?.cameraToWorld.forEach((v, k) => {
          expect(v).toBeCloseTo(plain.views[i].camera.cameraToWorld[k], 9);
        });
      }
    });
    capture.bounds.min.forEach((v, k) => {
      expect(v).toBeCloseTo(plain.bounds.min[k], 6);
    });
  });

  it('refuses wrong lengths, wrong sizes and cameras of no use, naming the view', async () => {
    const code = async (change: (view: ObjectView) => ObjectView) => {
      const error = await errorOf(captureFromViews(views((view, i) => (i === 2 ? change(view) : view))));
      return [error.code, error.message.includes('view_2')];
    };
    expect(await code((v) => ({ ...v, color: { width: 96, height: 72, data: new Uint8Array(9) } }))).toEqual([
      'OPTION_INVALID',
      true,
    ]);
    expect(await code((v) => ({ ...v, camera: { ...v.camera, width: 50 } }))).toEqual(['IMAGE_SIZE_MISMATCH', true]);
    expect(await code((v) => ({ ...v, camera: { ...v.camera, fx: Number.NaN } }))).toEqual([
      'CAPTURE_CAMERA_INVALID',
      true,
    ]);
    const mirrored = (m: Mat4): Mat4 => m.map((x, k) => (k < 4 ? -x : x));
    expect(
      await code((v) => ({ ...v, camera: { ...v.camera, cameraToWorld: mirrored(v.camera.cameraToWorld) } })),
    ).toEqual(['CAPTURE_CAMERA_INVALID', true]);
    const clear = { width: 96, height: 72, data: new Uint8ClampedArray(96 * 72 * 4) };
    expect(await code((v) => ({ ...v, color: clear }))).toEqual(['CAPTURE_MASK_EMPTY', true]);
  });
});
