import type { Asset } from '../../core/asset.js';
import type { Mat4 } from '../../core/math.js';

/**
 * An asset that was read from a file, in the frame in which a capture is worked on: both may be about origins of their
 * own, where the input stands far from its origin. The same asset where the origins are the same.
 */
export function inFrameOf(asset: Asset, { inputToWorld }: { inputToWorld: Mat4 }): Asset {
  const origin = asset.origin ?? [0, 0, 0];
  const shift = [0, 1, 2].map((k) => origin[k] + inputToWorld[12 + k]);
  if (shift.every((v) => v === 0)) return asset;
  const positions = asset.mesh.positions.map((v, i) => v + shift[i % 3]);
  return { ...asset, mesh: { ...asset.mesh, positions } };
}
