import { describe, expect, it } from 'vitest';
import { cameraAt } from '../../../test/solids.js';
import { scale, type Vec3 } from '../../core/math.js';
import { sourceViews } from './sourceViews.js';

const turned = (degrees: number, up = 0): Vec3 => {
  const [a, b] = [degrees, up].map((d) => (d * Math.PI) / 180);
  return [Math.sin(a) * Math.cos(b), Math.sin(b), Math.cos(a) * Math.cos(b)];
};
const cameras = (directions: Vec3[]) => directions.map((d) => cameraAt(scale(d, 3), 100));

describe('sourceViews', () => {
  it('takes neighbours from both sides before farther ones of one side', () => {
    const [chosen] = sourceViews(cameras([turned(0), turned(14), turned(-22), turned(18), turned(45)]), [0, 0, 0], 2);
    expect(chosen).toEqual([1, 2]);
  });

  it('leaves out views from the same place, from the other side and of another scale', () => {
    const near = cameras([turned(0), turned(0.5), turned(15), turned(90), turned(180), turned(16)]);
    near[5] = cameraAt(scale(turned(16), 12), 100);
    const [chosen] = sourceViews(near, [0, 0, 0], 8);
    expect(chosen).toEqual([2, 5]);
  });

  it('has nothing for a view that stands alone', () => {
    expect(sourceViews(cameras([turned(0), turned(120), turned(240)]), [0, 0, 0], 4)).toEqual([[], [], []]);
  });
});
