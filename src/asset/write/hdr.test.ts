import { FloatType } from 'three';
import { HDRLoader } from 'three/addons/loaders/HDRLoader.js';
import { describe, expect, it } from 'vitest';
import { Random } from '../../core/random.js';
import { decodeHdr } from '../read/readHdr.js';
import { encodeHdr } from './writeHdr.js';

describe('writeHdr', () => {
  it.each([
    [7, 5],
    [64, 32],
    [300, 4],
  ])('writes %i × %i pixels that three.js reads within the precision of the format', (width, height) => {
    const random = new Random(5);
    const data = new Float32Array(width * height * 3);
    for (let i = 0; i < data.length; i++) data[i] = i % 50 < 20 ? 0.25 : 10 ** (random.float() * 8 - 4);
    data[0] = 0;
    data[1] = 0;
    data[2] = 0;
    const bytes = encodeHdr({ width, height, data });
    const loader = new HDRLoader();
    loader.setDataType(FloatType);
    const read = loader.parse(bytes.buffer as ArrayBuffer) as unknown as {
      width: number;
      height: number;
      data: Float32Array;
    };
    expect([read.width, read.height]).toEqual([width, height]);
    for (let i = 0; i < width * height; i++) {
      const largest = Math.max(data[i * 3], data[i * 3 + 1], data[i * 3 + 2]);
      // That reader takes a mantissa for n/255 where the format means n/256.
      for (let k = 0; k < 3; k++)
        expect(Math.abs((read.data[i * 4 + k] * 255) / 256 - data[i * 3 + k])).toBeLessThanOrEqual(largest / 255);
    }
  });

  it('writes 0 for what is no radiance', () => {
    const bytes = encodeHdr({ width: 1, height: 1, data: Float32Array.from([-1, Number.NaN, Infinity]) });
    expect([...bytes.subarray(-4)]).toEqual([0, 0, 0, 0]);
  });
});

describe('decodeHdr', () => {
  it.each([
    [7, 5],
    [64, 32],
  ])('reads %i × %i pixels back within the precision of the format', (width, height) => {
    const random = new Random(6);
    const data = Float32Array.from({ length: width * height * 3 }, (_, i) =>
      i % 50 < 20 ? 0.25 : 10 ** (random.float() * 8 - 4),
    );
    const read = decodeHdr(encodeHdr({ width, height, data }));
    expect([read.width, read.height]).toEqual([width, height]);
    for (let i = 0; i < data.length; i++) {
      const pixel = data.subarray(i - (i % 3), i - (i % 3) + 3);
      expect(Math.abs(read.data[i] - data[i])).toBeLessThanOrEqual(Math.max(...pixel) / 256);
    }
  });

  it('refuses what ends early, is no picture, or has runs beyond its rows', () => {
    const bytes = encodeHdr({ width: 16, height: 2, data: new Float32Array(96).fill(1) });
    const refused = (b: Uint8Array) =>
      expect(() => decodeHdr(b)).toThrow(expect.objectContaining({ code: 'ASSET_UNREADABLE' }));
    refused(bytes.subarray(0, -3));
    refused(new TextEncoder().encode('no picture'));
    const long = Uint8Array.from(bytes);
    long[long.length - 2] = 255;
    refused(long);
  });
});
