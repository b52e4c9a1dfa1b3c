import type { Capture, View } from '../../../capture/capture.js';
import { boundsOf, centerOf } from '../../../core/bounds.js';
import { cameraPosition, resizeCamera } from '../../../core/camera.js';
import { throwIfCancelled } from '../../../core/errors.js';
import { length, sub, type Vec3 } from '../../../core/math.js';
import type { Mesh } from '../../../core/mesh.js';
import { pause } from '../../../core/pause.js';
import type { CarvingView } from '../../../geometry/carving/sightings.js';
import { type CarvingFacts, carveConcavities } from '../../../geometry/carving/spaceCarving.js';
import { type IsoLattice, isoLattice, latticeSize } from '../../../geometry/flexicubes/brickGrid.js';
import { tidyDistances } from '../../../geometry/flexicubes/levelField.js';
import { levelMesh } from '../../../geometry/flexicubes/levelMesh.js';
import { meshField } from '../../../geometry/flexicubes/meshField.js';
import { cleanMesh } from '../../../geometry/mesh/repair/cleanMesh.js';
import { subtractMesh } from '../../../geometry/mesh/repair/subtract.js';
import type { MethodContext } from '../../method.js';
import { trainingViews } from '../../shared/trainingViews.js';
import type { NvdiffrecOptions } from '../options.js';

/** Voxels along the longest side of the object that concavities are carved from. */
const RESOLUTION = 64;
/** Pictures have about this many pixels per voxel. */
const PIXELS_PER_VOXEL = 2;
/**
 * A place was carved where the smoothed surface withdrew from the smoothed first one by more than this, in voxels:
 * elsewhere the first surface stays as it is.
 */
const WITHDRAWN = 0.3;
/**
 * Parts smaller than this share of the whole that carving leaves behind are removed; see `SpeckOptions.minimumExtent`.
 */
const LEAST_PART = 0.1;
/** Share of the time that carving takes. */
const CARVING_SHARE = 0.9;
/** Fewer views than this leave most places to fewer than carving needs. */
const LEAST_VIEWS = 16;

/**
 * Opens concavities that no outline shows, such as the inside of a cup, where the first surface has a lid: by space
 * carving (see `carveConcavities`) on a coarse grid. What was carved is cut out of the surface as a smooth solid;
 * elsewhere its triangles stay.
 * @param surface the first surface: a visual hull, closed
 * @returns `surface` itself where the options do not ask for it, and where there are none, too few views, or depth maps
 * of the capture's own, which say more
 */
export async function openConcavities(
  capture: Capture,
  surface: Mesh,
  { concavities, triangles }: NvdiffrecOptions,
  { gpu, signal, runInThread }: Pick<MethodContext, 'gpu' | 'signal' | 'runInThread'>,
  progress: (fraction: number) => void,
): Promise<{ mesh: Mesh; facts?: CarvingFacts }> {
  const views = trainingViews(capture);
  if (!concavities || views.length < LEAST_VIEWS || views.some((v) => v.depth && !v.depth.fromPictures)) {
    return { mesh: surface };
  }
  const bounds = boundsOf(surface.positions, surface.indices);
  const lattice = isoLattice(bounds, RESOLUTION);
  const field = await meshField(surface, lattice, 1, signal);
  const first = Uint8Array.from(field, (v) => (v < 0 ? 1 : 0));
  const solid = first.slice();
  const center = centerOf(bounds);
  const looks = await loadLooks(views, center, lattice.voxel, signal);
  const facts = await carveConcavities(solid, lattice, looks, { signal, progress: (f) => progress(f * CARVING_SHARE) });
  if (facts.opened === 0) return { mesh: surface, facts };
  const [before, after] = [await smoothField(first, lattice, signal), await smoothField(solid, lattice, signal)];
  // Negative where it is empty now, and was not, or not as far from the surface.
  const values = after.map((v, i) => Math.max(-v, WITHDRAWN - (v - before[i])));
  tidyDistances(values, lattice, 0);
  const rest = await subtractMesh(surface, await levelMesh(gpu, values, lattice));
  throwIfCancelled(signal);
  if (!rest) return { mesh: surface, facts: { opened: 0, carvedShare: 0 } };
  const { mesh } = await cleanMesh(rest, { triangles, minimumPart: LEAST_PART }, { runInThread, signal });
  return { mesh, facts };
}

/** Pictures so large that a voxel in the middle of the object has as many pixels as carving needs. */
async function loadLooks(
  views: readonly View[],
  center: Vec3,
  voxel: number,
  signal: AbortSignal,
): Promise<CarvingView[]> {
  const looks: CarvingView[] = [];
  for (const { camera, loadColor } of views) {
    throwIfCancelled(signal);
    const pixels = (camera.fx * voxel) / length(sub(cameraPosition(camera), center));
    const longer = Math.max(camera.width, camera.height);
    const maxSize = Math.max(16, Math.min(longer, Math.ceil((longer * PIXELS_PER_VOXEL) / pixels)));
    const image = await loadColor({ maxSize });
    looks.push({ image, camera: resizeCamera(camera, image.width, image.height) });
  }
  return looks;
}

/**
 * Distances to a solid of voxels, without their steps: a Gaussian of one voxel over inside and outside is close to
 * linear around the surface.
 */
async function smoothField(solid: ArrayLike<number>, lattice: IsoLattice, signal: AbortSignal): Promise<Float32Array> {
  const size = latticeSize(lattice);
  let values = Float32Array.from(solid, (s) => (s ? -1 : 1));
  // The binomial filter (1, 2, 1) has a variance of one half.
  for (let round = 0; round < 2; round++) {
    for (const stride of [1, size[0], size[0] * size[1]]) {
      const out = values.slice();
      for (let i = stride; i < values.length - stride; i++) {
        out[i] = 0.25 * values[i - stride] + 0.5 * values[i] + 0.25 * values[i + stride];
      }
      values = out;
    }
    await pause(signal);
  }
  // The slope of the error function at its middle, for a standard deviation of one voxel.
  return values.map((v) => v * Math.sqrt(Math.PI / 2));
}
