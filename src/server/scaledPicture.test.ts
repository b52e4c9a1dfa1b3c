import { Readable } from 'node:stream';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { PictureScaler, scalePicture } from './scaledPicture.js';

/** 400 × 200, an opaque left half, and a right half that is cut away, with or without something under it. */
async function cutOut(hidden: (x: number, y: number) => number[]): Promise<Buffer> {
  const data = Buffer.alloc(400 * 200 * 4);
  for (let i = 0; i < 400 * 200; i++) {
    const [x, y] = [i % 400, Math.floor(i / 400)];
    data.set(x < 200 ? [200, 60, 20, 255] : [...hidden(x, y), 0], i * 4);
  }
  return await sharp(data, { raw: { width: 400, height: 200, channels: 4 } })
    .png()
    .toBuffer();
}
const room = (x: number, y: number): number[] => [x % 256, y, 90];
const nothing = (): number[] => [0, 0, 0];

test('a picture becomes smaller, never larger, as WebP with its transparency', async () => {
  const picture = await cutOut(room);
  const small = await sharp(await scalePicture(picture, { width: 120, cutOut: true })).metadata();
  expect(small).toMatchObject({ format: 'webp', width: 120, height: 60, hasAlpha: true });
  expect((await sharp(await scalePicture(picture, { width: 480, cutOut: true })).metadata()).width).toBe(400);
});

test('what a cut-out hides is shown where the file still has it, and only there', async () => {
  const whole = sharp(await scalePicture(await cutOut(room), { width: 240, cutOut: false }));
  expect((await whole.metadata()).hasAlpha).toBe(false);
  const { data } = await whole.raw().toBuffer({ resolveWithObject: true });
  // x = 300 of 400, y = 100 of 200 had [44, 100, 90].
  // 240 × 120 now.
  const at = (60 * 240 + 180) * 3;
  const pixel = [...data.subarray(at, at + 3)];
  expect(Math.abs(pixel[2] - 90)).toBeLessThan(25);
  const empty = await sharp(await scalePicture(await cutOut(nothing), { width: 240, cutOut: false })).metadata();
  expect(empty.hasAlpha).toBe(true);
});

test('the same picture is made once', async () => {
  const scaler = new PictureScaler();
  const picture = await cutOut(room);
  let reads = 0;
  const read = async (): Promise<Readable> => {
    reads++;
    return Readable.from([picture]);
  };
  const ask = () => scaler.scale('a', { width: 120, cutOut: true }, read);
  // Also for those who ask while it is made.
  const [first, second] = await Promise.all([ask(), ask()]);
  expect(second).toBe(first);
  expect(await scaler.scale('a', { width: 120, cutOut: true }, read)).toBe(first);
  await scaler.scale('a', { width: 120, cutOut: false }, read);
  await scaler.scale('b', { width: 120, cutOut: true }, read);
  expect(reads).toBe(3);
});

test('few are made at once, and one that fails is made anew', async () => {
  const scaler = new PictureScaler();
  const picture = await cutOut(nothing);
  let open = 0;
  let most = 0;
  const read = async (): Promise<Readable> => {
    most = Math.max(most, ++open);
    await new Promise((done) => setTimeout(done, 5));
    open--;
    return Readable.from([picture]);
  };
  const form = { width: 120, cutOut: true };
  await Promise.all(Array.from({ length: 8 }, (_, i) => scaler.scale(`${i}`, form, read)));
  expect(most).toBeLessThanOrEqual(2);
  const damaged = async (): Promise<Readable> => Readable.from([picture.subarray(0, 60)]);
  await expect(scaler.scale('damaged', form, damaged)).rejects.toThrow();
  expect((await scaler.scale('damaged', form, read)).length).toBeGreaterThan(0);
});

test('of a large picture whose hidden part is of many colours few pixels are looked at', async () => {
  const [width, height] = [2048, 1024];
  const data = Buffer.alloc(width * height * 4);
  // Twice as many pixels as would do no harm, each of its own colour, none seen.
  for (let i = 0; i < width * height; i++) data.writeUInt32BE(i * 2 * 256, i * 4);
  const png = await sharp(data, { raw: { width, height, channels: 4 } })
    .png({ compressionLevel: 1 })
    .toBuffer();
  const whole = await sharp(await scalePicture(png, { width: 120, cutOut: false })).metadata();
  expect(whole).toMatchObject({ width: 120, hasAlpha: false });
});
