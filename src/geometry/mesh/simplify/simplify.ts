import { MeshoptSimplifier } from 'meshoptimizer/simplifier';
import type { Mesh } from '../../../core/mesh.js';
import { compactMesh } from '../compact.js';
import { irregularVertices, topologyOf } from '../measure/topology.js';
import { weldMap } from '../weld.js';
import { collapseEdges } from './collapse.js';

export interface SimplifyOptions {
  /** Triangle budget. A mesh that is within it already is returned as it is. */
  triangles: number;
  /**
   * Largest distance from the original surface that may be accepted, scene units. Default: none, the budget decides.
   */
  maxError?: number;
  /** Keep open rims where they are. Default false. */
  lockBorder?: boolean;
  /** Prefer well-shaped triangles to the very lowest error. Default false. */
  regular?: boolean;
  /** Told after every part of the work, as far as is known: 0…1. */
  progress?: (fraction: number) => void;
}

export interface SimplifyResult {
  mesh: Mesh;
  /** Estimate of the deviation from the original surface (root of the largest quadric error), scene units. */
  error: number;
  /** Whether the surface is a closed, oriented manifold; never lost if the input had it. */
  closedManifold: boolean;
}

/**
 * Quadric edge collapse (Garland & Heckbert 1997) to a triangle budget. Vertices are a subset of the original ones and
 * keep their attributes; meshes with texture seams stay connected along them.
 *
 * meshoptimizer does the work: 300,000 triangles take a fraction of a second. It does not test the link condition,
 * though, so at tight budgets it pinches closed manifolds into surfaces with edges of four triangles, closes handles
 * and lets whole parts vanish. What it returns is therefore checked; where it fails, it is asked for more triangles,
 * and the rest of the way is gone by `collapseEdges`, which cannot change the topology.
 */
export async function simplifyMesh(mesh: Mesh, options: SimplifyOptions): Promise<SimplifyResult> {
  await MeshoptSimplifier.ready;
  const n = mesh.positions.length / 3;
  const map = weldMap(mesh.positions);
  const welded = (indices: Uint32Array) => indices.map((i) => map[i]);
  const original = welded(mesh.indices);
  const closedManifold = mesh.indices.length > 0 && irregularVertices(original, n).length === 0;
  const count = mesh.indices.length / 3;
  if (count <= options.triangles) return { mesh, error: 0, closedManifold };
  const { progress } = options;
  progress?.(0.2);

  const maxError = options.maxError ?? Infinity;
  const flags: ('LockBorder' | 'ErrorAbsolute' | 'RegularizeLight')[] = ['ErrorAbsolute'];
  if (options.lockBorder) flags.push('LockBorder');
  if (options.regular) flags.push('RegularizeLight');
  const run = (triangles: number) =>
    MeshoptSimplifier.simplify(mesh.indices, mesh.positions, 3, triangles * 3, Math.min(maxError, 1e30), flags);

  let [indices, error] = run(options.triangles);
  progress?.(0.6);
  if (closedManifold) {
    const shape = shapeClass(original, n);
    const sound = (candidate: Uint32Array) => {
      const simple = welded(candidate);
      return irregularVertices(simple, n).length === 0 && shapeClass(simple, n) === shape;
    };
    if (!sound(indices)) {
      let budget = options.triangles;
      do {
        budget = Math.ceil(budget * 1.5);
        if (budget < count) [indices, error] = run(budget);
        else [indices, error] = [mesh.indices, 0];
        progress?.(0.7);
      } while (budget < count && !sound(indices));
      // Texture seams end here: collapsing works on welded vertices, which keep the attributes of the lowest of them.
      const rest = collapseEdges(mesh.positions, welded(indices), options.triangles, maxError);
      indices = rest.indices;
      error = Math.max(error, rest.error);
    }
  }
  return { mesh: compactMesh({ ...mesh, indices }), error, closedManifold };
}

/**
 * Parts and Euler characteristic of a closed manifold: equal for surfaces that can be deformed into one another, part
 * by part.
 */
function shapeClass(indices: Uint32Array, vertexCount: number): string {
  return `${topologyOf(indices, vertexCount).parts} ${new Set(indices).size - indices.length / 6}`;
}
