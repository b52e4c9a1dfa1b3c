import { expect, test } from 'vitest';
import { sphere } from '../../../test/shapes.js';
import { type ColorImage, linearToSrgb } from '../../core/image.js';
import type { Mesh } from '../../core/mesh.js';
import { fitLight, harmonics } from './lightFit.js';
import { mapTexels } from './texelMap.js';

/** A sphere whose texture coordinates are longitude and latitude, seam left out. */
function globe(): Mesh {
  const { positions, indices } = sphere(3);
  const uvs = new Float32Array((positions.length / 3) * 2);
  for (let i = 0; i < uvs.length / 2; i++) {
    const [x, y, z] = positions.subarray(i * 3, i * 3 + 3);
    uvs[i * 2] = 0.5 + Math.atan2(x, -z) / (2 * Math.PI);
    uvs[i * 2 + 1] = Math.acos(Math.max(-1, Math.min(1, y))) / Math.PI;
  }
  const across = (t: number) => {
    const u = [0, 1, 2].map((k) => uvs[indices[t * 3 + k] * 2]);
    return Math.max(...u) - Math.min(...u) > 0.5;
  };
  return { positions, normals: positions, uvs, indices: indices.filter((_, h) => !across(Math.floor(h / 3))) };
}

test('harmonics are orthonormal over the sphere', () => {
  const gram = Array.from({ length: 9 }, () => new Array<number>(9).fill(0));
  const count = 4000;
  for (let k = 0; k < count; k++) {
    const y = 1 - (2 * (k + 0.5)) / count;
    const a = k * Math.PI * (3 - Math.sqrt(5));
    const r = Math.sqrt(1 - y * y);
    const h = harmonics([r * Math.cos(a), y, r * Math.sin(a)]);
    for (let i = 0; i < 9; i++) for (let j = 0; j < 9; j++) gram[i][j] += (h[i] * h[j] * 4 * Math.PI) / count;
  }
  for (let i = 0; i < 9; i++) for (let j = 0; j < 9; j++) expect(gram[i][j]).toBeCloseTo(i === j ? 1 : 0, 2);
});

test('light from above is found above, and most of its shading leaves the texture', async () => {
  const mesh = globe();
  const size = 64;
  const map = await mapTexels(mesh, size, size);
  const texture: ColorImage = { width: size, height: size, data: new Uint8ClampedArray(size * size * 4).fill(255) };
  for (let i = 0; i < size * size; i++) {
    const up = Math.cos(((Math.floor(i / size) + 0.5) / size) * Math.PI);
    const shading = 0.5 + 0.4 * up;
    for (const [c, albedo] of [0.9, 0.6, 0.3].entries())
      texture.data[i * 4 + c] = 255 * linearToSrgb(albedo * shading * 0.8);
  }
  const { light, baseColor } = await fitLight(map, mesh, texture, new Float32Array(mesh.positions.length / 3).fill(1));
  const row = (v: number) => light.data[Math.floor(v * light.height) * light.width * 3];
  expect(row(0.05)).toBeGreaterThan(2 * row(0.95));
  const red = (v: number) => baseColor[(Math.floor(v * size) * size + size / 2) * 3];
  const before = (0.5 + 0.4 * Math.cos(0.2 * Math.PI)) / (0.5 + 0.4 * Math.cos(0.8 * Math.PI));
  expect(red(0.2) / red(0.8)).toBeLessThan(1 + (before - 1) * 0.35);
  for (const v of [0.2, 0.5, 0.8]) {
    const at = (Math.floor(v * size) * size + size / 2) * 3;
    expect(baseColor[at + 1] / baseColor[at]).toBeCloseTo(0.6 / 0.9, 1);
  }
  expect(Math.max(...baseColor)).toBeLessThanOrEqual(0.98);
});
