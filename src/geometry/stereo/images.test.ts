import { expect, it } from 'vitest';
import { unprojectPixel } from '../../core/camera.js';
import { fromHalf } from '../../core/halfFloat.js';
import type { ColorImage } from '../../core/image.js';
import { identity } from '../../core/math.js';
import { stereoLevels } from './images.js';

const camera = { cameraToWorld: identity(), width: 80, height: 60, fx: 70, fy: 70, cx: 40, cy: 30 };

/** A grey ramp, opaque between (30, 20) and (49, 33). */
function picture(): ColorImage {
  const data = new Uint8ClampedArray(80 * 60 * 4);
  for (let y = 0; y < 60; y++)
    for (let x = 0; x < 80; x++) {
      const opaque = x >= 30 && x < 50 && y >= 20 && y < 34;
      data.set([x * 3, x * 3, x * 3, opaque ? 255 : 0], (y * 80 + x) * 4);
    }
  return { width: 80, height: 60, data };
}

it('cuts the masked part out with a camera that looks at the same points', () => {
  const [level] = stereoLevels(picture(), camera, 1)!;
  expect(level.camera).toMatchObject({ width: 36, height: 30 });
  const [dx, dy] = [30 - 8, 20 - 8];
  const whole = unprojectPixel(camera, dx + 5.5, dy + 7.5, 2);
  unprojectPixel(level.camera, 5.5, 7.5, 2).forEach((v, i) => {
    expect(v).toBeCloseTo(whole[i], 9);
  });
  expect(level.pixels.length).toBe(20 * 14);
  const at = (10 * 36 + 12) * 2;
  expect(fromHalf(level.texels[at])).toBeCloseTo(((dx + 12) * 3) / 255, 3);
  expect(fromHalf(level.texels[at + 1])).toBe(1);
  expect(fromHalf(level.texels[1])).toBe(0);
});

it('lists the pixels inside the mask by colour of the chequerboard', () => {
  const [level] = stereoLevels(picture(), camera, 1)!;
  const colors = [...level.pixels].map((p) => ((p & 0xffff) + (p >>> 16)) & 1);
  expect(colors.slice(0, level.even).every((c) => c === 0)).toBe(true);
  expect(colors.slice(level.even).every((c) => c === 1)).toBe(true);
  expect(new Set(level.pixels).size).toBe(level.pixels.length);
});

it('halves the size from level to level, with a camera that looks at the same points', () => {
  const levels = stereoLevels(picture(), camera, 3)!;
  expect(levels.map((l) => [l.camera.width, l.camera.height])).toEqual([
    [36, 32],
    [18, 16],
    [9, 8],
  ]);
  const fine = unprojectPixel(levels[0].camera, 12, 8, 1);
  unprojectPixel(levels[2].camera, 3, 2, 1).forEach((v, i) => {
    expect(v).toBeCloseTo(fine[i], 9);
  });
  // Brightness is the mean of the four pixels below.
  const value = (l: number, x: number, y: number) => fromHalf(levels[l].texels[(y * levels[l].camera.width + x) * 2]);
  const mean = (value(0, 12, 10) + value(0, 13, 10) + value(0, 12, 11) + value(0, 13, 11)) / 4;
  expect(value(1, 6, 5)).toBeCloseTo(mean, 3);
});

it('gives nothing where the mask is empty', () => {
  const image = picture();
  for (let i = 3; i < image.data.length; i += 4) image.data[i] = 0;
  expect(stereoLevels(image, camera, 2)).toBeUndefined();
});
