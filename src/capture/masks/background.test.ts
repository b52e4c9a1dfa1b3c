import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { noise } from '../../../test/noise.js';
import type { ColorImage } from '../../core/image.js';
import { maskFromBackground } from './background.js';

const SIZE = 512;

interface Look {
  /** Colour of the background in the middle, and its change from top to bottom. */
  background?: number;
  gradient?: number;
  /** Whether a soft grey shadow lies under the object. */
  shadow?: boolean;
  /** Amplitude of noise everywhere, in steps. */
  grain?: number;
}

const clamp = (v: number): number => Math.max(0, Math.min(1, v));
/** Coverage of an ellipse with the outline one pixel wide. */
const ellipse = (x: number, y: number, cx: number, cy: number, rx: number, ry: number): number =>
  clamp(0.5 - (Math.hypot((x - cx) / rx, (y - cy) / ry) - 1) * Math.min(rx, ry));

/**
 * A striped body with a white patch and a highlight inside, and a ring at its side through which the background shows.
 */
function picture({ background = 250, gradient = -4, shadow = true, grain = 0 }: Look = {}): {
  image: ColorImage;
  truth: Float32Array;
} {
  const data = new Uint8ClampedArray(SIZE * SIZE * 4);
  const truth = new Float32Array(SIZE * SIZE);
  const random = noise(SIZE * SIZE, 2001);
  for (let y = 0; y < SIZE; y++)
    for (let x = 0; x < SIZE; x++) {
      const i = y * SIZE + x;
      const body = ellipse(x, y, 220, 260, 110, 150);
      const ring = Math.max(0, ellipse(x, y, 350, 240, 70, 70) - ellipse(x, y, 350, 240, 48, 48));
      const cover = Math.max(body, ring);
      truth[i] = cover;
      const depthOfShadow = shadow ? 0.22 * clamp(1.4 - Math.hypot((x - 230) / 150, (y - 414) / 16)) : 0;
      const ground = (background + gradient * (y / SIZE - 0.5)) * (1 - depthOfShadow);
      const stripe = Math.floor(x / 14) % 2 === 0;
      const white = body > 0 && Math.hypot(x - 230, y - 220) < 45;
      const glow = 90 * Math.exp(-(((x - 180) / 16) ** 2) - ((y - 300) / 16) ** 2);
      const object = ring > body ? [150, 110, 30] : white ? [253, 252, 250] : stripe ? [40, 90, 190] : [205, 190, 170];
      const jitter = (random[i] / 1000 - 1) * grain;
      for (let k = 0; k < 3; k++) {
        data[i * 4 + k] = Math.round(cover * Math.min(255, object[k] + glow) + (1 - cover) * ground + jitter);
      }
      data[i * 4 + 3] = 255;
    }
  return { image: { width: SIZE, height: SIZE, data }, truth };
}

function iou(mask: Uint8Array, truth: Float32Array): number {
  let both = 0;
  let either = 0;
  for (let i = 0; i < mask.length; i++) {
    const [a, b] = [mask[i] > 127, truth[i] > 0.5];
    if (a && b) both++;
    if (a || b) either++;
  }
  return both / either;
}

describe('masks from a plain background', () => {
  it('find the object on near-white without its shadow, with white parts inside and the opening open', () => {
    const { image, truth } = picture();
    const { mask, confidence, kind } = maskFromBackground(image);
    expect(kind).toBe('bright');
    expect(confidence).toBeGreaterThan(0.9);
    expect(iou(mask, truth)).toBeGreaterThan(0.985);
    expect(mask[220 * SIZE + 230]).toBe(255);
    expect(mask[240 * SIZE + 352]).toBe(0);
    expect(mask[420 * SIZE + 220]).toBe(0);
  });

  it('have a soft edge that follows the share of the object in the pixel', () => {
    const { image, truth } = picture({ shadow: false });
    const { mask } = maskFromBackground(image);
    let error = 0;
    let count = 0;
    for (let i = 0; i < mask.length; i++) {
      // Where the handle meets the background: one colour, so that the share is known exactly.
      if (i % SIZE < 370 || truth[i] < 0.05 || truth[i] > 0.95) continue;
      error += Math.abs(mask[i] / 255 - truth[i]);
      count++;
    }
    expect(count).toBeGreaterThan(100);
    expect(error / count).toBeLessThan(0.08);
  });

  it('bear film grain and JPEG compression', async () => {
    const { image, truth } = picture({ grain: 4 });
    const jpeg = await sharp(image.data, { raw: { width: SIZE, height: SIZE, channels: 4 } })
      .flatten()
      .jpeg({ quality: 80 })
      .toBuffer();
    const data = await sharp(jpeg).ensureAlpha().raw().toBuffer();
    const { mask, confidence } = maskFromBackground({ width: SIZE, height: SIZE, data });
    expect(confidence).toBeGreaterThan(0.5);
    expect(iou(mask, truth)).toBeGreaterThan(0.97);
    expect(mask[240 * SIZE + 352]).toBe(0);
  });

  it.each([
    ['jpeg', 70],
    ['webp', 70],
  ] as const)('keep a clean edge and the opening in a picture compressed as %s', async (format, quality) => {
    const { image, truth } = picture();
    const file = await sharp(image.data, { raw: { width: SIZE, height: SIZE, channels: 4 } })
      .flatten()
      .toFormat(format, { quality })
      .toBuffer();
    const data = await sharp(file).ensureAlpha().raw().toBuffer();
    const { mask } = maskFromBackground({ width: SIZE, height: SIZE, data }, { compressed: true });
    expect(iou(mask, truth)).toBeGreaterThan(0.98);
    expect(mask[240 * SIZE + 352]).toBe(0);
    expect(mask[220 * SIZE + 230]).toBe(255);
    expect(mask[300 * SIZE + 180]).toBe(255);
  });

  it('work on black', () => {
    const { image, truth } = picture({ background: 6, gradient: 2, shadow: false });
    const { mask, kind, confidence } = maskFromBackground(image);
    expect(kind).toBe('dark');
    expect(confidence).toBeGreaterThan(0.9);
    expect(iou(mask, truth)).toBeGreaterThan(0.98);
  });

  it('take the outline from the prior where object and background have one colour', () => {
    const { image, truth } = picture({ shadow: false, gradient: 0, background: 253 });
    // Paints the right half of the body as white as the background.
    for (let y = 0; y < SIZE; y++)
      for (let x = 240; x < 300; x++) {
        const i = y * SIZE + x;
        if (truth[i] > 0) image.data.fill(253, i * 4, i * 4 + 3);
      }
    const inside = Uint8Array.from(truth, (t) => (t > 0.5 ? 1 : 0));
    const { mask } = maskFromBackground(image, { prior: { inside, width: SIZE, height: SIZE } });
    expect(iou(mask, truth)).toBeGreaterThan(0.98);
    expect(iou(maskFromBackground(image).mask, truth)).toBeLessThan(0.98);
  });

  it('have no confidence in a picture without a plain background', () => {
    const data = new Uint8ClampedArray(SIZE * SIZE * 4);
    const random = noise(data.length, 256);
    for (let i = 0; i < data.length; i++) data[i] = random[i];
    expect(maskFromBackground({ width: SIZE, height: SIZE, data }).confidence).toBeLessThan(0.5);
  });
});
