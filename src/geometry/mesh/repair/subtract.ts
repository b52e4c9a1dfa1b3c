import loadManifold from 'manifold-3d';
import type { Mesh } from '../../../core/mesh.js';

/** The library is WebAssembly and is loaded once. */
let loading: ReturnType<typeof loadManifold> | undefined;

/**
 * One closed mesh less another: what of `mesh` lies outside of `tool`. Positions only; where `tool` does not reach,
 * triangles stay as they are. Vertices are exact in single precision; the result is a manifold (Manifold, by Emmett
 * Lalish).
 * @returns `undefined` where one of them is not a closed manifold, or nothing would be left
 */
export async function subtractMesh(mesh: Mesh, tool: Mesh): Promise<Mesh | undefined> {
  loading ??= loadManifold();
  const library = await loading;
  library.setup();
  const solids: InstanceType<typeof library.Manifold>[] = [];
  try {
    for (const { positions, indices } of [mesh, tool]) {
      const given = new library.Mesh({ numProp: 3, vertProperties: positions, triVerts: indices });
      solids.push(new library.Manifold(given));
    }
    const rest = solids[0].subtract(solids[1]);
    solids.push(rest);
    if (rest.isEmpty()) return undefined;
    const { vertProperties, triVerts } = rest.getMesh();
    return { positions: vertProperties, indices: triVerts };
  } catch (error) {
    if ((error as Error).name === 'ManifoldError') return undefined;
    throw error;
  } finally {
    for (const solid of solids) solid.delete();
  }
}
