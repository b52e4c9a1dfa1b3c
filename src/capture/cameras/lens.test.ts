import { describe, expect, it } from 'vitest';
import { COLMAP_MODELS } from '../layout/colmap/cameraModels.js';
import {
  distort,
  isDistorted,
  type Lens,
  resizeLens,
  undistortedIntrinsics,
  undistortPoint,
  validRadius,
} from './lens.js';

const POINTS = [
  [0.1, 0.2],
  [-0.45, 0.3],
  [0.6, -0.5],
];

/** Pixels of POINTS as pycolmap (3.12, newer models 4.2) projects them, 640 × 480. */
const REFERENCE: Record<string, { parameters: number[]; pixels: number[][] }> = {
  SIMPLE_PINHOLE: {
    parameters: [500, 320, 240],
    pixels: [
      [370.0, 340.0],
      [95.0, 390.0],
      [620.0, -10.0],
    ],
  },
  PINHOLE: {
    parameters: [500, 510, 320, 240],
    pixels: [
      [370.0, 342.0],
      [95.0, 393.0],
      [620.0, -15.0],
    ],
  },
  SIMPLE_RADIAL: {
    parameters: [500, 320, 240, -0.12],
    pixels: [
      [369.7, 339.4],
      [102.8975, 384.735],
      [598.04, 8.3],
    ],
  },
  RADIAL: {
    parameters: [500, 320, 240, -0.12, 0.03],
    pixels: [
      [369.70375, 339.4075],
      [102.319995, 385.120003],
      [601.3889, 5.50925],
    ],
  },
  OPENCV: {
    parameters: [500, 510, 320, 240, -0.12, 0.03, 0.002, -0.003],
    pixels: [
      [369.63875, 341.46705],
      [101.003745, 388.917453],
      [598.7939, 2.869635],
    ],
  },
  OPENCV_FISHEYE: {
    parameters: [500, 510, 320, 240, -0.02, 0.01, -0.004, 0.002],
    pixels: [
      [369.144326, 340.254425],
      [114.644066, 379.642035],
      [572.8749, 25.056335],
    ],
  },
  FULL_OPENCV: {
    parameters: [500, 510, 320, 240, -0.12, 0.03, 0.002, -0.003, 0.01, 0.05, -0.02, 0.004],
    pixels: [
      [369.517311, 341.219315],
      [103.744651, 387.053637],
      [592.872998, 7.902402],
    ],
  },
  FOV: {
    parameters: [500, 510, 320, 240, 0.8],
    pixels: [
      [372.232526, 346.554353],
      [96.945417, 391.677116],
      [600.241544, 1.794688],
    ],
  },
  SIMPLE_RADIAL_FISHEYE: {
    parameters: [500, 320, 240, -0.05],
    pixels: [
      [369.071778, 338.143557],
      [116.278835, 375.81411],
      [569.090892, 32.424256],
    ],
  },
  RADIAL_FISHEYE: {
    parameters: [500, 320, 240, -0.05, 0.01],
    pixels: [
      [369.07293, 338.145861],
      [116.154224, 375.897184],
      [569.583194, 32.014005],
    ],
  },
  THIN_PRISM_FISHEYE: {
    parameters: [500, 510, 320, 240, -0.02, 0.01, 0.002, -0.003, -0.004, 0.002, 0.001, -0.002],
    pixels: [
      [369.10561, 340.27417],
      [113.660883, 380.143458],
      [571.2244, 26.085555],
    ],
  },
  RAD_TAN_THIN_PRISM_FISHEYE: {
    parameters: [
      500, 510, 320, 240, -0.02, 0.01, -0.004, 0.002, 0.001, -0.0005, 0.002, -0.003, 0.001, -0.002, 0.003, 0.0015,
    ],
    pixels: [
      [369.175805, 340.177379],
      [115.624757, 379.22874],
      [574.491494, 24.218874],
    ],
  },
  SIMPLE_DIVISION: {
    parameters: [500, 320, 240, -0.15],
    pixels: [
      [369.630522, 339.261043],
      [104.090314, 383.939791],
      [596.655781, 9.453515],
    ],
  },
  DIVISION: {
    parameters: [500, 510, 320, 240, 0.12],
    pixels: [
      [370.303655, 342.619456],
      [86.494099, 398.784013],
      [645.918357, -37.030604],
    ],
  },
  SIMPLE_FISHEYE: {
    parameters: [500, 320, 240],
    pixels: [
      [369.190807, 338.381614],
      [113.743994, 377.504004],
      [574.689644, 27.75863],
    ],
  },
  FISHEYE: {
    parameters: [500, 510, 320, 240],
    pixels: [
      [369.190807, 340.349247],
      [113.743994, 380.254084],
      [574.689644, 23.513803],
    ],
  },
  EUCM: {
    parameters: [500, 510, 320, 240, 0.6, 1.1],
    pixels: [
      [369.19908, 340.366124],
      [113.540918, 380.392176],
      [575.18819, 23.090038],
    ],
  },
};

