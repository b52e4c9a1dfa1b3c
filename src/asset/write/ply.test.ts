import { describe, expect, it } from 'vitest';
import { parsePly } from '../../../bench/scoring/readPly.js';
import { bakedAsset } from '../../../test/asset.js';
import { srgbToLinear } from '../../core/image.js';
import { encodePly } from './writePly.js';

describe('writePly', () => {
  it('writes what the reader reads: positions, normals, coordinates, triangles', () => {
    const { mesh } = bakedAsset();
    const read = parsePly(encodePly(bakedAsset()));
    expect(read.positions).toEqual(mesh.positions);
    expect(read.normals).toEqual(mesh.normals);
    expect(read.indices).toEqual(mesh.indices);
    read.uvs!.forEach((v, i) => {
      expect(v).toBeCloseTo(mesh.uvs![i], 6);
    });
  });

  it('colours vertices from the texture', () => {
    const { mesh } = bakedAsset();
    const { colors } = parsePly(encodePly(bakedAsset()));
    for (let i = 0; i < mesh.positions.length / 3; i++) {
      // The gradient's texel x holds 255·x/64 at its centre (x + ½)/64.
      const expected = [0, 1].map((k) => (mesh.uvs![i * 2 + k] - 0.5 / 64) * 255);
      for (const [k, v] of expected.entries())
        expect(Math.abs(colors![i * 3 + k] - srgbToLinear(v / 255))).toBeLessThan(0.01);
      expect(colors![i * 3 + 2]).toBeCloseTo(srgbToLinear(128 / 255), 6);
    }
  });
});

describe('readPly', () => {
  const ascii = (text: string) => new TextEncoder().encode(text);
  it('reads text with quads, comments and unknown elements', () => {
    const mesh = parsePly(
      ascii(
        'ply\r\nformat ascii 1.0\r\ncomment x\r\nelement vertex 4\r\nproperty double x\r\nproperty double ' +
          'y\r\nproperty double z\r\n' +
          'element other 1\r\nproperty list uchar int things\r\nelement face 1\r\nproperty list uchar uint ' +
          'vertex_index\r\nend_header\r\n' +
          '0 0 0\r\n1 0 0\r\n1 1 0\r\n0 1 0\r\n3 7 8 9\r\n4 0 1 2 3\r\n',
      ),
    );
    expect([...mesh.positions]).toEqual([0, 0, 0, 1, 0, 0, 1, 1, 0, 0, 1, 0]);
    expect([...mesh.indices]).toEqual([0, 1, 2, 0, 2, 3]);
    expect(mesh.normals).toBeUndefined();
  });

  it('reads point clouds and big-endian numbers', () => {
    const head = ascii(
      'ply\nformat binary_big_endian 1.0\nelement vertex 1\nproperty float x\nproperty float y\nproperty ' +
        'short z\nend_header\n',
    );
    const bytes = new Uint8Array(head.length + 10);
    bytes.set(head);
    const view = new DataView(bytes.buffer, head.length);
    view.setFloat32(0, 1.5);
    view.setFloat32(4, -2);
    view.setInt16(8, -300);
    const mesh = parsePly(bytes);
    expect([...mesh.positions]).toEqual([1.5, -2, -300]);
    expect(mesh.indices.length).toBe(0);
  });

  it('refuses damaged files with the reason', () => {
    const whole = encodePly(bakedAsset());
    const bad: [Uint8Array, RegExp][] = [
      [whole.subarray(0, whole.length - 1), /ends too early/],
      [ascii('solid stl'), /no PLY header/],
      [ascii('ply\nformat ascii 1.0\nelement vertex 9999999\nproperty float x\nend_header\n'), /claims 9999999/],
      [ascii('ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\nend_header\n1\n'), /lack x, y or z/],
      [
        ascii(
          'ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\nproperty float y\nproperty float ' +
            'z\nelement face 1\nproperty list uchar int vertex_indices\nend_header\n0 0 0\n3 0 0 1\n',
        ),
        /vertex 1 of 1/,
      ],
    ];
    for (const [bytes, found] of bad)
      expect(() => parsePly(bytes, 'x.ply')).toThrow(
        expect.objectContaining({ code: 'ASSET_UNREADABLE', found: expect.stringMatching(found) }),
      );
  });
});
