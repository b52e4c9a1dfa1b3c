import { writeFile } from 'node:fs/promises';
import type { Asset } from '../../core/asset.js';
import { VERSION } from '../../core/version.js';
import { shiftWords } from './writeShift.js';

/**
 * Encodes an asset as binary little-endian PLY: position, normal, texture coordinate (`s t`, origin at the lower left
 * as PLY tools have it) and an 8-bit sRGB colour per vertex, taken from the base colour texture (bilinear), since PLY
 * has no textures of its own. A comment has the shift of an asset with an origin of its own.
 */
export function encodePly(asset: Asset): Uint8Array {
  const { mesh, material } = asset;
  const n = mesh.positions.length / 3;
  const triangles = mesh.indices.length / 3;
  const header = [
    'ply',
    'format binary_little_endian 1.0',
    `comment Plinth ${VERSION}${material.kind === 'baked' ? '; colours hold the light of the capture' : ''}`,
    ...(asset.origin ? [`comment ${shiftWords(asset.origin)}`] : []),
    `element vertex ${n}`,
    ...['x', 'y', 'z', 'nx', 'ny', 'nz', 's', 't'].map((p) => `property float ${p}`),
    ...['red', 'green', 'blue'].map((p) => `property uchar ${p}`),
    `element face ${triangles}`,
    'property list uchar int vertex_indices',
    'end_header\n',
  ].join('\n');
  const head = new TextEncoder().encode(header);
  const stride = 8 * 4 + 3;
  const out = new Uint8Array(head.length + n * stride + triangles * 13);
  out.set(head);
  const view = new DataView(out.buffer);
  let at = head.length;
  for (let i = 0; i < n; i++) {
    const [u, v] = [mesh.uvs?.[i * 2] ?? 0, mesh.uvs?.[i * 2 + 1] ?? 0];
    const values = [
      ...mesh.positions.subarray(i * 3, i * 3 + 3),
      ...(mesh.normals?.subarray(i * 3, i * 3 + 3) ?? [0, 0, 0]),
      u,
      1 - v,
    ];
    values.forEach((value, k) => {
      view.setFloat32(at + k * 4, value, true);
    });
    out.set(sampleTexture(material.baseColor, u, v), at + 32);
    at += stride;
  }
  for (let t = 0; t < triangles; t++) {
    view.setUint8(at, 3);
    for (let k = 0; k < 3; k++) view.setInt32(at + 1 + k * 4, mesh.indices[t * 3 + k], true);
    at += 13;
  }
  return out;
}

/** Writes `encodePly` to a file. */
export async function writePly(asset: Asset, path: string): Promise<void> {
  await writeFile(path, encodePly(asset));
}

/** The sRGB colour at (u, v), bilinear between texel centres, clamped at the border. */
function sampleTexture(image: Asset['material']['baseColor'], u: number, v: number): number[] {
  const { width, height, data } = image;
  const x = Math.min(width - 1, Math.max(0, u * width - 0.5));
  const y = Math.min(height - 1, Math.max(0, v * height - 0.5));
  const [x0, y0] = [Math.floor(x), Math.floor(y)];
  const [x1, y1] = [Math.min(width - 1, x0 + 1), Math.min(height - 1, y0 + 1)];
  const [fx, fy] = [x - x0, y - y0];
  return [0, 1, 2].map((k) => {
    const texel = (xx: number, yy: number) => data[(yy * width + xx) * 4 + k];
    const top = texel(x0, y0) * (1 - fx) + texel(x1, y0) * fx;
    const bottom = texel(x0, y1) * (1 - fx) + texel(x1, y1) * fx;
    return Math.round(top * (1 - fy) + bottom * fy);
  });
}
