import { expect, test } from 'vitest';
import { errorOf } from '../../../../test/captureScene.js';
import { join, sphere } from '../../../../test/shapes.js';
import { runInThread } from '../../../platform/runInThread.js';
import { cleanMesh } from './cleanMesh.js';
import { cleanSurface } from './cleanSurface.js';

const OPTIONS = { triangles: 300, minimumPart: 0.02, fillHoles: true, smoothing: 5 };

test('the thread does what the functions do: specks and inner shells go, the rest is simplified', async () => {
  const shell = sphere(3, 0.5);
  const rough = join(sphere(4), sphere(1, 0.005, [2, 0, 0]), shell);
  const fractions: number[] = [];
  const cleaned = await cleanMesh(rough, OPTIONS, { runInThread, progress: (f) => fractions.push(f) });
  expect(cleaned).toEqual(await cleanSurface({ mesh: rough, options: OPTIONS }, () => {}));
  expect(cleaned.mesh.indices.length / 3).toBeLessThanOrEqual(OPTIONS.triangles);
  expect(cleaned.closedManifold).toBe(true);
  const radius = (v: number) => Math.hypot(...cleaned.mesh.positions.subarray(v * 3, v * 3 + 3));
  for (let v = 0; v < cleaned.mesh.positions.length / 3; v++) expect(radius(v)).toBeGreaterThan(0.9);
  // Specks, inner shells, holes; five rounds of smoothing, and all of it; welded, simplified.
  const told = [0.12, 0.24, 0.3, 0.36, 0.42, 0.48, 0.54, 0.6, 0.6, 0.68, 0.84];
  expect(fractions.map((fraction) => Number(fraction.toFixed(2)))).toEqual(told);
});

test('cancelling ends it in the midst of a step, which would take for ever', async () => {
  const large = sphere(7);
  const controller = new AbortController();
  const fractions: number[] = [];
  const work = cleanMesh(
    large,
    { ...OPTIONS, smoothing: 1e9 },
    {
      runInThread,
      signal: controller.signal,
      // At 0.3 the smoothing begins. Whoever looked at the signal only between steps would hang here.
      progress: (fraction) => {
        fractions.push(fraction);
        if (fraction >= 0.3) setTimeout(() => controller.abort(), 50);
      },
    },
  );
  expect((await errorOf(work)).code).toBe('CANCELLED');
  expect(fractions.slice(0, 3).map((fraction) => Number(fraction.toFixed(2)))).toEqual([0.12, 0.24, 0.3]);
  // Of a thousand million rounds it made a few.
  expect(Math.max(...fractions)).toBeLessThan(0.301);
});
