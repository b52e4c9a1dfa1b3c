import { describe, expect, it } from 'vitest';
import { useGpu } from '../../../../test/gpu.js';
import { type Camera, projectionMatrix, worldToCamera } from '../../../core/camera.js';
import { lookAt, multiply, transformPoint, type Vec3 } from '../../../core/math.js';
import { Random } from '../../../core/random.js';
import { createDiffCameras, packCameras } from '../geometry/cameras.js';
import type { Frame, Gradients } from '../types.js';
import { createMovingCameras, readMovedCameras, recordCameraStep, recordMovedCameras } from './cameraStep.js';

const gpu = useGpu();
const random = new Random(11, 0);
const CENTER: Vec3 = [0.1, -0.2, 0.05];
const RADIUS = 1.2;
const CAMERAS: Camera[] = [[2.4, 0.8, 1.6] as Vec3, [-1.5, 2.2, 1.9] as Vec3, [0.2, -0.4, -3] as Vec3].map(
  (eye, i) => ({
    cameraToWorld: lookAt(eye, [0.05 * i, 0, 0]),
    width: 64,
    height: 48,
    fx: 70 + i,
    fy: 72,
    cx: 30 + i,
    cy: 25,
  }),
);

/**
 * World-to-clip in float64 after a turn about the pivot by the rotation vector m[0…2], a shift m[3…5] and exp(m[6]) on
 * the focal lengths.
 */
function clipOf(camera: Camera, m: readonly number[]): number[] {
  const toCamera = worldToCamera(camera);
  const pivot = transformPoint(toCamera, CENTER);
  const angle = Math.hypot(m[0], m[1], m[2]);
  const [x, y, z] = angle > 0 ? [m[0] / angle, m[1] / angle, m[2] / angle] : [1, 0, 0];
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  // Rodrigues' formula, by columns.
  const turn = [
    [c + x * x * (1 - c), y * x * (1 - c) + z * s, z * x * (1 - c) - y * s, 0],
    [x * y * (1 - c) - z * s, c + y * y * (1 - c), z * y * (1 - c) + x * s, 0],
    [x * z * (1 - c) + y * s, y * z * (1 - c) - x * s, c + z * z * (1 - c), 0],
    [0, 0, 0, 1],
  ].flat();
  const shiftBy = (v: readonly number[]) => [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, ...v, 1];
  const motion = multiply(
    shiftBy([pivot[0] + m[3], pivot[1] + m[4], pivot[2] + m[5]]),
    multiply(turn, shiftBy(pivot.map((v) => -v))),
  );
  const focal = Math.exp(m[6]);
  const p = projectionMatrix({ ...camera, fx: camera.fx * focal, fy: camera.fy * focal }, 1, 2);
  return multiply(p, multiply(motion, toCamera));
}

const frameOf = (views: number[]) => ({ views, capacity: 4 }) as unknown as Frame;

/** Steps with the given gradients of world-to-clip, one list of [16] per camera and step; then what was read back. */
async function stepped(
  steps: Float32Array[],
  views: number[],
  rates: { turn: number; shift: number; focal: number; pull?: number },
) {
  const cameras = createDiffCameras(gpu(), CAMERAS, CENTER, RADIUS);
  const moving = createMovingCameras(gpu(), CAMERAS, CENTER, RADIUS);
  const gradient = gpu().createBuffer(CAMERAS.length * 64, 'gradient');
  for (const values of steps) {
    gpu().write(gradient, values);
    gpu().run((batch) => {
      recordCameraStep(batch, moving, cameras, frameOf(views), { cameras: gradient } as Gradients, rates);
    });
  }
  const state = await gpu().readFloat32(moving.state, CAMERAS.length * 24);
  const records = await gpu().readFloat32(cameras.buffer, CAMERAS.length * 32);
  const moved = await readMovedCameras(gpu(), moving, CAMERAS, CENTER);
  return { state, records, moved };
}

