import { expect, it } from 'vitest';
import { box } from '../../../test/texturedShapes.js';
import { stl } from './stl.js';

it('holds every triangle with its outward normal, turned to +Z up', () => {
  const mesh = box([1, 2, 3]);
  const view = new DataView(stl(mesh));
  const triangles = mesh.indices.length / 3;
  expect([view.byteLength, view.getUint32(80, true)]).toEqual([84 + 50 * triangles, triangles]);
  let volume = 0;
  const highest = [0, 0, 0];
  for (let t = 0; t < triangles; t++) {
    const value = (i: number): number => view.getFloat32(84 + t * 50 + i * 4, true);
    const [normal, a, b, c] = [0, 3, 6, 9].map((first) => [value(first), value(first + 1), value(first + 2)]);
    for (const p of [a, b, c]) for (let k = 0; k < 3; k++) highest[k] = Math.max(highest[k], p[k]);
    // A flat face's normal points away from the middle.
    expect(normal[0] * a[0] + normal[1] * a[1] + normal[2] * a[2]).toBeGreaterThan(0.5);
    const cross = [b[1] * c[2] - b[2] * c[1], b[2] * c[0] - b[0] * c[2], b[0] * c[1] - b[1] * c[0]];
    volume += (a[0] * cross[0] + a[1] * cross[1] + a[2] * cross[2]) / 6;
  }
  expect(highest).toEqual([1, 3, 2]);
  expect(volume).toBeCloseTo(2 * 4 * 6, 4);
});
