import type { Asset } from '../../core/asset.js';
import type { Mesh } from '../../core/mesh.js';
import { vertexCount } from '../../core/mesh.js';
import { computeNormals } from '../../geometry/mesh/normals.js';
import { AssetRenderer } from '../../render/forward/assetRenderer.js';
import { fitOrbit, orbitCamera } from '../../render/forward/orbit.js';
import type { MethodContext } from '../method.js';

/** Side of the picture in pixels. */
const SIZE = 512;
/** A little to the side and above, so that depth shows. */
const STANDPOINT = { azimuth: 30, elevation: 18 } as const;

/** A surface without texture. */
const bare = (mesh: Mesh): Asset => ({
  mesh: {
    ...mesh,
    normals: mesh.normals ?? computeNormals(mesh),
    uvs: mesh.uvs ?? new Float32Array(vertexCount(mesh) * 2),
  },
  material: {
    kind: 'baked',
    baseColor: { width: 1, height: 1, data: new Uint8ClampedArray([255, 255, 255, 255]) },
  },
});

/**
 * Draws the state of the work for those who watch it: a bare mesh as clay, an asset with its texture. 512×512 pixels
 * with alpha, always from the same side.
 * @returns what progress events name it by; `undefined` where nobody watches
 */
export async function writeMeshPreview(
  state: Mesh | Asset,
  name: string,
  { gpu, showPreview }: Pick<MethodContext, 'gpu' | 'showPreview'>,
): Promise<string | undefined> {
  if (!showPreview) return undefined;
  const asset = 'material' in state ? state : bare(state);
  const renderer = await AssetRenderer.create(gpu, asset);
  try {
    const camera = orbitCamera(fitOrbit(asset.mesh, STANDPOINT), SIZE, SIZE);
    const { color } = await renderer.render(camera, { mode: asset === state ? 'textured' : 'clay' });
    return await showPreview(name, color);
  } finally {
    renderer.dispose();
  }
}
