import { Random } from '../src/core/random.js';
import type { PhotoLens } from '../src/photos/mapper/lensModel.js';
import type { Pose } from '../src/photos/mapper/p3p.js';
import { rotationOf } from '../src/photos/solve/rotation.js';
import { multiply3 } from '../src/photos/solve/svd3.js';

/** Points seen by cameras around them, with exact truth. */
export interface PhotoScene {
  lens: PhotoLens;
  poses: Pose[];
  /** x, y, z of every point. */
  points: Float64Array;
  /** x, y of every point in every photo, in pixels. */
  pixels: Float64Array[];
}

export const TEST_LENS: PhotoLens = {
  width: 1600,
  height: 1200,
  f: 1500,
  cx: 800,
  cy: 600,
  k1: -0.08,
  k2: 0.03,
};

/** Pixel of a point in the camera's axes. */
export function projectWith({ f, cx, cy, k1, k2 }: PhotoLens, p: ArrayLike<number>): [number, number] {
  const [x, y] = [p[0] / p[2], p[1] / p[2]];
  const r2 = x * x + y * y;
  const s = f * (1 + r2 * (k1 + r2 * k2));
  return [cx + s * x, cy + s * y];
}

/** R p + t. */
export const toCamera = ({ rotation: r, translation: t }: Pose, p: ArrayLike<number>): number[] =>
  [0, 1, 2].map((k) => r[k * 3] * p[0] + r[k * 3 + 1] * p[1] + r[k * 3 + 2] * p[2] + t[k]);

/** Cameras on an arc of `degrees` at distance 4, looking at points within a unit cube; pixels with normal noise. */
export function photoScene(options: {
  photos: number;
  points: number;
  degrees?: number;
  noise?: number;
  seed?: number;
  lens?: PhotoLens;
}): PhotoScene {
  const { photos, points: count, degrees = 90, noise = 0, seed = 1, lens = TEST_LENS } = options;
  const random = new Random(seed);
  const points = Float64Array.from({ length: count * 3 }, () => 2 * random.float() - 1);
  const poses = Array.from({ length: photos }, (_, i): Pose => {
    const angle = ((degrees * Math.PI) / 180) * (photos > 1 ? i / (photos - 1) : 0);
    const turn = rotationOf(0, angle, 0);
    const wobble = rotationOf(0.1 * random.normal(), 0.05 * random.normal(), 0.2 * random.normal());
    return {
      rotation: multiply3(wobble, turn),
      translation: Float64Array.of(0.1 * random.normal(), 0.1 * random.normal(), 4 + 0.2 * random.normal()),
    };
  });
  const pixels = poses.map((pose) =>
    Float64Array.from(
      Array.from({ length: count }, (_, j) =>
        projectWith(lens, toCamera(pose, points.subarray(j * 3, j * 3 + 3))),
      ).flatMap(([x, y]) => [x + noise * random.normal(), y + noise * random.normal()]),
    ),
  );
  return { lens, poses, points, pixels };
}