describe('moving cameras', () => {
  it('stand where they were put before any step', async () => {
    const cameras = createDiffCameras(gpu(), CAMERAS, CENTER, RADIUS);
    const expected = await gpu().readFloat32(cameras.buffer, CAMERAS.length * 32);
    gpu().write(cameras.buffer, new Float32Array(CAMERAS.length * 32));
    const moving = createMovingCameras(gpu(), CAMERAS, CENTER, RADIUS);
    gpu().run((batch) => recordMovedCameras(batch, moving, cameras));
    const records = await gpu().readFloat32(cameras.buffer, CAMERAS.length * 32);
    records.forEach((v, i) => {
      expect(v).toBeCloseTo(expected[i], 5);
    });
    for (const { turn, shift, focal } of await readMovedCameras(gpu(), moving, CAMERAS, CENTER)) {
      expect([turn, shift, focal]).toEqual([0, 0, 1]);
    }
  });

  it('have the gradients of turn, shift and focal length that central differences give', async () => {
    const weights = Float32Array.from({ length: CAMERAS.length * 16 }, (_, i) =>
      // The third row of world-to-clip, depth, takes no gradient.
      i % 4 === 2 ? 0 : 2 * random.float() - 1,
    );
    const { state } = await stepped([weights], [0, 1, 2], { turn: 1e-4, shift: 1e-4, focal: 1e-4 });
    CAMERAS.forEach((camera, n) => {
      const loss = (m: number[]) =>
        clipOf(camera, m).reduce((sum, v, i) => sum + (i % 4 === 2 ? 0 : v * weights[n * 16 + i]), 0);
      for (let k = 0; k < 7; k++) {
        const at = (h: number) => loss([0, 0, 0, 0, 0, 0, 0].map((_, i) => (i === k ? h : 0)));
        const difference = (at(1e-5) - at(-1e-5)) / 2e-5;
        // The first moment after one step is a tenth of the gradient.
        const moment = state[n * 24 + (k < 3 ? 8 + k : 9 + k)];
        expect(moment * 10).toBeCloseTo(difference, 3);
      }
    });
  });

  it('move against the gradient, alike in the records and in what is read, and only those of the batch', async () => {
    const steps = Array.from({ length: 6 }, () =>
      Float32Array.from({ length: CAMERAS.length * 16 }, (_, i) => (i % 4 === 2 ? 0 : Math.sin(i * 1.7))),
    );
    const { records, moved } = await stepped(steps, [2, 0], { turn: 0.02, shift: 0.03, focal: 0.01 });
    const packed = packCameras(
      moved.map((m) => m.camera),
      CENTER,
      RADIUS,
    );
    for (let i = 0; i < records.length; i++) {
      // Depth ranges are those of the first cameras.
      if (i % 32 < 16 && i % 4 === 2) continue;
      expect(records[i], `number ${i}`).toBeCloseTo(packed[i], 4);
    }
    expect(moved[1]).toMatchObject({ turn: 0, shift: 0, focal: 1 });
    expect(moved[0].turn).toBeGreaterThan(1);
    expect(moved[2].shift).toBeGreaterThan(0.05);
    const value = (camera: Camera, n: number) =>
      clipOf(camera, [0, 0, 0, 0, 0, 0, 0]).reduce(
        (sum, v, i) => sum + (i % 4 === 2 ? 0 : v * steps[0][n * 16 + i]),
        0,
      );
    for (const n of [0, 2]) expect(value(moved[n].camera, n)).toBeLessThan(value(CAMERAS[n], n));
  });

  it('go back to where they were under the pull alone', async () => {
    const push = Float32Array.from({ length: CAMERAS.length * 16 }, (_, i) => (i % 4 === 2 ? 0 : 1));
    const rates = { turn: 0.02, shift: 0.02, focal: 0.02 };
    const far = await stepped([push, push], [0], rates);
    const near = await stepped([push, push], [0], { ...rates, pull: 0.5 });
    expect(near.moved[0].turn).toBeLessThan(far.moved[0].turn * 0.6);
    expect(near.moved[0].shift).toBeLessThan(far.moved[0].shift * 0.6);
  });
});
