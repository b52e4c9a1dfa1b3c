import loadManifold from 'manifold-3d';
import type { Mesh } from '../../core/mesh.js';

/** The library is WebAssembly and is loaded once. */
let loading: ReturnType<typeof loadManifold> | undefined;

/**
 * One closed mesh less another: what of `mesh` lies outside of `tool`. Positions only; where `tool` does not reach, triangles stay as they are.
 * Vertices are exact in single precision; the result is a manifold (Manifold, by Emmett Lalish).
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
    const { vertProperties, triVerts, numProp } = rest.getMesh();
    if (numProp !== 3) throw new RangeError(`expected positions, found ${numProp} values per vertex`);
    return { positions: vertProperties, indices: triVerts };
  } catch (error) {
    // The library's own errors are strings of its status, such as "Not manifold".
    if (error instanceof RangeError) throw error;
    return undefined;
  } finally {
    for (const solid of solids) solid.delete();
  }
}
