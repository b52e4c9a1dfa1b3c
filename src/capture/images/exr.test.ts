import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { errorOf, put, useFolders } from '../../../test/captureScene.js';
import { decodeDepth } from './depth.js';
import { exrSize, readExrDepth } from './exr.js';

/**
 * 7 × 20 pixels, channels A (half, 1) and Z (float, 1.5 + 0.37 i in reading order; the first is 10¹⁰), as OpenEXR 3
 * writes them.
 */
const ZIP = Buffer.from(
  'di8xAQIAAABjaGFubmVscwBjaGxpc3QAJQAAAEEAAQAAAAAAAAABAAAAAQAAAFoAAgAAAAAAAAABAAAAAQAAAABjb21wcmVzc2lvbgBjb21wcmVzc2lvbgABAAAAA2RhdGFXaW5kb3cAYm94MmkAEAAAAAAAAAAAAAAABgAAABMAAABkaXNwbGF5V2luZG93AGJveDJpABAAAAAAAAAAAAAAAAYAAAATAAAAbGluZU9yZGVyAGxpbmVPcmRlcgABAAAAAHBpeGVsQXNwZWN0UmF0aW8AZmxvYXQABAAAAAAAgD9zY3JlZW5XaW5kb3dDZW50ZXIAdjJmAAgAAAAAAAAAAAAAAHNjcmVlbldpbmRvd1dpZHRoAGZsb2F0AAQAAAAAAIA/dHlwZQBzdHJpbmcADQAAAHNjYW5saW5laW1hZ2UAVAEAAAAAAABwAwAAAAAAAAAAAAAUAgAAeF5jaACDyjlT3Halrc9cnbOiYGmxEETwxK6APX77fA54H/Q87H5kO0RQ4KjrceeTjqcfqyUsu6dRBBHMWXFXM2bVbe2oNTd1Itd6QlXqRqy7rh+24aphyKbLxvIQwc1bLpoGbr1gGrAtY476nd9Q7TLLYtPmqt57KrckPmX+M4jgvvuPFRbHJy9QfvBIcVHiJaiZCxUfPVRakJywWP7JfZW9EMHE1Lilck/vqs1Ni1ku83wF1CKN2RlRK6Ve3tKcmRW5cgpEkPXVTa0Z2RGrJV5f1+kpg4g15Ezz3qZ9nev7a/FT5qsiSiGCU8uzZnju0LzJ+eOl5AnLbIjgvsiOyoxZ7rs0bnL8ei6VCBF8brU8qr06bbb7brXbbH8mQQTdzvUkz03x2vaDY1lUyJoaiKDq/R8c5w2XRdU2h6zRvgoVZPt3U31DQHvleaOd7kujqyGCUwtqWtJnBq+1P6h1TewVVJDt/1vhGxpHbNYHzk5tq4IKlvfFLvbcbnJG4cHS6NmpcO1tVTUtRX3pM2MXB6+FCvpttz9ockbrmsIDsVfcX+Fmfud8K/xI7obGOaMjNlDBfe7rA0GmTQAbA7cIYpon2BiooD7UNEagMWKvqyCCUwu5vrVWMzBUt37jKuyHCn4SSZv1UD5myXXNoHVnjaGCfjsO29od2uFhfHZdkOZ1qOCqGPmHs9JEX/eDjQEA29JQ0hAAAACQAAAAeF5jaAADAeljNktjWmtT57juVbnrAxG0+PdE9ojd4riWuuR5zvsdIYKJ95n/PZY/ZL84vqk+aYE5RLDrgNIDRoaHigcdFiY2NGZCBNkYqlu/cRX2vxFJm/VQvgoimLTkumbQurPGHjsO29odggru8zA+uy5I8/qSGPmHs9KggtKv+wu5vrVWM4CNAQA640/D',
  'base64',
);
const RLE = Buffer.from(
  'di8xAQIAAABjaGFubmVscwBjaGxpc3QAJQAAAEEAAQAAAAAAAAABAAAAAQAAAFoAAgAAAAAAAAABAAAAAQAAAABjb21wcmVzc2lvbgBjb21wcmVzc2lvbgABAAAAAWRhdGFXaW5kb3cAYm94MmkAEAAAAAAAAAAAAAAABgAAABMAAABkaXNwbGF5V2luZG93AGJveDJpABAAAAAAAAAAAAAAAAYAAAATAAAAbGluZU9yZGVyAGxpbmVPcmRlcgABAAAAAHBpeGVsQXNwZWN0UmF0aW8AZmxvYXQABAAAAAAAgD9zY3JlZW5XaW5kb3dDZW50ZXIAdjJmAAgAAAAAAAAAAAAAAHNjcmVlbldpbmRvd1dpZHRoAGZsb2F0AAQAAAAAAIA/dHlwZQBzdHJpbmcADQAAAHNjYW5saW5laW1hZ2UA5AEAAAAAAAARAgAAAAAAAD4CAAAAAAAAawIAAAAAAACYAgAAAAAAAMUCAAAAAAAA8gIAAAAAAAAfAwAAAAAAAEwDAAAAAAAAeQMAAAAAAACmAwAAAAAAANMDAAAAAAAAAAQAAAAAAAAtBAAAAAAAAFoEAAAAAAAAhwQAAAAAAAC0BAAAAAAAAOEEAAAAAAAADgUAAAAAAAA7BQAAAAAAAAAAAAAlAAAA/wAFgPF5nJRGumavaatsqHClc04FgPJGzoxjnWRKtvgIplpUrAEAAAAlAAAA/wAFgPHIulC8Tr5MwEvBScNHxPMFgPIl3/gIzzGmWn2DVKwr1QIAAAAlAAAA/wAFgPEQxUXHQ8lBy+MmYKbeKK4FgPIG/tknsFCHec8yuUelWwMAAAAlAAAA/wAFgPFsqN0pXKrbK1qs2SxZrYUFgPKVcHyEZ5lTrT/BKtYW6gQAAAAlAAAA/wAFgPEQLViu1y9WsNUxVLLTM1sFgPIG/+0T2CjEPK9Rm2WGegUAAAAlAAAA/wAFgPGztNE1UbXQNVC2aJwn3DcFgPJ3jl2jSbc0zCDgpVubZQYAAAAlAAAA/wAFgPFsHKZdZp0l3uUepF9knyIFgPKVcIZ6fIRyjmeZXaNTrQcAAAAlAAAA/wAFgPG+3+Mgo19joCPg4iGiYQ4FgPJOtz/BNMwq1iDgFuoL9QgAAAAlAAAA/wAFgPEQoSHi4SKgY2CjH+TfJPkFgPIG//cJ7RPiHtgozjLEPAkAAAAlAAAA/wAFgPFhZV6lHuXdJp1mXKcc5+QFgPK+R69RpVubZZBwhnp8hAoAAAAlAAAA/wAFgPGzKJtoWqka6dopmWpZqdAFgPJ3jmeZXaNTrUm3P8E0zAsAAAAlAAAA/wAFgPEF6tkqmGtYqxjr1yyMdrwFgPIv1iDgFuoL9QH/9wkW6wwAAAAlAAAA/wAFgPFslku2K9cK9+sXyjeqWLEFgPKVcQr2hXsAAHuF9gpxjw0AAAAlAAAA/wAFgPGVd2qYSbgp2Qn46RnIOacFgPLyFGaa4R9cpNcpUq7NMw4AAAAlAAAA/wAFgPG+WYh5aJpHuijZCPrnGp0FgPJOuMM9PsK4SDPNrlIp1w8AAAAlAAAA/wAFgPHnOqdah3tmm0e7JtsG/JIFgPKqXB/hmmYV649xCvaFexAAAAAlAAAA/wAFgPEQG8Y8pVyFfWWcRb0k3YgFgPIGAHuF9gpxj+wUZprhHxEAAAAlAAAA/wAFgPE4/uQdxD6jXoR+Y55Dv30FgPJipNcpUq7NM0i4wz0+whIAAAAlAAAA/wAFgPFh3wP+4x/CP6Nfgn9ioHMFgPK+SDPNrlIp16RcH+GaZhMAAAAlAAAA/wAFgPGKwCLgAQDhIcFAoWGAgWkFgPIb649xCvaFewAAe4X2Cg==',
  'base64',
);
const PIZ = Buffer.from(
  'di8xAQIAAABjaGFubmVscwBjaGxpc3QAJQAAAEEAAQAAAAAAAAABAAAAAQAAAFoAAgAAAAAAAAABAAAAAQAAAABjb21wcmVzc2lvbgBjb21wcmVzc2lvbgABAAAABGRhdGFXaW5kb3cAYm94MmkAEAAAAAAAAAAAAAAABgAAABMAAABkaXNwbGF5V2luZG93AGJveDJpABAAAAAAAAAAAAAAAAYAAAATAAAAbGluZU9yZGVyAGxpbmVPcmRlcgABAAAAAHBpeGVsQXNwZWN0UmF0aW8AZmxvYXQABAAAAAAAgD9zY3JlZW5XaW5kb3dDZW50ZXIAdjJmAAgAAAAAAAAAAAAAAHNjcmVlbldpbmRvd1dpZHRoAGZsb2F0AAQAAAAAAIA/dHlwZQBzdHJpbmcADQAAAHNjYW5saW5laW1hZ2UATAEAAAAAAAAAAAAASAMAAAA8ADwAPAA8ADwAPAA8+QIVUClc7z8pXA9APgonQFK4PkBmZlZAexRuQAA8ADwAPAA8ADwAPAA8SOGCQFK4jkBcj5pAZmamQHE9skB7FL5AhevJQAA8ADwAPAA8ADwAPAA8kMLVQJqZ4UCkcO1Arkf5QFyPAkHieghBZmYOQQA8ADwAPAA8ADwAPAA87FEUQXE9GkH2KCBBexQmQQAALEGF6zFBCtc3QQA8ADwAPAA8ADwAPAA8kMI9QRWuQ0GamUlBH4VPQaRwVUEpXFtBrkdhQQA8ADwAPAA8ADwAPAA8MzNnQbgebUE+CnNBw/V4QUjhfkFmZoJBKVyFQQA8ADwAPAA8ADwAPAA87FGIQa5Hi0FxPY5BMzORQfYolEG4HpdBexSaQQA8ADwAPAA8ADwAPAA8PgqdQQAAoEHD9aJBheulQUjhqEEK16tBzcyuQQA8ADwAPAA8ADwAPAA8kMKxQVK4tEEVrrdB16O6QZqZvUFcj8BBH4XDQQA8ADwAPAA8ADwAPAA84XrGQaRwyUFnZsxBKVzPQexR0kGuR9VBcT3YQQA8ADwAPAA8ADwAPAA8MzPbQfYo3kG4HuFBexTkQT4K50EAAOpBw/XsQQA8ADwAPAA8ADwAPAA8hevvQUjh8kEK1/VBzcz4QZDC+0FSuP5BCtcAQgA8ADwAPAA8ADwAPAA87FECQs3MA0KuRwVCj8IGQnE9CEJSuAlCMzMLQgA8ADwAPAA8ADwAPAA8Fa4MQvYoDkLXow9CuB4RQpqZEkJ7FBRCXI8VQgA8ADwAPAA8ADwAPAA8PgoXQh+FGEIAABpC4XobQsP1HEKkcB5ChesfQgA8ADwAPAA8ADwAPAA8Z2YhQkjhIkIpXCRCCtclQuxRJ0LNzChCrkcqQgA8ADwAPAA8ADwAPAA8kMIrQnE9LUJSuC5CMzMwQhWuMUL2KDNC16M0QgA8ADwAPAA8ADwAPAA8uB42QpqZN0J7FDlCXI86Qj4KPEIfhT1CAAA/QgA8ADwAPAA8ADwAPAA84XpAQsP1QUKkcENChetEQmdmRkJI4UdCKVxJQgA8ADwAPAA8ADwAPAA8CtdKQuxRTELNzE1CrkdPQpDCUEJxPVJCUrhTQg==',
  'base64',
);

