import { expect, it } from 'vitest';
import type { PreparedView } from '../readView.js';
import type { RigEstimate } from './estimateRig.js';
import { judge } from './judge.js';

const prepared = ['front', 'top'].map((name) => ({ file: { name } }) as PreparedView);
const found = (more: Partial<RigEstimate>): RigEstimate => ({
  arrangement: { left: 'viewer', topTurn: 0, bottomTurn: 0 },
  parameters: {
    focal: 1.4,
    model: 'linear',
    a: new Float64Array(2),
    b: new Float64Array(2),
    shiftX: new Float64Array(2),
    shiftY: new Float64Array(2),
  },
  focalFrom: 'pictures',
  misfit: 0.001,
  rivals: [],
  inverted: false,
  ...more,
});
const agreement = prepared.map(({ file }) => ({ view: file.name, insideOthers: 1 }));
const warnings = (more: Partial<RigEstimate>) => judge(prepared, found(more), agreement);

it('says nothing of views that are understood in one way', () => {
  expect(warnings({ openDepths: [] })).toEqual([]);
});

it('names the view whose depth no other tells, with the range that fits', () => {
  const [warning, ...more] = warnings({ openDepths: [{ view: 1, least: 0.012, greatest: 0.467 }] });
  expect(more).toEqual([]);
  expect(warning).toMatchObject({ code: 'CAPTURE_DEPTH_OPEN', subject: 'top' });
  expect(warning.message).toContain("1 % to 47 % of the object's size");
});

it('tells the second meaning of the names', () => {
  const second = { left: 'object', topTurn: 1, bottomTurn: 3 } as const;
  const [warning] = warnings({ rivals: [{ arrangement: second, misfit: 0.001 }] });
  expect(warning.code).toBe('CAPTURE_ARRANGEMENT_AMBIGUOUS');
  expect(warning.message).toContain('1 other meaning of the names fit as well');
  expect(warning.message).toContain("left = the object's, top turned 90°, bottom turned 270°");
});
