import { expect, test } from 'vitest';
import { useGpu } from '../../../../test/gpu.js';
import { noise } from '../../../../test/noise.js';
import { sphere } from '../../../../test/shapes.js';
import { createLaplacian, destroyLaplacian, neighbourLists, recordLaplacian } from './laplacian.js';

const gpu = useGpu();

/** `weight / 2 · Σ |δᵢ|²` in float64. */
function energy(lists: Uint32Array, count: number, positions: Float64Array, start: Float64Array, weight: number) {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const list = lists.subarray(count + 1 + lists[i], count + 1 + lists[i + 1]);
    if (list.length === 0) continue;
    for (let c = 0; c < 3; c++) {
      const d = (p: number) => positions[p * 3 + c] - start[p * 3 + c];
      const mean = list.reduce((s, j) => s + d(j), 0) / list.length;
      sum += (d(i) - mean) ** 2;
    }
  }
  return (weight / 2) * sum;
}

test('neighbours are those along edges, each once', () => {
  expect([...neighbourLists([0, 1, 2, 2, 1, 3], 5)]).toEqual([0, 2, 5, 8, 10, 10, 1, 2, 0, 2, 3, 0, 1, 3, 1, 2]);
});

test('its gradient is that of central differences, added to what is there; a lone vertex has none', async () => {
  const mesh = sphere(1);
  const count = mesh.positions.length / 3 + 1;
  const random = Float64Array.from(noise(count * 3), (v) => v / 2 ** 32 - 0.5);
  const start = new Float32Array(count * 3);
  start.set(mesh.positions);
  const positions = start.map((v, i) => v + 0.2 * random[i]);
  const laplacian = createLaplacian(gpu(), mesh.indices, start);
  const buffer = gpu().upload(positions);
  const gradient = gpu().upload(new Float32Array(count * 3).fill(2));
  gpu().run((batch) => recordLaplacian(batch, laplacian, buffer, gradient, 3));
  const found = await gpu().readFloat32(gradient, count * 3);
  const lists = neighbourLists(mesh.indices, count);
  const x = Float64Array.from(positions);
  const from = Float64Array.from(start);
  for (let i = 0; i < count * 3; i++) {
    const value = x[i];
    const at = (v: number) => {
      x[i] = v;
      return energy(lists, count, x, from, 3);
    };
    const expected = (at(value + 1e-4) - at(value - 1e-4)) / 2e-4;
    x[i] = value;
    expect(found[i] - 2).toBeCloseTo(expected, 4);
  }
  expect([...found.slice(-3)]).toEqual([2, 2, 2]);
  destroyLaplacian(laplacian);
  buffer.destroy();
  gradient.destroy();
});

test('moving the whole surface costs nothing', async () => {
  const mesh = sphere(1);
  const laplacian = createLaplacian(gpu(), mesh.indices, mesh.positions);
  const buffer = gpu().upload(mesh.positions.map((v, i) => v + (i % 3)));
  const gradient = gpu().createBuffer(mesh.positions.byteLength);
  gpu().run((batch) => recordLaplacian(batch, laplacian, buffer, gradient, 1));
  for (const g of await gpu().readFloat32(gradient, mesh.positions.length)) expect(Math.abs(g)).toBeLessThan(1e-5);
  destroyLaplacian(laplacian);
  buffer.destroy();
  gradient.destroy();
});
