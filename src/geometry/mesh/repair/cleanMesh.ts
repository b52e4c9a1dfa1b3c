import type { Mesh } from '../../../core/mesh.js';
import type { RunInThread, ThreadHooks, ThreadTask } from '../../../core/platform.js';
import type { SimplifyResult } from '../simplify/simplify.js';
import type { CleanJob, CleanOptions } from './cleanSurface.js';

export type { CleanOptions } from './cleanSurface.js';
export { SIMPLIFYING_BEGINS } from './cleanSurface.js';

const CLEAN: ThreadTask<CleanJob, SimplifyResult> = {
  module: new URL('./cleanSurface', import.meta.url),
  name: 'cleanSurface',
};

/**
 * Makes a surface as it comes from a field fit for use: specks and inner shells removed, holes filled, smoothed,
 * simplified. A million triangles take seconds for each, so it runs in a thread of its own and ends at once when it is
 * cancelled.
 * @throws CANCELLED
 */
export async function cleanMesh(
  mesh: Mesh,
  options: CleanOptions,
  { runInThread, ...hooks }: { runInThread: RunInThread } & ThreadHooks,
): Promise<SimplifyResult> {
  const { triangles, minimumPart, fillHoles, smoothing } = options;
  const job: CleanJob = { mesh, options: { triangles, minimumPart, fillHoles, smoothing } };
  return await runInThread(CLEAN, job, hooks);
}
