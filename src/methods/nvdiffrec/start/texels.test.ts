import { expect, test } from 'vitest';
import type { Mesh } from '../../../core/mesh.js';
import { atTexel, mapTexels } from '../../shared/texelMap.js';
import { spreadTexels, TEXEL_FLOATS, withRing } from './spreadTexels.js';

const square: Mesh = {
  positions: Float32Array.of(0, 0, 0, 4, 0, 0, 4, 2, 0, 0, 2, 0),
  uvs: Float32Array.of(0.25, 0.25, 0.75, 0.25, 0.75, 0.5, 0.25, 0.5),
  indices: Uint32Array.of(0, 1, 2, 0, 2, 3),
};

test('texels inside charts know their triangle and their point of the surface, the others have none', async () => {
  const map = await mapTexels(square, 16, 16);
  const point = new Float64Array(3);
  let inside = 0;
  for (let i = 0; i < 256; i++) {
    const x = (i % 16) + 0.5;
    const y = Math.floor(i / 16) + 0.5;
    const within = x > 4 && x < 12 && y > 4 && y < 8;
    expect(map.triangle[i] !== 0).toBe(within);
    if (!within) continue;
    inside++;
    atTexel(map, square, square.positions, 3, i, point);
    expect(point[0]).toBeCloseTo((x - 4) / 2, 5);
    expect(point[1]).toBeCloseTo((y - 4) / 2, 5);
  }
  expect(inside).toBe(32);
  expect(new Set(map.triangle)).toEqual(new Set([0, 1, 2]));
});

test('texels that are not filled take all values of the nearest filled one', async () => {
  const texels = new Float32Array(64 * TEXEL_FLOATS);
  const filled = new Uint8Array(64);
  for (const [i, value] of [
    [9, 1],
    [54, 2],
  ]) {
    filled[i] = 1;
    texels.fill(value, i * TEXEL_FLOATS, (i + 1) * TEXEL_FLOATS);
  }
  await spreadTexels(texels, filled, 8, 8);
  for (let i = 0; i < 64; i++) {
    const x = i % 8;
    const y = Math.floor(i / 8);
    const near = Math.hypot(x - 1, y - 1);
    const far = Math.hypot(x - 6, y - 6);
    if (Math.abs(near - far) < 1) continue;
    expect([...texels.subarray(i * TEXEL_FLOATS, (i + 1) * TEXEL_FLOATS)]).toEqual(Array(8).fill(near < far ? 1 : 2));
  }
});

test('the ring around a texel is its eight neighbours, cut at the border', () => {
  expect([...withRing([1, 0, 0, 0, 0, 0, 0, 0, 0], 3, 3)]).toEqual([1, 1, 0, 1, 1, 0, 0, 0, 0]);
});
