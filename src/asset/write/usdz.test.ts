import { describe, expect, it } from 'vitest';
import { bakedAsset, pbrAsset } from '../../../test/asset.js';
import { checkUsdz } from './checkUsdz.js';
import { storedZip } from './storedZip.js';
import { encodeUsdz } from './writeUsdz.js';

const text = (s: string) => new TextEncoder().encode(s);
const png = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const layer = (body = '', metadata = '    defaultPrim = "A"\n    metersPerUnit = 1\n    upAxis = "Y"') =>
  text(`#usda 1.0\n(\n${metadata}\n)\n\ndef Xform "A"\n{\n${body}\n}\n`);

describe('writeUsdz', () => {
  it.each([
    ['baked', bakedAsset()],
    ['pbr', pbrAsset()],
    ['pbr without maps', { ...bakedAsset(), material: { ...bakedAsset().material, kind: 'pbr' as const } }],
  ])('keeps the rules of USDZ: %s', async (_, asset) => {
    expect(checkUsdz(await encodeUsdz(asset))).toEqual([]);
  });

  it('gives the same bytes twice', async () => {
    expect(await encodeUsdz(pbrAsset())).toEqual(await encodeUsdz(pbrAsset()));
  });

  it('places what stands far from its origin by an operation on its prim', async () => {
    const far = await encodeUsdz({ ...bakedAsset(), origin: [437_000, 12, -5_860_000] });
    expect(checkUsdz(far)).toEqual([]);
    const text = new TextDecoder('latin1').decode(far);
    expect(text).toContain('double3 xformOp:translate = (437000, 12, -5860000)');
    expect(text).toContain('uniform token[] xformOpOrder = ["xformOp:translate"]');
    expect(new TextDecoder('latin1').decode(await encodeUsdz(bakedAsset()))).not.toContain('xformOp');
  });

  it('holds the mesh with the origin of coordinates at the lower left, and says what is baked', async () => {
    const asset = bakedAsset();
    const all = new TextDecoder('latin1').decode(await encodeUsdz(asset));
    const numbers = (name: string) =>
      [...new RegExp(`${name} = \\[(.*)\\]`).exec(all)![1].matchAll(/-?[\d.]+(e-?\d+)?/g)].map((m) => Number(m[0]));
    expect(Float32Array.from(numbers('points'))).toEqual(asset.mesh.positions.map((v) => v + 0));
    expect(numbers('faceVertexIndices')).toEqual([...asset.mesh.indices]);
    expect(numbers('faceVertexCounts')).toEqual(new Array(asset.mesh.indices.length / 3).fill(3));
    numbers('primvars:st').forEach((v, i) => {
      const uv = asset.mesh.uvs![i];
      expect(v).toBeCloseTo(i % 2 === 0 ? uv : 1 - uv, 5);
    });
    expect(numbers('extent')).toEqual([-1, -1, -1, 1, 1, 1]);
    expect(all).toContain('inputs:emissiveColor.connect = </Object/Material/baseColor.outputs:rgb>');
    expect(all).toContain('plinthBakedLight = true');
    expect(new TextDecoder('latin1').decode(await encodeUsdz(pbrAsset()))).not.toContain('emissiveColor');
  });
});

describe('checkUsdz', () => {
  const good = () => [
    { name: 'a.usda', data: layer('asset x = @t/b.png@') },
    { name: 't/b.png', data: png },
  ];
  /** Changes 16-bit numbers at offsets from the first local header and the first central directory entry. */
  const patched = (local: [number, number][], central: [number, number][]) => {
    const bytes = storedZip(good());
    const view = new DataView(bytes.buffer);
    const at = view.getUint32(bytes.length - 22 + 16, true);
    for (const [offset, value] of local) view.setUint16(offset, value, true);
    for (const [offset, value] of central) view.setUint16(at + offset, value, true);
    return bytes;
  };

  it('finds nothing wrong with a sound package', () => {
    expect(checkUsdz(storedZip(good()))).toEqual([]);
    expect(checkUsdz(storedZip([{ name: 'a.usda', data: layer('asset x = @./t/b.png@') }, good()[1]]))).toEqual([]);
  });

  const faults: [string, () => Uint8Array, RegExp][] = [
    ['something that is no archive', () => text('hello'), /no ZIP archive/],
    ['an empty archive', () => storedZip([]), /empty/],
    ['data that are not aligned', () => storedZip(good(), 1), /no multiple of 64/],
    ['alignment to less than 64 bytes', () => storedZip(good(), 16), /no multiple of 64/],
    ['compression', () => patched([[8, 8]], [[10, 8]]), /compressed/],
    ['encryption', () => patched([[6, 1]], [[8, 1]]), /encrypted/],
    ['sizes after the data', () => patched([[6, 8]], [[8, 8]]), /size stands after/],
    ['local headers that disagree', () => patched([[22, 9]], []), /disagree/],
    [
      'damaged contents',
      () => {
        const b = storedZip(good());
        b[70] ^= 1;
        return b;
      },
      /checksum/,
    ],
    ['a texture in first place', () => storedZip(good().reverse()), /first file must be a USD layer/],
    ['file types that are not allowed', () => storedZip([...good(), { name: 'b.webp', data: png }]), /not allowed/],
    ['contents that belie their names', () => storedZip([...good(), { name: 'b.jpg', data: png }]), /not of the type/],
    [
      'names that leave the package',
      () => storedZip([...good(), { name: '../b.png', data: png }]),
      /leaves the package/,
    ],
    ['two files of one name', () => storedZip([...good(), good()[1]]), /two files/],
    ['missing assets', () => storedZip([good()[0]]), /names no file/],
    [
      'absolute asset paths',
      () => storedZip([{ name: 'a.usda', data: layer('asset x = @/t/b.png@') }, good()[1]]),
      /leaves the package/,
    ],
    [
      'a layer without default prim',
      () => storedZip([{ name: 'a.usda', data: layer('', '    metersPerUnit = 1\n    upAxis = "Y"') }]),
      /no default prim/,
    ],
    [
      'a default prim that is not there',
      () =>
        storedZip([
          { name: 'a.usda', data: layer('', '    defaultPrim = "B"\n    metersPerUnit = 1\n    upAxis = "Y"') },
        ]),
      /not defined/,
    ],
    [
      'a layer without up axis',
      () => storedZip([{ name: 'a.usda', data: layer('', '    defaultPrim = "A"\n    metersPerUnit = 1') }]),
      /no up axis/,
    ],
    [
      'bytes between files',
      () => {
        const bytes = storedZip(good());
        const gap = new Uint8Array(bytes.length + 64);
        const view = new DataView(bytes.buffer);
        const central = view.getUint32(bytes.length - 6, true);
        const second = view.getUint32(central + 46 + 6 + 42, true);
        gap.set(bytes.subarray(0, second));
        gap.set(bytes.subarray(second), second + 64);
        const moved = new DataView(gap.buffer);
        moved.setUint32(gap.length - 6, central + 64, true);
        moved.setUint32(central + 64 + 46 + 6 + 42, second + 64, true);
        return gap;
      },
      /belong to none/,
    ],
  ];
  it.each(faults)('finds %s', (_, make, message) => {
    expect(checkUsdz(make())).toContainEqual(expect.stringMatching(message));
  });
});