const folder = useFolders();
const maxPixels = 1e6;

/** An uncompressed (or ZIPS) file of one row of halves in the channel V. */
function halves(bits: number[], compression = 0): Buffer {
  const attribute = (name: string, type: string, value: Buffer): Buffer => {
    const size = Buffer.alloc(4);
    size.writeUInt32LE(value.length);
    return Buffer.concat([Buffer.from(`${name}\0${type}\0`), size, value]);
  };
  const ints = (...values: number[]): Buffer => Buffer.concat(values.map((v) => Buffer.from(Int32Array.of(v).buffer)));
  const header = Buffer.concat([
    ints(20000630, 2),
    attribute('channels', 'chlist', Buffer.concat([Buffer.from('V\0'), ints(1, 0, 1, 1), Buffer.from([0])])),
    attribute('compression', 'compression', Buffer.from([compression])),
    attribute('dataWindow', 'box2i', ints(3, 5, 2 + bits.length, 5)),
    Buffer.from([0]),
  ]);
  const pixels = Buffer.from(Uint16Array.from(bits).buffer);
  const packed = compression === 2 ? deflateSync(pixels) : pixels;
  const table = Buffer.alloc(8);
  table.writeBigUInt64LE(BigInt(header.length + 8));
  return Buffer.concat([header, table, ints(5, packed.length), packed]);
}

