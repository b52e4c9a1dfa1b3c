import type { Asset } from '../../core/asset.js';
import { centerOf } from '../../core/bounds.js';
import { type Camera, cameraPosition } from '../../core/camera.js';
import { length, sub } from '../../core/math.js';
import type { Mesh } from '../../core/mesh.js';
import type { MeshQuality, TextureQuality } from '../schema.js';

/** Area of all triangles in the texture, as a share of the texture (overlaps count twice; at most 1). */
export function textureCoverage(mesh: Mesh): number {
  const { uvs, indices } = mesh;
  if (!uvs) return 0;
  let sum = 0;
  for (let k = 0; k < indices.length; k += 3) {
    const [a, b, c] = [indices[k] * 2, indices[k + 1] * 2, indices[k + 2] * 2];
    sum += Math.abs((uvs[b] - uvs[a]) * (uvs[c + 1] - uvs[a + 1]) - (uvs[c] - uvs[a]) * (uvs[b + 1] - uvs[a + 1]));
  }
  return Math.min(1, sum / 2);
}

/** Facts of the base colour texture. `unseenShare` is the method's to tell. */
export function textureQuality(asset: Asset): TextureQuality {
  const { kind, baseColor } = asset.material;
  return {
    kind,
    width: baseColor.width,
    height: baseColor.height,
    coverage: textureCoverage(asset.mesh),
    unseenShare: null,
  };
}

/**
 * Texels along the edge of one pixel of a camera's picture, on average over a surface at the distance of the object's
 * centre that faces the camera. `null` for an asset without surface or UVs.
 */
export function texelsPerPixel(asset: Asset, { area, bounds }: MeshQuality): ((camera: Camera) => number) | null {
  const { baseColor } = asset.material;
  const texels = textureCoverage(asset.mesh) * baseColor.width * baseColor.height;
  if (!(area > 0 && texels > 0)) return null;
  const perUnit = Math.sqrt(texels / area);
  const center = centerOf(bounds);
  return (camera) => {
    const distance = Math.max(1e-9, length(sub(cameraPosition(camera), center)));
    return (perUnit * distance) / Math.sqrt(camera.fx * camera.fy);
  };
}
