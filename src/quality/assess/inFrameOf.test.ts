import { expect, test } from 'vitest';
import { bakedAsset } from '../../../test/asset.js';
import { identity } from '../../core/math.js';
import { inFrameOf } from './inFrameOf.js';

const at = (x: number, y: number, z: number) => ({ inputToWorld: [...identity().slice(0, 12), x, y, z, 1] });

test('an asset meets its capture whichever origins they are about', () => {
  const asset = bakedAsset();
  expect(inFrameOf(asset, at(0, 0, 0))).toBe(asset);
  const far = { ...asset, origin: [437_000, 5, -86_000] as [number, number, number] };
  expect(inFrameOf(far, at(-437_000, -5, 86_000))).toBe(far);
  // The capture's cameras were fewer, so its origin lies two units off.
  const { mesh } = inFrameOf(far, at(-437_002, -5, 86_000));
  expect(mesh.positions[0]).toBeCloseTo(asset.mesh.positions[0] - 2, 5);
  expect(mesh.positions[1]).toBe(asset.mesh.positions[1]);
  expect(mesh.indices).toBe(asset.mesh.indices);
});