describe('readExrDepth', () => {
  it.each([
    ['ZIP', ZIP],
    ['RLE', RLE],
  ])('reads the Z channel of a file compressed with %s', (_, file) => {
    const depth = readExrDepth(file);
    expect([depth.name, depth.width, depth.height]).toEqual(['Z', 7, 20]);
    expect(depth.data[0]).toBe(Math.fround(1e10));
    for (let i = 1; i < 140; i++) expect(depth.data[i]).toBeCloseTo(1.5 + 0.37 * i, 5);
    expect(exrSize(file)).toMatchObject({ width: 7, height: 20 });
  });

  it('reads half floats: normal, subnormal, infinite, not a number', () => {
    const { data } = readExrDepth(halves([0x3c00, 0xc100, 0x0001, 0x7bff, 0x7c00, 0x7e00, 0]));
    expect([...data]).toEqual([1, -2.5, 2 ** -24, 65504, Infinity, Number.NaN, 0]);
  });

  it('says what it does not read, and what is damaged', () => {
    expect(() => readExrDepth(PIZ)).toThrow(/PIZ/);
    expect(() => readExrDepth(Buffer.from('no picture at all'))).toThrow(/not an OpenEXR/);
    for (const length of [20, 100, 400, 700]) expect(() => readExrDepth(ZIP.subarray(0, length))).toThrow();
    const tiled = Buffer.from(ZIP);
    tiled.writeUInt32LE(2 | 0x200, 4);
    expect(() => readExrDepth(tiled)).toThrow(/tiled/);
  });
});

