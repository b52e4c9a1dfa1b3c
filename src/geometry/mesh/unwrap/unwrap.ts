import { PlinthError } from '../../../core/errors.js';
import type { Mesh } from '../../../core/mesh.js';
import { assignDefaults } from '../../../core/options.js';
import type { RunInThread, ThreadHooks, ThreadTask } from '../../../core/platform.js';
import { gatherVertices } from '../compact.js';
import type { ChartJob, ChartResult } from './chartSurface.js';

export interface UnwrapOptions {
  /** Width and height of the texture in texels. Default 2048. */
  textureSize?: number;
  /** Smallest distance between charts in texels; half of it is kept from the border. Default 4. */
  padding?: number;
}

export const UNWRAP_DEFAULTS = { textureSize: 2048, padding: 4 } as const;

export interface UnwrapResult {
  /** The same triangles with UVs; vertices are repeated along seams, all attributes with them. */
  mesh: Mesh;
  /** The chart of every triangle; −1 = a triangle without area, which has no place in the texture. */
  chart: Int32Array;
  /** Number of charts. */
  charts: number;
  /** Share of the texture that charts cover, 0…1. */
  utilisation: number;
}

const UNWRAP: ThreadTask<ChartJob, ChartResult> = {
  module: new URL('./chartSurface', import.meta.url),
  name: 'chartSurface',
};

/**
 * Gives a mesh texture coordinates without overlaps: charts of little distortion, all at one scale, packed into a
 * square. Runs in a thread of its own; the same mesh and options give the same result.
 *
 * @throws SURFACE_EMPTY for a mesh without area; CANCELLED.
 */
export async function unwrapMesh(
  mesh: Mesh,
  options: UnwrapOptions,
  { runInThread, ...hooks }: { runInThread: RunInThread } & ThreadHooks,
): Promise<UnwrapResult> {
  const { textureSize, padding } = assignDefaults(UNWRAP_DEFAULTS, options);
  if (!hasArea(mesh))
    throw new PlinthError('SURFACE_EMPTY', {
      found: 'The mesh has no triangle with any area',
      expected: 'a surface to be unwrapped',
    });
  const job: ChartJob = { positions: mesh.positions, indices: mesh.indices, textureSize, padding };
  const result = await runInThread(UNWRAP, job, hooks);
  return {
    mesh: { ...gatherVertices(mesh, result.from), uvs: result.uvs, indices: result.indices },
    chart: result.chart,
    charts: result.charts,
    utilisation: result.utilisation,
  };
}

function hasArea(mesh: Mesh): boolean {
  const { positions: p, indices } = mesh;
  for (let t = 0; t < indices.length; t += 3) {
    const [a, b, c] = [indices[t] * 3, indices[t + 1] * 3, indices[t + 2] * 3];
    const [ux, uy, uz] = [p[b] - p[a], p[b + 1] - p[a + 1], p[b + 2] - p[a + 2]];
    const [vx, vy, vz] = [p[c] - p[a], p[c + 1] - p[a + 1], p[c + 2] - p[a + 2]];
    if (Math.hypot(uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx) > 0) return true;
  }
  return false;
}
