import { truncate } from 'node:fs/promises';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { encode, errorOf, put, useFolders } from '../../../test/captureScene.js';
import { decodeColor, decodeMask } from './color.js';

const folder = useFolders();
const limits = { maxPixels: 64e6 };
const WIDTH = 40;
const HEIGHT = 24;

/** Smooth, so that lossy formats keep it; alpha falls from left to right. */
const picture = {
  width: WIDTH,
  height: HEIGHT,
  data: Uint8ClampedArray.from({ length: WIDTH * HEIGHT * 4 }, (_, i) => {
    const x = (i >> 2) % WIDTH;
    const y = Math.floor((i >> 2) / WIDTH);
    return [40 + 4 * x, 30 + 8 * y, 120, 255 - 5 * x][i & 3];
  }),
};
const opaque = { ...picture, data: picture.data.map((v, i) => (i % 4 === 3 ? 255 : v)) };

const worst = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let most = 0;
  for (let i = 0; i < b.length; i++) most = Math.max(most, Math.abs(a[i] - b[i]));
  return a.length === b.length ? most : Infinity;
};

describe('decodeColor', () => {
  it.each(['png', 'webp', 'tiff'] as const)('reads %s with its alpha exactly', async (format) => {
    const file = await put(await folder(), `a.${format}`, await encode(picture, format));
    const image = await decodeColor(file, limits);
    expect([image.width, image.height]).toEqual([WIDTH, HEIGHT]);
    // WebP drops the colour of fully transparent pixels, of which there are none here.
    expect(worst(image.data, picture.data)).toBe(0);
  });

  it('reads AVIF with its alpha', async () => {
    const file = await put(await folder(), 'a.avif', await encode(picture, 'avif'));
    expect(worst((await decodeColor(file, limits)).data, picture.data)).toBeLessThanOrEqual(3);
  });

  it('reads JPEG as opaque', async () => {
    const file = await put(
      await folder(),
      'a.jpg',
      await sharp(await encode(opaque))
        .jpeg({ quality: 95 })
        .toBuffer(),
    );
    expect(worst((await decodeColor(file, limits)).data, opaque.data)).toBeLessThanOrEqual(12);
  });

  it('reads 16-bit, grey and palette PNG and CMYK JPEG as 8-bit sRGB with alpha', async () => {
    const root = await folder();
    const raw = { width: 16, height: 2, channels: 1 as const };
    const grey16 = sharp(
      Uint16Array.from({ length: 32 }, (_, i) => i * 2056),
      { raw },
    ).toColourspace('grey16');
    const wide = await decodeColor(await put(root, 'w.png', await grey16.png().toBuffer()), limits);
    for (const i of [0, 7, 31]) expect(Math.abs(wide.data[i * 4 + 1] - i * 8)).toBeLessThanOrEqual(1);
    const grey = await sharp(
      Uint8Array.from({ length: 32 }, (_, i) => i * 8),
      { raw },
    )
      .png()
      .toBuffer();
    const narrow = await decodeColor(await put(root, 'g.png', grey), limits);
    expect([...narrow.data.slice(20, 28)]).toEqual([40, 40, 40, 255, 48, 48, 48, 255]);
    const flat = { width: 8, height: 8, data: new Uint8ClampedArray(256).map((_, i) => [200, 40, 90, 255][i & 3]) };
    const palette = await sharp(await encode(flat))
      .png({ palette: true })
      .toBuffer();
    expect([...(await decodeColor(await put(root, 'p.png', palette), limits)).data.slice(0, 4)]).toEqual([
      200, 40, 90, 255,
    ]);
    const cmyk = await sharp(await encode(flat))
      .flatten()
      .toColourspace('cmyk')
      .jpeg({ quality: 100 })
      .toBuffer();
    expect((await sharp(cmyk).metadata()).space).toBe('cmyk');
    const converted = await decodeColor(await put(root, 'c.jpg', cmyk), limits);
    expect(converted.data.length).toBe(256);
    expect(worst(converted.data.slice(0, 4), [200, 40, 90, 255])).toBeLessThan(40);
  });

  it('applies the EXIF orientation, or leaves it where asked', async () => {
    const turned = await sharp(await encode(opaque))
      .withMetadata({ orientation: 6 })
      .png()
      .toBuffer();
    const file = await put(await folder(), 'a.png', turned);
    const upright = await decodeColor(file, limits);
    expect([upright.width, upright.height]).toEqual([HEIGHT, WIDTH]);
    // Orientation 6: the first stored row becomes the right column, read downwards.
    const at = (x: number, y: number): number[] => [
      ...upright.data.slice((y * HEIGHT + x) * 4, (y * HEIGHT + x) * 4 + 2),
    ];
    expect(at(HEIGHT - 1, 5)).toEqual([60, 30]);
    const stored = await decodeColor(file, { ...limits, orient: false });
    expect(worst(stored.data, opaque.data)).toBe(0);
  });

  it.each(['png', 'jpeg', 'webp', 'avif', 'tiff'] as const)(
    'refuses a truncated %s file, naming it',
    async (format) => {
      const noisy = { ...opaque, data: opaque.data.map((v, i) => (i % 4 === 3 ? 255 : (v * 131 + i * i * 17) % 256)) };
      const bytes = await encode(noisy, format);
      for (const share of [0.2, 0.6, 0.9]) {
        const file = await put(await folder(), `cut.${format}`, bytes);
        await truncate(file, Math.floor(bytes.length * share));
        const error = await errorOf(decodeColor(file, limits));
        expect(error.code).toBe('IMAGE_UNREADABLE');
        expect(error.message).toContain(`cut.${format}`);
        expect(error.subject).toBe(file);
      }
    },
  );

  it('refuses empty files, text, and formats that are no photographs', async () => {
    const root = await folder();
    const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>';
    for (const text of ['', 'hello', svg]) {
      expect((await errorOf(decodeColor(await put(root, 'a.png', text), limits))).code).toBe('IMAGE_UNREADABLE');
    }
    expect((await errorOf(decodeColor(`${root}/none.png`, limits))).code).toBe('CAPTURE_FILE_MISSING');
  });

  it('refuses too many pixels from the header, without decoding them', async () => {
    const huge = sharp({ create: { width: 10_100, height: 10_000, channels: 3, background: '#fff' } });
    const bytes = await huge.png({ compressionLevel: 6 }).toBuffer();
    // Cut after the header: only a reader that never decodes can say what is wrong with the size.
    const file = await put(await folder(), 'huge.png', bytes.subarray(0, 5000));
    const error = await errorOf(decodeColor(file, limits));
    expect(error.code).toBe('IMAGE_TOO_LARGE');
    expect(error.message).toMatch(/huge\.png.*101\.0 megapixels.*64\.0/);
  });
});

describe('decodeMask', () => {
  const raw = { width: 4, height: 1, channels: 1 as const };
  const maskOf = async (bytes: Buffer) => [
    ...(await decodeMask(await put(await folder(), 'm.png', bytes), limits)).data,
  ];

  it('takes luminance, soft values included', async () => {
    expect(
      await maskOf(
        await sharp(new Uint8Array([0, 60, 200, 255]), { raw })
          .png()
          .toBuffer(),
      ),
    ).toEqual([0, 60, 200, 255]);
  });

  it('spreads masks of 0 and 1', async () => {
    expect(
      await maskOf(
        await sharp(new Uint8Array([0, 1, 1, 0]), { raw })
          .png()
          .toBuffer(),
      ),
    ).toEqual([0, 255, 255, 0]);
  });

  it('takes alpha where only that varies', async () => {
    const data = new Uint8ClampedArray(16).map((_, i) => (i % 4 === 3 ? i * 17 : 0));
    expect(await maskOf(await encode({ width: 4, height: 1, data }))).toEqual([51, 119, 187, 255]);
  });
});
