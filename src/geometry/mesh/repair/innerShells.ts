import type { Mesh } from '../../../core/mesh.js';
import { compactMesh } from '../compact.js';
import { closedParts, findInnerShells } from '../measure/health.js';
import { topologyOf } from '../measure/topology.js';
import { weldMap } from '../weld.js';

/**
 * Removes closed parts that lie wholly inside another closed part: they cannot be seen, but cost triangles and texture.
 */
export function removeInnerShells(mesh: Mesh): { mesh: Mesh; removed: number } {
  const map = weldMap(mesh.positions);
  const indices = mesh.indices.map((i) => map[i]);
  const topology = topologyOf(indices, mesh.positions.length / 3);
  const inner = new Set(findInnerShells(mesh.positions, indices, topology.part, closedParts(indices, topology)));
  if (inner.size === 0) return { mesh, removed: 0 };
  return {
    mesh: compactMesh({ ...mesh, indices: mesh.indices.filter((_, i) => !inner.has(topology.part[(i / 3) | 0])) }),
    removed: inner.size,
  };
}