describe('OpenEXR depth of a capture', () => {
  it('is in scene units; what is far or not a number is none', async () => {
    const root = await folder();
    const depth = await decodeDepth(await put(root, 'a.exr', ZIP), { maxPixels });
    expect([depth.data[0], depth.step]).toEqual([0, 0]);
    expect(depth.data[1]).toBeCloseTo(1.87, 6);
    const some = await put(root, 'b.exr', halves([0x3c00, 0xc100, 0x7bff, 0x7c00, 0x7e00]));
    expect([...(await decodeDepth(some, { maxPixels, scale: 2 })).data]).toEqual([2, 0, 0, 0, 0]);
  });

  it('is refused where damaged, unsupported or too large, naming the file', async () => {
    const root = await folder();
    for (const bytes of [PIZ, ZIP.subarray(0, 600)]) {
      const error = await errorOf(decodeDepth(await put(root, 'a.exr', bytes), { maxPixels }));
      expect([error.code, error.message.includes('a.exr')]).toEqual(['DEPTH_INVALID', true]);
    }
    const huge = Buffer.from(ZIP);
    huge.writeInt32LE(2 ** 30, huge.indexOf('dataWindow') + 10 + 1 + 6 + 4 + 8);
    expect((await errorOf(decodeDepth(await put(root, 'h.exr', huge), { maxPixels }))).code).toBe('IMAGE_TOO_LARGE');
  });
});
