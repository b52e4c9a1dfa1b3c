import { expect, test } from 'vitest';
import { useGpu } from '../../../test/gpu.js';
import { latticePlaces } from '../../../test/isosurfaceReference.js';
import { BRICK_SAMPLES, CELL_WEIGHTS, createIsoGrid, setBricks } from './brickGrid.js';
import { createIsoSurface, recordExtract } from './extract.js';
import { createIsoGradients, recordExtractBackward } from './extractBackward.js';
import { createIsoMoments, MAXIMUM_FIELD, recordIsoStep } from './stepGrid.js';

const gpu = useGpu();

test('a step is that of Adam where the surface is, and nothing elsewhere', async () => {
  const lattice = {
    origin: [0, 0, 0] as [number, number, number],
    voxel: 1,
    bricks: [2, 2, 2] as [number, number, number],
  };
  const iso = createIsoGrid(gpu(), lattice, 8);
  setBricks(gpu(), iso, [0, 1, 2, 3, 4, 5, 6, 7]);
  const places = latticePlaces(lattice);
  const samples = new Float32Array(8 * BRICK_SAMPLES * 8);
  places.forEach((p, i) => {
    const d = Math.hypot(...p.map((v) => v - 3.4)) - 1.6;
    samples.set([Math.max(-MAXIMUM_FIELD, Math.min(MAXIMUM_FIELD, d)), 0, 0, 0, 0.2, 0.3, 0.4, 0], i * 8);
  });
  gpu().write(iso.samples, samples);
  const surface = createIsoSurface(gpu(), 200, 200);
  const gradients = createIsoGradients(gpu(), iso, 200);
  const moments = createIsoMoments(gpu(), iso);
  const incoming = new Float32Array(400 * 8).map((_, i) => Math.sin(i * 1.7));
  const gradient = gpu().upload(incoming);
  const options = { field: 0.05, deformation: 0.02, color: 0.1, weight: 0.03 };
  const step = () =>
    gpu().run((batch) => {
      recordExtract(batch, iso, surface);
      recordExtractBackward(batch, iso, surface, gradient, gradients);
      recordIsoStep(batch, iso, surface, gradients, moments, options);
    });
  step();
  const g = await gpu().readFloat32(gradients.samples, samples.length);
  const moved = await gpu().readFloat32(iso.samples, samples.length);
  let still = 0;
  places.forEach((_, i) => {
    const marker = g[i * 8 + 7];
    for (let k = 0; k < 7; k++) {
      const rate = k === 0 ? options.field : k < 4 ? options.deformation : options.color;
      // The first step of Adam without bias correction, β 0.9 and 0.99: the rate, whatever the gradient's length.
      // At the border colours alone may move.
      const moves = k < 4 ? marker === 1 : marker > 0;
      const value = moves ? samples[i * 8 + k] - rate * Math.sign(g[i * 8 + k]) : samples[i * 8 + k];
      if (moves && Math.abs(g[i * 8 + k]) < 1e-3) continue;
      expect(moved[i * 8 + k]).toBeCloseTo(value, 4);
    }
    if (marker === 0) still++;
  });
  expect(still).toBeGreaterThan(300);
  expect(places.length - still).toBeGreaterThan(50);
  const weights = await gpu().readFloat32(iso.weights, 8 * BRICK_SAMPLES * CELL_WEIGHTS);
  expect(Math.max(...weights.map(Math.abs))).toBeCloseTo(0.03, 4);

  // Against the reference of a second step from the same moments, for one distance.
  const at = places.findIndex((_, i) => g[i * 8 + 7] === 1 && Math.abs(g[i * 8]) > 0.1);
  step();
  const g2 = await gpu().readFloat32(gradients.samples, samples.length);
  const [first, second] = [g[at * 8], g2[at * 8]];
  const m = 0.9 * 0.1 * first + 0.1 * second;
  const v = 0.99 * 0.01 * first ** 2 + 0.01 * second ** 2;
  const again = await gpu().readFloat32(iso.samples, samples.length);
  expect(again[at * 8]).toBeCloseTo(moved[at * 8] - (0.05 * m) / (Math.sqrt(v) + 1e-8), 4);
});
