import { describe, expect, it } from 'vitest';
import { CASES } from './cases.js';
import { readCase, scoreReading } from './readCase.js';

/** Smaller than they are measured at; where parts would be thinner than a cell, in full. */
const SMALL = { size: 384, cells: 192 };
const FULL = { size: 512, cells: 256 };
const READ = {
  lamp: SMALL,
  knot: SMALL,
  fan: SMALL,
  frame: FULL,
  chair: FULL,
};

/** Of the cases that were never tuned on. */
describe('six views of hard objects', () => {
  it.each(Object.entries(READ))('are understood: %s', async (object, { size, cells }) => {
    const test = CASES.find((c) => c.kept && c.object === object);
    if (!test) throw new Error(`There is no case ${object}`);
    const reading = await readCase(test, size, cells);
    const { focal, names, depth, iou } = scoreReading(reading);
    expect(Math.abs(focal)).toBeLessThan(0.05);
    expect(iou).toBeGreaterThan(0.97);
    expect(depth ?? 0).toBeLessThan(0.01);
    // What the pictures leave open is said, with another meaning of the names.
    if (!names) expect(reading.estimate.rivals.length).toBeGreaterThan(0);
  });
});