const lensOf = (name: string): Lens => {
  const stated = COLMAP_MODELS[name].read(REFERENCE[name].parameters);
  const { fx = 0, fy = fx, cx = 0, cy = 0, model = 'brown', k = [], d, p, s } = stated;
  return { model, k, d, p, s, width: 640, height: 480, fx, fy, cx, cy };
};

const out = new Float64Array(2);

describe.each(Object.keys(COLMAP_MODELS))('lens model %s', (name) => {
  const lens = lensOf(name);

  it('projects as COLMAP does', () => {
    POINTS.forEach(([x, y], i) => {
      distort(lens, x, y, out);
      expect(out[0] * lens.fx + lens.cx).toBeCloseTo(REFERENCE[name].pixels[i][0], 4);
      expect(out[1] * lens.fy + lens.cy).toBeCloseTo(REFERENCE[name].pixels[i][1], 4);
    });
  });

  it('is inverted to 1e-8', () => {
    for (const [x, y] of POINTS) {
      distort(lens, x, y, out);
      const back = undistortPoint(lens, out[0], out[1], validRadius(lens));
      expect(back?.[0]).toBeCloseTo(x, 8);
      expect(back?.[1]).toBeCloseTo(y, 8);
    }
  });
});

describe('lens', () => {
  it('agrees with OpenCV on k1 k2 p1 p2 k3', () => {
    const lens: Lens = { ...lensOf('OPENCV'), k: [-0.12, 0.03, 0.01], p: [0.002, -0.003] };
    distort(lens, 0.6, -0.5, out);
    expect(out[0] * 500 + 320).toBeCloseTo(599.474843, 5);
    expect(out[1] * 510 + 240).toBeCloseTo(2.29083345, 5);
  });

  it('knows where a polynomial folds back', () => {
    // r(1 − 0.3 r²) turns at r = 1/√0.9 = 1.054.
    const radius = validRadius({ ...lensOf('SIMPLE_RADIAL'), k: [-0.3] });
    expect(radius).toBeGreaterThan(0.98);
    expect(radius).toBeLessThan(1.055);
    expect(validRadius(lensOf('PINHOLE'))).toBe(12);
    // The division model has pictures of directions up to 1/√(4k) only.
    expect(validRadius({ ...lensOf('SIMPLE_DIVISION'), k: [0.25] })).toBeLessThanOrEqual(1);
    expect(validRadius({ ...lensOf('SIMPLE_DIVISION'), k: [0.25] })).toBeGreaterThan(0.95);
  });

  it('leaves the size of an undistorted picture alone and widens a barrel picture, up to a quarter a side', () => {
    expect(isDistorted(lensOf('PINHOLE'))).toBe(false);
    expect(undistortedIntrinsics(lensOf('PINHOLE'))).toMatchObject({ width: 640, height: 480, cx: 320, cy: 240 });
    const barrel = undistortedIntrinsics(lensOf('SIMPLE_RADIAL'));
    expect(barrel.width).toBeGreaterThan(640);
    expect(barrel.width).toBeLessThanOrEqual(960);
    expect(barrel.cx - 320).toBeGreaterThan(0);
    expect(barrel.fx).toBe(500);
    // The corner of the distorted picture lies inside the widened one.
    const lens = lensOf('SIMPLE_RADIAL');
    const corner = undistortPoint(lens, -320 / 500, -240 / 500, 12);
    expect((corner?.[0] ?? 0) * 500 + barrel.cx).toBeGreaterThanOrEqual(-1e-6);
    expect((corner?.[1] ?? 0) * 500 + barrel.cy).toBeGreaterThanOrEqual(-1e-6);
  });

  it('scales with its picture', () => {
    expect(resizeLens(lensOf('PINHOLE'), 320, 240)).toMatchObject({ width: 320, fx: 250, fy: 255, cx: 160, cy: 120 });
  });
});
