import type { Asset } from '../src/core/asset.js';
import type { ColorImage } from '../src/core/image.js';
import type { Mesh } from '../src/core/mesh.js';
import { computeNormals } from '../src/geometry/mesh/normals.js';
import { sphere } from './shapes.js';

/** A square image from a function of x and y in 0…1, opaque. */
export function image(size: number, at: (x: number, y: number) => readonly number[]): ColorImage {
  const data = new Uint8ClampedArray(size * size * 4).fill(255);
  for (let y = 0; y < size; y++) for (let x = 0; x < size; x++) data.set(at(x / size, y / size), (y * size + x) * 4);
  return { width: size, height: size, data };
}

/** A mesh within −1…1 with normals, and UVs from x and y. */
export function shape(mesh: Mesh): Mesh {
  const uvs = new Float32Array((mesh.positions.length / 3) * 2);
  for (let i = 0; i < uvs.length / 2; i++) {
    uvs[i * 2] = 0.5 + 0.45 * mesh.positions[i * 3];
    uvs[i * 2 + 1] = 0.5 - 0.45 * mesh.positions[i * 3 + 1];
  }
  return { ...mesh, normals: computeNormals(mesh), uvs };
}

/** Red grows to the right, green downwards. */
export const gradient = image(64, (x, y) => [255 * x, 255 * y, 128]);

export const bakedAsset = (mesh: Mesh = sphere(3)): Asset => ({
  mesh: shape(mesh),
  material: { kind: 'baked', baseColor: gradient },
});

export const pbrAsset = (mesh: Mesh = sphere(3)): Asset => ({
  mesh: shape(mesh),
  material: {
    kind: 'pbr',
    baseColor: gradient,
    occlusionRoughnessMetallic: image(32, (x, y) => [200, 255 * x, 255 * y]),
    normal: image(32, (x) => [118 + 20 * x, 128, 254]),
  },
});
