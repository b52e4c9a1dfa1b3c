import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { errorOf, put, useFolders } from '../../../test/captureScene.js';
import { sensorDiagonal } from '../../capture/images/exif.js';
import { Random } from '../../core/random.js';
import { convertHeic } from './convertHeic.js';
import { decodeGrey } from './decodeGrey.js';
import { groupLenses } from './lenses.js';
import { type Photo, readPhotos } from './readPhotos.js';
import { sharpness } from './sharpness.js';

const folder = useFolders();

const picture = (width: number, height: number, red = 90) =>
  sharp({ create: { width, height, channels: 3, background: { r: red, g: 80, b: 70 } } });

/** EXIF as a phone writes it. */
const phone = (focal: string, equivalent: string) => ({
  IFD0: { Make: 'Acme', Model: 'Acme One' },
  IFD2: { FocalLength: focal, FocalLengthIn35mmFilm: equivalent },
});

describe('readPhotos', () => {
  it('keeps the sensor frame and the orientation apart, and reads the focal length', async () => {
    const root = await folder();
    const file = await put(
      root,
      'a.jpg',
      await picture(400, 300).withExif(phone('43/10', '26')).withMetadata({ orientation: 6 }).jpeg().toBuffer(),
    );
    const exif = await put(root, 'b.jpg', await picture(400, 300, 91).withExif(phone('43/10', '26')).jpeg().toBuffer());
    const [turned, plain] = await readPhotos([file, exif], 1e6);
    expect(turned).toMatchObject({ name: 'a.jpg', width: 400, height: 300, orientation: 6 });
    expect(plain).toMatchObject({ make: 'Acme', model: 'Acme One', focalLength: 4.3, orientation: 1 });
    expect(plain.focalPixels).toBeCloseTo((26 / Math.hypot(36, 24)) * 500, 6);
  });

  it('knows files that are the same, and refuses damaged ones by name', async () => {
    const root = await folder();
    const bytes = await picture(64, 48).jpeg().toBuffer();
    const files = [await put(root, 'a.jpg', bytes), await put(root, 'b.jpg', bytes)];
    expect((await readPhotos(files, 1e6)).map(({ duplicateOf }) => duplicateOf)).toEqual([undefined, 'a.jpg']);
    const bad = await put(root, 'c.jpg', Buffer.from('no picture'));
    const error = await errorOf(readPhotos([...files, bad], 1e6));
    expect([error.code, error.message.includes('c.jpg')]).toEqual(['IMAGE_UNREADABLE', true]);
  });
});

describe('sensorDiagonal', () => {
  it('is the picture for a scaled one, and the whole sensor for a crop', () => {
    expect(sensorDiagonal(400, 300, {})).toBe(500);
    expect(sensorDiagonal(400, 300, { width: 4000, height: 3000 })).toBe(500);
    // Stored sideways is no crop.
    expect(sensorDiagonal(300, 400, { width: 4000, height: 3000 })).toBe(500);
    expect(sensorDiagonal(3000, 3000, { width: 4000, height: 3000 })).toBe(5000);
  });
});

describe('convertHeic', () => {
  it('makes an upright JPEG with the camera data, and refuses what is damaged', async () => {
    const root = await folder();
    const heic = new URL('../../../test/photos/heic/small.heic', import.meta.url).pathname;
    const file = await convertHeic(heic, join(root, 'images'), 1e6);
    expect(file).toBe(join(root, 'images', 'small.jpg'));
    const [photo] = await readPhotos([file], 1e6);
    expect(photo).toMatchObject({ width: 256, height: 192, orientation: 1, make: 'Acme', model: 'Acme One' });
    expect(photo.focalLength).toBeCloseTo(4.3, 3);
    expect(photo.focalPixels).toBeCloseTo((26 / Math.hypot(36, 24)) * 320, 6);
    const { data, info } = await sharp(file).raw().toBuffer({ resolveWithObject: true });
    const at = (x: number, y: number): number[] => Array.from(data.subarray((y * info.width + x) * 3).subarray(0, 3));
    // The picture's green runs from 0 at the top to 191 at the bottom, blue is 200 on the left and 30 on the right.
    expect(Math.abs(at(20, 180)[1] - 180)).toBeLessThan(8);
    expect(Math.abs(at(20, 90)[2] - 200)).toBeLessThan(8);
    expect(Math.abs(at(230, 90)[2] - 30)).toBeLessThan(8);
    const damaged = await put(root, 'b.heic', (await readFile(heic)).subarray(0, 900));
    expect((await errorOf(convertHeic(damaged, root, 1e6))).code).toBe('IMAGE_UNREADABLE');
    expect((await errorOf(convertHeic(heic, root, 1e3))).code).toBe('IMAGE_TOO_LARGE');
  });
});

describe('groupLenses', () => {
  const photo = (more: Partial<Photo>): Photo => ({
    name: 'x',
    file: 'x',
    width: 4000,
    height: 3000,
    orientation: 1,
    model: 'One',
    focalLength: 4,
    focalPixels: 3000,
    ...more,
  });

  it('joins photos of one camera, lens and size, turned ones too', () => {
    const groups = groupLenses([
      photo({}),
      photo({ orientation: 6 }),
      photo({ focalLength: 2, focalPixels: 1500 }),
      photo({ width: 3000, height: 4000 }),
    ]);
    expect(groups.map(({ photos }) => photos)).toEqual([[0, 1], [2], [3]]);
    expect(groups[0].lens).toMatchObject({ f: 3000, stated: 3000, cx: 2000, cy: 1500, k1: 0 });
    expect(groups[0].title).toBe('One, 4 mm, 4000 × 3000');
  });

  it('keeps a calibrated lens', () => {
    const known = { f: 3210, cx: 1990, cy: 1510, k1: 0.01, k2: 0 };
    expect(groupLenses([photo({})], undefined, known)[0].lens).toMatchObject({ ...known, fixed: true });
  });

  it('guesses where nothing is stated, and takes what the user states', () => {
    const bare = photo({ focalPixels: undefined });
    expect(groupLenses([bare])[0].lens).toMatchObject({ f: 4800, stated: undefined });
    expect(groupLenses([bare], 3333)[0].lens).toMatchObject({ f: 3333, stated: 3333 });
  });
});

describe('sharpness', () => {
  it('falls with blur, whatever the size of the texture', async () => {
    const random = new Random(3);
    const root = await folder();
    for (const grain of [2, 6]) {
      const small = { width: 480 / grain, height: 360 / grain, channels: 1 as const };
      const noise = Buffer.from(Uint8Array.from({ length: small.width * small.height }, () => random.integer(256)));
      const sharpened = await sharp(noise, { raw: small }).resize(480, 360, { kernel: 'nearest' }).png().toBuffer();
      const values: number[] = [];
      for (const sigma of [0, 1.5, 4]) {
        const image = sigma > 0 ? sharp(sharpened).blur(sigma) : sharp(sharpened);
        const file = await put(root, `${grain}-${sigma}.png`, await image.toBuffer());
        values.push(sharpness(await decodeGrey({ file, width: 480, height: 360 }, 3200)));
      }
      expect(values[1]).toBeLessThan(0.85 * values[0]);
      expect(values[2]).toBeLessThan(0.6 * values[1]);
    }
    expect(sharpness({ width: 60, height: 60, data: new Uint8Array(3600), scaleX: 1, scaleY: 1 })).toBe(0);
  });
});
