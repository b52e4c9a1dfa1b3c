import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { errorOf, put, useFolders } from '../../../test/captureScene.js';
import { zip } from '../../../test/zip.js';
import { toHalf } from '../../core/halfFloat.js';
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
    for (const name of ['d.npy', 'd.npz', 'd.pfm']) {
      const error = await errorOf(decodeDepth(await put(root, name, 'x'), { maxPixels }));
      expect([error.code, error.message.includes(name)]).toEqual(['DEPTH_INVALID', true]);
    }
  });

  it('reads NumPy arrays, in millimetres by default as nerfstudio does', async () => {
    const root = await folder();
    const bytes = npy(
      '<f4',
      '(2, 2)',
      (v) => {
        for (let i = 0; i < 4; i++) v.setFloat32(4 * i, 1000 * i, true);
      },
      16,
    );
    const depth = await decodeDepth(await put(root, 'd.npy', bytes), { maxPixels });
    expect([depth.width, depth.height, ...depth.data]).toEqual([2, 2, 0, 1, 2, 3]);
    expect([...(await decodeDepth(`${root}/d.npy`, { maxPixels, scale: 1 })).data]).toEqual([0, 1000, 2000, 3000]);
    const packed = await put(root, 'd.npz', zip(['extra.npy', 'depth.npy'].map((name) => ({ name, data: bytes }))));
    expect([...(await decodeDepth(packed, { maxPixels })).data]).toEqual([0, 1, 2, 3]);
    const unclear = await put(root, 'e.npz', zip(['a.npy', 'b.npy'].map((name) => ({ name, data: bytes }))));
    expect((await errorOf(decodeDepth(unclear, { maxPixels }))).message).toMatch(/several arrays \(a, b\)/);
    expect((await errorOf(decodeDepth(`${root}/d.npy`, { maxPixels: 3 }))).code).toBe('IMAGE_TOO_LARGE');
    const cut = await put(root, 'cut.npy', bytes.subarray(0, bytes.length - 4));
    expect((await errorOf(decodeDepth(cut, { maxPixels }))).message).toMatch(/ends after/);
  });

  it.each([
    [
      'big-endian, column by column',
      '>u2',
      '(2, 3)',
      'True',
      [1, 4, 2, 5, 3, 6],
      2,
      (v: DataView, at: number, n: number) => v.setUint16(at, n),
    ],
    [
      'of doubles with a third dimension of one',
      '<f8',
      '(2, 3, 1)',
      'False',
      [1, 2, 3, 4, 5, 6],
      8,
      (v: DataView, at: number, n: number) => v.setFloat64(at, n, true),
    ],
    [
      'of halves, the batch first',
      '<f2',
      '(1, 2, 3)',
      'False',
      [1, 2, 3, 4, 5, 6],
      2,
      (v: DataView, at: number, n: number) => v.setUint16(at, toHalf(n), true),
    ],
  ] as const)('reads arrays %s', async (_, type, shape, fortran, stored, size, set) => {
    const bytes = npy(
      type,
      shape,
      (v) => {
        for (const [i, n] of stored.entries()) set(v, i * size, n);
      },
      6 * size,
      fortran,
    );
    const depth = await decodeDepth(await put(await folder(), 'd.npy', bytes), { maxPixels, scale: 1 });
    expect([depth.width, depth.height, ...depth.data]).toEqual([3, 2, 1, 2, 3, 4, 5, 6]);
  });
});

/** A NumPy file, version 1.0. */
function npy(type: string, shape: string, fill: (v: DataView) => void, bytes: number, fortran = 'False'): Buffer {
  const header = `{'descr': '${type}', 'fortran_order': ${fortran}, 'shape': ${shape}, }\n`;
  const out = Buffer.alloc(10 + header.length + bytes);
  out.write('\x93NUMPY\x01\x00', 0, 'latin1');
  out.writeUInt16LE(header.length, 8);
  out.write(header, 10, 'latin1');
  fill(new DataView(out.buffer, out.byteOffset + 10 + header.length, bytes));
  return out;
}

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
