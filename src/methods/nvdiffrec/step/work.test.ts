import { expect, test } from 'vitest';
import { nvdiffrec } from '../nvdiffrec.js';
import { planLevels } from './schedule.js';
import { expectedSeconds, stepWork, workUntil } from './work.js';

const standard = nvdiffrec.options.parse({});
const draft = nvdiffrec.options.parse(nvdiffrec.presets.draft);

test('steps of small pictures are cheaper in the proportion that was measured', () => {
  const measured = [
    { options: draft, sizes: [68, 136, 272], height: 240 / 272, cpu: [276, 330, 573] },
    { options: standard, sizes: [136, 272, 544], height: 464 / 544, cpu: [600, 800, 1340] },
  ];
  for (const { options, sizes, height, cpu } of measured) {
    const work = sizes.map((width) => stepWork(options, { width, height: width * height }, 4));
    for (const k of [1, 2]) {
      const ratio = work[k] / work[0] / (cpu[k] / cpu[0]);
      expect(ratio).toBeGreaterThan(0.85);
      expect(ratio).toBeLessThan(1.15);
    }
  }
});

test('work grows with every step, faster at larger pictures, and the levels make up the whole', () => {
  const levels = planLevels(1000, 512);
  const size = { width: 512, height: 512 };
  const until = (n: number) => workUntil(n, levels, standard, size, 48);
  expect(until(0)).toBe(0);
  const first = until(1);
  expect(until(1000) - until(999)).toBeCloseTo(stepWork(standard, size, 4), 3);
  expect(first).toBeCloseTo(stepWork(standard, { width: 128, height: 128 }, 4), 3);
  expect(until(200)).toBeCloseTo(200 * first, 3);
  // Half of the steps are less than a third of the work.
  expect(until(500) / until(1000)).toBeLessThan(0.33);
  expect(until(2000)).toBe(until(1000));
});

test('batches that are not full count as what they are', () => {
  const levels = planLevels(10, 40);
  const size = { width: 40, height: 40 };
  expect(workUntil(10, levels, standard, size, 6)).toBeCloseTo(10 * stepWork(standard, size, 3), 3);
  expect(workUntil(10, levels, standard, size, 2)).toBeCloseTo(10 * stepWork(standard, size, 2), 3);
});

test('the stages of a run are weighed by its options', () => {
  const of = (options: object, longest = 512) => expectedSeconds(nvdiffrec.options.parse(options), 48, longest);
  expect(of({}).optimise / of({ iterations: 500 }).optimise).toBeCloseTo(2, 1);
  expect(of({}).optimise).toBeGreaterThan(5 * of(nvdiffrec.presets.draft).optimise);
  // Pictures are never enlarged.
  expect(of({ imageSize: 2048 }, 256)).toEqual(of({ imageSize: 256 }, 256));
  expect(of({}).topology).toBe(0);
  expect(of({ topology: true }).topology).toBeGreaterThan(0);
  expect(of({ metals: false }).metals).toBe(0);
  expect(nvdiffrec.stages.map((s) => s.name)).toEqual(expect.arrayContaining(Object.keys(of({}))));
});
