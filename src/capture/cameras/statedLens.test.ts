import { describe, expect, it } from 'vitest';
import type { ImageHeader } from '../images/header.js';
import { stateLens } from './statedLens.js';

const header = (width: number, height: number, orientation = 1): ImageHeader => ({
  format: 'jpeg',
  width,
  height,
  channels: 3,
  bits: 8,
  hasAlpha: false,
  orientation,
});

describe('stateLens', () => {
  it('computes the focal length from a field of view, and centres the principal point', () => {
    const { lens } = stateLens({ angleX: Math.PI / 2 }, header(800, 600), 'a.jpg', true);
    expect(lens).toMatchObject({ width: 800, height: 600, cx: 400, cy: 300 });
    expect(lens.fx).toBeCloseTo(400, 9);
    expect(lens.fy).toBeCloseTo(400, 9);
    const both = stateLens({ angleX: Math.PI / 2, angleY: Math.PI / 3 }, header(800, 600), 'a.jpg', true).lens;
    expect(both.fy).toBeCloseTo(300 / Math.tan(Math.PI / 6), 9);
  });

  it('scales the camera to a picture of another size but the same shape, with a warning', () => {
    const stated = { width: 1600, height: 1200, fx: 1000, fy: 1010, cx: 810, cy: 590 };
    const { lens, warning } = stateLens(stated, header(800, 600), 'a.jpg', true);
    expect(lens).toMatchObject({ width: 800, height: 600, fx: 500, fy: 505, cx: 405, cy: 295 });
    expect(warning?.message).toContain('a.jpg');
  });

  it('refuses a picture of another shape, naming it and both sizes', () => {
    expect(() => stateLens({ width: 800, height: 800, fx: 900 }, header(800, 600), '/x/a.jpg', true)).toThrowError(
      expect.objectContaining({
        code: 'IMAGE_SIZE_MISMATCH',
        message: expect.stringMatching(/a\.jpg is 800 × 600.*800 × 800/),
      }),
    );
  });

  it('turns a picture by its EXIF orientation where the camera is for the upright one', () => {
    const { lens, orient } = stateLens({ width: 600, height: 800, fx: 900 }, header(800, 600, 6), 'a.jpg', false);
    expect(orient).toBe(true);
    expect(lens).toMatchObject({ width: 600, height: 800 });
  });

  it('leaves a picture as stored where the camera was solved on the stored pixels', () => {
    const { lens, orient } = stateLens({ width: 800, height: 600, fx: 900 }, header(800, 600, 6), 'a.jpg', true);
    expect(orient).toBe(false);
    expect(lens).toMatchObject({ width: 800, height: 600 });
  });

  it('goes by the format where the size does not tell', () => {
    expect(stateLens({ width: 800, height: 600, fx: 900 }, header(800, 600, 3), 'a.jpg', true).orient).toBe(true);
    expect(stateLens({ width: 800, height: 600, fx: 900 }, header(800, 600, 3), 'a.jpg', false).orient).toBe(false);
    expect(stateLens({ fx: 900 }, header(800, 600, 6), 'a.jpg', true).lens).toMatchObject({ width: 600, height: 800 });
    expect(stateLens({ width: 700, height: 700, fx: 900 }, header(700, 700, 8), 'a.jpg', true).orient).toBe(true);
    expect(stateLens({ width: 700, height: 700, fx: 900 }, header(700, 700, 8), 'a.jpg', false).orient).toBe(false);
  });

  it('says that degrees are not radians', () => {
    expect(() => stateLens({ angleX: 40 }, header(800, 600), 'a.jpg', true)).toThrowError(/40° are 0\.698132/);
  });

  it('takes the focal length of EXIF where none is stated, saying so, and refuses where there is none', () => {
    const { lens, warning } = stateLens({}, header(800, 600), 'a.jpg', true, 640);
    expect(lens.fx).toBe(640);
    expect(warning?.code).toBe('CAPTURE_FOCAL_FROM_EXIF');
    expect(() => stateLens({}, header(800, 600), 'a.jpg', true)).toThrowError(
      expect.objectContaining({ code: 'CAPTURE_CAMERA_INVALID', message: expect.stringContaining('fl_x') }),
    );
  });

  it('refuses sizes of nothing and coefficients that are not finite', () => {
    expect(() => stateLens({ width: 0, height: 600, fx: 9 }, header(800, 600), 'a.jpg', true)).toThrowError(/0 × 600/);
    expect(() => stateLens({ fx: 900, k: [Number.NaN] }, header(800, 600), 'a.jpg', true)).toThrowError(/distortion/);
  });
});
