import { describe, expect, it } from 'vitest';
import { ELLIPSOID_BOX, errorOf, pinhole, renderEllipsoid, ringPoses } from '../../../test/captureScene.js';
import type { Bounds } from '../../core/bounds.js';
import { lookAt, type Mat4 } from '../../core/math.js';
import { Random } from '../../core/random.js';
import type { View } from '../capture.js';
import { surveyView } from '../survey.js';
import { type BoundsInput, findBounds } from './findBounds.js';

const LENS = pinhole(120, 90, 110);

interface Change {
  depth?: boolean;
  /** Pose that the view claims, instead of that of its picture. */
  claim?(pose: Mat4, index: number): Mat4;
  testFrom?: number;
  lens?: typeof LENS;
}

function scene(
  poses: readonly Mat4[],
  { depth, claim, testFrom = poses.length, lens = LENS }: Change = {},
): BoundsInput {
  const views: View[] = [];
  const surveys = poses.map((pose, i) => {
    const picture = renderEllipsoid(lens, pose);
    const { width, height, fx, fy, cx, cy } = lens;
    const camera = { width, height, fx, fy, cx, cy, cameraToWorld: claim?.(pose, i) ?? pose };
    views.push({
      name: `v${i}`,
      source: `/x/v${i}.png`,
      camera,
      split: i >= testFrom ? 'test' : 'train',
      loadColor: async () => picture.color,
      depth: depth ? { source: `/x/d${i}.png`, camera, accuracy: 0.001, load: async () => picture.depth } : undefined,
    });
    return surveyView(picture.color, depth ? picture.depth : undefined);
  });
  return { views, surveys, hasMasks: true };
}

/** How far the box lies outside the true one on each side, as a share of the true extent. */
const excess = ({ min, max }: Bounds): number[] =>
  [0, 1, 2].flatMap((i) => {
    const extent = ELLIPSOID_BOX.max[i] - ELLIPSOID_BOX.min[i];
    return [(ELLIPSOID_BOX.min[i] - min[i]) / extent, (max[i] - ELLIPSOID_BOX.max[i]) / extent];
  });

const six: Mat4[] = [
  [0, 0, 1],
  [0, 0, -1],
  [1, 0, 0],
  [-1, 0, 0],
  [0, 1, 0],
  [0, -1, 0],
].map(([x, y, z]) => lookAt([2.6 * x, 2.6 * y, 2.6 * z], [0, 0, 0]));

