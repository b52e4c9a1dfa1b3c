import type { Capture } from '../../../capture/capture.js';
import type { Mesh } from '../../../core/mesh.js';
import type { MethodContext } from '../../method.js';
import { trainingViews } from '../../shared/trainingViews.js';
import type { NvdiffrecOptions } from '../options.js';
import { loadWindows, WINDOW_MULTIPLE } from '../step/windows.js';
import { findTopology, type TopologyFacts } from './topology.js';

/** Pictures of the pass are no larger than this on the longer side: they are compared at two pixels per voxel. */
const PICTURE_SIZE = 512;
/** Pictures per step: triangles cost more than pixels here. */
const BATCH = 2;

/** The start after the topology pass, or as it is where the options do not ask for the pass. */
export async function topologyStart(
  capture: Capture,
  start: Mesh,
  options: NvdiffrecOptions,
  context: MethodContext,
  report: (stage: 'topology', fraction: number, detail?: string, more?: object) => void,
): Promise<{ mesh: Mesh; facts?: TopologyFacts }> {
  report('topology', 0);
  if (!options.topology) {
    report('topology', 1);
    return { mesh: start };
  }
  const { gpu, signal, runInThread } = context;
  const windows = await loadWindows(
    trainingViews(capture),
    { maxSize: Math.min(PICTURE_SIZE, options.imageSize), multiple: WINDOW_MULTIPLE },
    { signal },
  );
  return await findTopology(
    gpu,
    start,
    windows,
    {
      resolution: options.topologyResolution,
      iterations: options.topologyIterations,
      batch: Math.min(BATCH, options.batch),
      triangles: options.triangles,
      silhouette: options.silhouette,
    },
    context.random.uint32(),
    { runInThread, signal, report: (fraction, detail, metrics) => report('topology', fraction, detail, { metrics }) },
  );
}
