import { describe, expect, it } from 'vitest';
import type { Capture, View } from '../capture/capture.js';
import { identity } from '../core/math.js';
import { holdOut } from './holdout.js';

function capture(train: number, test = 0): Capture {
  const view = (name: string, split: 'train' | 'test'): View => ({
    name,
    source: name,
    split,
    camera: { cameraToWorld: identity(), width: 1, height: 1, fx: 1, fy: 1, cx: 0, cy: 0 },
    loadColor: async () => ({ width: 1, height: 1, data: new Uint8Array(4) }),
  });
  const views = [
    ...Array.from({ length: train }, (_, i) => view(`r_${i}`, 'train')),
    ...Array.from({ length: test }, (_, i) => view(`t_${i}`, 'test')),
  ];
  return {
    name: 'c',
    source: '',
    format: 'object',
    views,
    bounds: { min: [0, 0, 0], max: [1, 1, 1] },
    inputToWorld: identity(),
    scaleKnown: true,
    masks: 'alpha',
    warnings: [],
    dispose: async () => {},
  };
}

describe('holdOut', () => {
  it('holds every eighth view out of a capture of eight or more', () => {
    const { capture: held, heldOut } = holdOut(capture(20));
    expect(heldOut).toEqual(['r_7', 'r_15']);
    expect(held.views.filter((v) => v.split === 'test').map((v) => v.name)).toEqual(heldOut);
    expect(held.views).toHaveLength(20);
  });

  it('leaves six views and captures with a test split of their own as they are', () => {
    expect(holdOut(capture(6)).heldOut).toEqual([]);
    expect(holdOut(capture(48, 12)).heldOut).toEqual([]);
  });

  it('follows an explicit choice, also beside a test split and for few views', () => {
    expect(holdOut(capture(6, 2), 3).heldOut).toEqual(['r_2', 'r_5']);
    expect(holdOut(capture(48), 0).heldOut).toEqual([]);
  });

  it('does not change the capture it was given', () => {
    const original = capture(8);
    holdOut(original);
    expect(original.views.every((v) => v.split === 'train')).toBe(true);
  });
});