describe('findBounds', () => {
  it.each([
    ['24 masks', ringPoses(24), {}, 0.1],
    ['six masks from the sides', six, {}, 0.12],
    ['six masks with depth', six, { depth: true }, 0.08],
    ['100 masks', ringPoses(100), { lens: pinhole(60, 45, 55) }, 0.15],
  ])('never cuts the object and stays close to it with %s', async (_, poses, change, most) => {
    const { bounds, warnings } = await findBounds(scene(poses, change));
    expect(Math.min(...excess(bounds))).toBeGreaterThanOrEqual(0);
    expect(Math.max(...excess(bounds))).toBeLessThan(most);
    expect(warnings).toEqual([]);
  });

  it('does not cut where pictures show only part of the object', async () => {
    const { bounds } = await findBounds(scene(six, { lens: pinhole(80, 80, 150) }));
    expect(Math.min(...excess(bounds))).toBeGreaterThanOrEqual(0);
  });

  it('takes the bounds from depth alone where there are no masks', async () => {
    const { bounds } = await findBounds({ ...scene(six, { depth: true }), hasMasks: false });
    expect(Math.min(...excess(bounds))).toBeGreaterThanOrEqual(0);
    expect(Math.max(...excess(bounds))).toBeLessThan(0.12);
  });

  it('takes the room around the cameras for no part of the object', async () => {
    const points: number[] = [];
    const random = new Random(3);
    const within = (min: readonly number[], max: readonly number[]): void => {
      points.push(...[0, 1, 2].map((k) => min[k] + (max[k] - min[k]) * random.float()));
    };
    for (let i = 0; i < 400; i++) within(ELLIPSOID_BOX.min, ELLIPSOID_BOX.max);
    // Walls that are 6 units away, beyond the cameras at 2.6.
    for (let i = 0; i < 1600; i++) {
      const wall = [-6, -6, -6];
      const axis = i % 3;
      within(wall, [6, 6, 6]);
      points[points.length - 3 + axis] = i % 2 ? 6 : -6;
    }
    const { bounds, warnings } = await findBounds({ ...scene(six), hasMasks: false, points });
    for (const k of [0, 1, 2]) {
      const extent = ELLIPSOID_BOX.max[k] - ELLIPSOID_BOX.min[k];
      expect(Math.abs(bounds.max[k] - ELLIPSOID_BOX.max[k]) / extent).toBeLessThan(0.15);
      expect(Math.abs(bounds.min[k] - ELLIPSOID_BOX.min[k]) / extent).toBeLessThan(0.15);
    }
    expect(warnings.map((w) => w.message)).toEqual([expect.stringMatching(/: 400 of 2000 points do/)]);
  });

  it('takes the bounds from sparse points, strays left out', async () => {
    const points = new Float32Array(3000);
    for (let i = 0; i < 1000; i++) {
      for (let k = 0; k < 3; k++) {
        const { min, max } = ELLIPSOID_BOX;
        points[i * 3 + k] = min[k] + (max[k] - min[k]) * ((i * [7, 11, 13][k]) % 1000) * 0.001;
      }
    }
    points.set([50, -80, 20], 0);
    const { bounds } = await findBounds({ ...scene(six), hasMasks: false, points });
    expect(Math.min(...excess(bounds))).toBeGreaterThan(0);
    expect(Math.max(...excess(bounds))).toBeLessThan(0.1);
  });

  it('guesses from the cameras where there is nothing else, and says so', async () => {
    const { bounds, warnings } = await findBounds({ ...scene(six), hasMasks: false });
    expect(Math.min(...excess(bounds))).toBeGreaterThan(0);
    expect(warnings.map(({ code }) => code)).toEqual(['CAPTURE_BOUNDS_GUESSED']);
  });

  it('names the camera that looks away', async () => {
    const away = (pose: Mat4, i: number) =>
      i === 3 ? [...pose.slice(0, 12), ...pose.slice(12, 15).map((v) => v * -3), 1] : pose;
    for (const testFrom of [3, 6]) {
      const error = await errorOf(findBounds(scene(six, { claim: away, testFrom })));
      expect([error.code, error.subject]).toEqual(['CAPTURE_OBJECT_OUT_OF_VIEW', '/x/v3.png']);
    }
  });

  it('names the view whose silhouette misses those of all others', async () => {
    // Shifted sideways by more than the object.
    const shifted = (pose: Mat4, i: number) =>
      i === 2 ? pose.map((v, k) => (k >= 12 && k < 15 ? v + 1.3 * pose[k - 12] : v)) : pose;
    const few = await errorOf(findBounds(scene(six, { claim: shifted })));
    expect([few.code, few.subject]).toEqual(['CAPTURE_OBJECT_OUT_OF_VIEW', '/x/v2.png']);
    // One of many does not spoil the hull, and is told by what the hull cannot explain.
    const many = await errorOf(findBounds(scene(ringPoses(30), { claim: shifted })));
    expect([many.code, many.subject]).toEqual(['CAPTURE_VIEWS_DISAGREE', '/x/v2.png']);
  });

  it('warns of a view that fits only in part', async () => {
    const nudged = (pose: Mat4, i: number) =>
      i === 2 ? pose.map((v, k) => (k >= 12 && k < 15 ? v + 0.2 * pose[k - 12] : v)) : pose;
    const { warnings } = await findBounds(scene(ringPoses(30), { claim: nudged }));
    expect(warnings).toEqual([expect.objectContaining({ code: 'CAPTURE_VIEWS_DISAGREE', subject: 'v2' })]);
  });

  it('refuses cameras that all look along the same line', async () => {
    const same = ringPoses(1);
    const error = await errorOf(findBounds(scene([same[0], same[0], same[0]])));
    expect(error.code).toBe('CAPTURE_OBJECT_OUT_OF_VIEW');
  });

  it('refuses cameras in another convention, where they look outwards', async () => {
    const outward = (pose: Mat4) => pose.map((v, k) => (k >= 4 && k < 12 ? -v : v));
    expect((await errorOf(findBounds(scene(six, { claim: outward })))).code).toBe('CAPTURE_OBJECT_OUT_OF_VIEW');
  });

  it('stops on an abort', async () => {
    const controller = new AbortController();
    controller.abort();
    expect((await errorOf(findBounds({ ...scene(six), signal: controller.signal }))).code).toBe('CANCELLED');
  });
});
