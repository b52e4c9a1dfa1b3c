import { describe, expect, it } from 'vitest';
import { determinant3, dot, lookAt, type Mat4, type Vec3 } from '../../core/math.js';
import { checkIntrinsics, checkRigid } from './checkCamera.js';

const good = lookAt([1, 2, 3], [0, 0, 0]);
const changed = (change: (m: Mat4) => void): Mat4 => {
  const m = [...good];
  change(m);
  return m;
};
const invalid = (work: () => unknown, words: RegExp): void => {
  expect(work).toThrowError(
    expect.objectContaining({ code: 'CAPTURE_CAMERA_INVALID', message: expect.stringMatching(words) }),
  );
};

describe('checkRigid', () => {
  it('makes a rounded rotation exactly orthonormal and keeps the position', () => {
    const rounded = good.map((v, i) => (i < 12 ? Math.round(v * 1e3) / 1e3 : v));
    const m = checkRigid(rounded, 'r_0');
    const axes = [0, 4, 8].map((i) => [m[i], m[i + 1], m[i + 2]] as Vec3);
    for (let i = 0; i < 3; i++)
      for (let j = 0; j < 3; j++) expect(dot(axes[i], axes[j])).toBeCloseTo(i === j ? 1 : 0, 12);
    expect(determinant3(m)).toBeCloseTo(1, 12);
    expect(m.slice(12)).toEqual(good.slice(12));
    for (const [i, v] of m.entries()) expect(v).toBeCloseTo(good[i], 2);
  });

  it('refuses numbers that are not finite, naming the view', () => {
    invalid(
      () =>
        checkRigid(
          changed((m) => {
            m[5] = Number.NaN;
          }),
          'r_7',
        ),
      /r_7.*not finite/,
    );
    invalid(
      () =>
        checkRigid(
          changed((m) => {
            m[13] = Number.POSITIVE_INFINITY;
          }),
          'r_7',
        ),
      /not finite/,
    );
  });

  it('refuses left-handed, scaled, skewed and projective matrices', () => {
    invalid(
      () =>
        checkRigid(
          changed((m) => {
            for (const i of [0, 1, 2]) m[i] = -m[i];
          }),
          'a',
        ),
      /left-handed/,
    );
    invalid(
      () =>
        checkRigid(
          good.map((v, i) => (i < 12 ? v * 1.1 : v)),
          'a',
        ),
      /not rigid/,
    );
    invalid(
      () =>
        checkRigid(
          changed((m) => {
            m[0] += 0.3;
          }),
          'a',
        ),
      /not rigid/,
    );
    invalid(
      () =>
        checkRigid(
          changed((m) => {
            m[3] = 0.1;
          }),
          'a',
        ),
      /last row/,
    );
  });

  it('refuses a position beyond reason', () => {
    invalid(
      () =>
        checkRigid(
          changed((m) => {
            m[12] = 1e12;
          }),
          'a',
        ),
      /10⁹/,
    );
  });
});

describe('checkIntrinsics', () => {
  const camera = { width: 640, height: 480, fx: 500, fy: 500, cx: 320, cy: 240 };
  it('accepts a usual camera and one with its principal point aside', () => {
    checkIntrinsics(camera, 'a');
    checkIntrinsics({ ...camera, cx: 700 }, 'a');
  });
  it.each([
    ['zero focal length', { fx: 0, fy: 0 }],
    ['negative focal length', { fy: -500 }],
    ['absurdly short focal length', { fx: 1, fy: 1 }],
    ['absurdly long focal length', { fx: 1e6, fy: 1e6 }],
    ['flattened pixels', { fx: 100, fy: 500 }],
    ['NaN', { cx: Number.NaN }],
    ['principal point far outside', { cy: 5000 }],
  ])('refuses %s', (_, change) => {
    invalid(() => checkIntrinsics({ ...camera, ...change }, 'view 3'), /view 3/);
  });
});
