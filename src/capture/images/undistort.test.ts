import { describe, expect, it } from 'vitest';
import { pinhole, renderEllipsoid, ringPoses } from '../../../test/captureScene.js';
import { type Lens, undistortedIntrinsics } from '../cameras/lens.js';
import { undistortColor, undistortDepth } from './undistort.js';

const [pose] = ringPoses(3);
const LENSES: [string, Partial<Lens>][] = [
  ['barrel', { k: [-0.25, 0.06], p: [0.002, -0.003] }],
  ['pincushion', { k: [0.6, 0.2] }],
  ['fisheye', { model: 'fisheye', k: [-0.02, 0.004, 0, 0] }],
  ['rational', { k: [-0.1, 0.02], d: [0.05, 0.01, 0] }],
  ['field of view', { model: 'fov', k: [0.7] }],
];

describe.each(LENSES)('undistortion of a %s lens', (_, change) => {
  const lens: Lens = { ...pinhole(160, 120, 130), cx: 77, cy: 63, ...change };
  const straight: Lens = { ...pinhole(160, 120, 130), ...undistortedIntrinsics(lens) };

  it('gives the picture that a pinhole camera takes, colour, alpha and depth', async () => {
    const bent = renderEllipsoid(lens, pose);
    const truth = renderEllipsoid(straight, pose);
    const color = await undistortColor(bent.color, lens);
    const depth = await undistortDepth(bent.depth, lens);
    expect([color.width, color.height]).toEqual([straight.width, straight.height]);
    let marked = 0;
    let differs = 0;
    let before = 0;
    let error = 0;
    for (let i = 0; i < truth.depth.data.length; i++) {
      const inside = truth.color.data[i * 4 + 3] > 127;
      if (inside) marked++;
      if (inside !== color.data[i * 4 + 3] > 127) differs++;
      if (inside && depth.data[i] > 0) error = Math.max(error, Math.abs(depth.data[i] - truth.depth.data[i]));
      const x = i % straight.width;
      const y = Math.floor(i / straight.width);
      if (x < 160 && y < 120 && inside !== bent.color.data[(y * 160 + x) * 4 + 3] > 127) before++;
    }
    // Half a pixel along the outline; without undistortion many times that.
    expect(differs / marked).toBeLessThan(0.02);
    expect(before / marked).toBeGreaterThan(0.04);
    expect(marked).toBeGreaterThan(1500);
    expect(error).toBeLessThan(0.12);
  });
});

describe('undistortColor', () => {
  it('returns the picture itself where the lens does not distort', async () => {
    const lens = pinhole(32, 24, 30);
    const { color, depth } = renderEllipsoid(lens, pose);
    expect(await undistortColor(color, lens)).toBe(color);
    expect(await undistortDepth(depth, lens)).toBe(depth);
  });

  it('leaves transparent what the lens never saw', async () => {
    const lens: Lens = { ...pinhole(40, 30, 30), k: [0.3] };
    const white = { width: 40, height: 30, data: new Uint8ClampedArray(4800).fill(255) };
    const out = await undistortColor(white, lens);
    expect(out.data[3]).toBe(0);
    expect([...out.data.slice((15 * 40 + 20) * 4, (15 * 40 + 20) * 4 + 4)]).toEqual([255, 255, 255, 255]);
  });
});
