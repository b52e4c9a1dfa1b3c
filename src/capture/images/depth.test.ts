import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { errorOf, put, useFolders } from '../../../test/captureScene.js';
import { decodeDepth } from './depth.js';

const folder = useFolders();
const maxPixels = 1e6;
const raw = { width: 4, height: 1, channels: 1 as const };
const png16 = (values: number[]): Promise<Buffer> =>
  sharp(Uint16Array.from(values), { raw }).toColourspace('grey16').png().toBuffer();
const png8 = (values: number[]): Promise<Buffer> => sharp(Uint8Array.from(values), { raw }).png().toBuffer();
const floats = (values: number[]): number[] => [...Float32Array.from(values)];

describe('decodeDepth', () => {
  it('keeps all 16 bits, in millimetres by default', async () => {
    const file = await put(await folder(), 'd.png', await png16([0, 1, 2501, 65534]));
    const depth = await decodeDepth(file, { maxPixels });
    expect([...depth.data]).toEqual(floats([0, 0.001, 2.501, 65.534]));
    expect(depth.step).toBe(0.001);
  });

  it('scales as told, and takes 0 and 65535 for nothing', async () => {
    const file = await put(await folder(), 'd.png', await png16([0, 10000, 30001, 65535]));
    expect([...(await decodeDepth(file, { maxPixels, scale: 1e-4 })).data]).toEqual(floats([0, 1, 3.0001, 0]));
  });

  it('reads 16-bit TIFF, and float TIFF in scene units', async () => {
    const root = await folder();
    const grey = await sharp(Uint16Array.from([0, 7, 900, 40000]), { raw })
      .toColourspace('grey16')
      .tiff({ compression: 'lzw' })
      .toBuffer();
    expect([...(await decodeDepth(await put(root, 'd.tif', grey), { maxPixels, scale: 1 })).data]).toEqual([
      0, 7, 900, 40000,
    ]);
    const depth = await decodeDepth(await put(root, 'f.tif', floatTiff([2.5, Number.NaN, -1, 1e10])), { maxPixels });
    expect([...depth.data]).toEqual([2.5, 0, 0, 0]);
    expect(depth.step).toBe(0);
  });

  it('refuses 8-bit depth of unknown scale, and reads it with one, 255 included', async () => {
    const file = await put(await folder(), 'd.png', await png8([0, 1, 128, 255]));
    const error = await errorOf(decodeDepth(file, { maxPixels }));
    expect(error.code).toBe('DEPTH_INVALID');
    expect(error.message).toMatch(/d\.png.*depthScale/s);
    expect([...(await decodeDepth(file, { maxPixels, scale: 0.5 })).data]).toEqual([0, 0.5, 64, 127.5]);
  });

  it('refuses depth maps without depth, damaged ones, and formats it has no reader for', async () => {
    const root = await folder();
    const none = await errorOf(decodeDepth(await put(root, 'none.png', await png16([0, 0, 65535, 0])), { maxPixels }));
    expect([none.code, none.subject]).toEqual(['DEPTH_INVALID', `${root}/none.png`]);
    const noise = await sharp(
      Uint16Array.from({ length: 4096 }, (_, i) => (i * i * 7919) & 0xffff),
      {
        raw: { width: 64, height: 64, channels: 1 },
      },
    )
      .toColourspace('grey16')
      .png()
      .toBuffer();
    const cut = await put(root, 'cut.png', noise.subarray(0, noise.length / 2));
    expect((await errorOf(decodeDepth(cut, { maxPixels }))).code).toBe('IMAGE_UNREADABLE');
    const npy = await errorOf(decodeDepth(await put(root, 'd.npy', 'x'), { maxPixels }));
    expect([npy.code, npy.message.includes('d.npy')]).toEqual(['DEPTH_INVALID', true]);
  });
});

/** A one-row, one-strip, 32-bit float TIFF (little-endian), which the encoder at hand does not write. */
function floatTiff(values: number[]): Buffer {
  const tags: [number, number, number][] = [
    [256, 4, values.length],
    [257, 4, 1],
    [258, 3, 32],
    [259, 3, 1],
    [262, 3, 1],
    [273, 4, 8],
    [277, 3, 1],
    [278, 4, 1],
    [279, 4, values.length * 4],
    [339, 3, 3],
  ];
  const data = Buffer.alloc(8 + values.length * 4 + 2 + tags.length * 12 + 4);
  data.write('II*\0', 'latin1');
  data.writeUInt32LE(8 + values.length * 4, 4);
  values.forEach((v, i) => {
    data.writeFloatLE(v, 8 + i * 4);
  });
  let at = 8 + values.length * 4;
  data.writeUInt16LE(tags.length, at);
  at += 2;
  for (const [tag, type, value] of tags) {
    data.writeUInt16LE(tag, at);
    data.writeUInt16LE(type, at + 2);
    data.writeUInt32LE(1, at + 4);
    data.writeUInt32LE(value, at + 8);
    at += 12;
  }
  return data;
}
