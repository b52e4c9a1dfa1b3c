import sharp from 'sharp';
import { expect, test } from 'vitest';
import { animateWebp } from './animatedWebp.js';

const SIDE = 64;

/** A dark box on a bright ground that wanders from frame to frame, over noise that is hard to encode. */
async function frame(at: number): Promise<Buffer> {
  const data = Buffer.alloc(SIDE * SIDE * 3);
  for (let i = 0; i < SIDE * SIDE; i++) {
    const [x, y] = [i % SIDE, Math.floor(i / SIDE)];
    const inside = x >= at * 4 && x < at * 4 + 16 && y >= 20 && y < 40;
    data.fill(inside ? 20 : 215 + ((x * 7 + y * 13) % 30), i * 3, i * 3 + 3);
  }
  return await sharp(data, { raw: { width: SIDE, height: SIDE, channels: 3 } })
    .webp({ quality: 60 })
    .toBuffer();
}

test('every frame of an animation is the still picture, bit by bit: nothing of the one before stays', async () => {
  const stills = await Promise.all(Array.from({ length: 10 }, (_, i) => frame(i)));
  const moving = animateWebp(stills, SIDE, SIDE, 80);
  const facts = await sharp(moving, { animated: true }).metadata();
  expect(facts).toMatchObject({ format: 'webp', pages: 10, loop: 0, width: SIDE, pageHeight: SIDE });
  expect(facts.delay).toEqual(Array(10).fill(80));
  for (const [page, still] of stills.entries()) {
    const shown = await sharp(moving, { page }).removeAlpha().raw().toBuffer();
    expect(shown.equals(await sharp(still).removeAlpha().raw().toBuffer()), `frame ${page}`).toBe(true);
  }
});

test('keeps transparency, and refuses what is no WebP', async () => {
  const clear = await sharp({ create: { width: 8, height: 8, channels: 4, background: '#ff000080' } })
    .webp({ quality: 80 })
    .toBuffer();
  expect((await sharp(animateWebp([clear, clear], 8, 8, 50), { animated: true }).metadata()).hasAlpha).toBe(true);
  expect(() => animateWebp([Buffer.from('no picture at all')], 8, 8, 50)).toThrow(/INTERNAL|no WebP/);
});
