import type { Mesh } from '../../../core/mesh.js';
import type { SimplifyResult } from '../simplify/simplify.js';
import { runInThread } from '../thread.js';
import type { CleanJob, CleanOptions } from './cleanSurface.js';

export type { CleanOptions } from './cleanSurface.js';
export { SIMPLIFYING_BEGINS } from './cleanSurface.js';

/**
 * Makes a surface as it comes from a field fit for use: specks and inner shells removed, holes filled, smoothed, simplified. A million triangles take
 * seconds for each, so it runs in a thread of its own and ends at once when it is cancelled.
 * @throws CANCELLED
 */
export async function cleanMesh(
  mesh: Mesh,
  options: CleanOptions,
  context: { signal?: AbortSignal; progress?: (fraction: number) => void } = {},
): Promise<SimplifyResult> {
  const { triangles, minimumPart, fillHoles, smoothing } = options;
  const job: CleanJob = { mesh, options: { triangles, minimumPart, fillHoles, smoothing } };
  return await runInThread<SimplifyResult>(new URL('./cleanThread', import.meta.url), job, context);
}
