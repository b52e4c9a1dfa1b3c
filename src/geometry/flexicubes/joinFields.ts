import { smoothstep } from '../../core/math.js';
import { type IsoLattice, latticeSize } from './brickGrid.js';

/** Displacements below the first of these, in coarse voxels, are noise; from the second on they count in full. */
const NOISE = [0.3, 0.7] as const;
/** From here on to there the coarse field itself takes over from the displaced fine one, in coarse voxels. */
const FAR = [1.6, 2.4] as const;
/**
 * Deviations of displacements from their mean: from noise to a bend that a mean would round off, in coarse voxels;
 * there the coarse field takes over too.
 */
const SPREAD = [0.5, 0.8] as const;
/** Half the width of the mean that displacements are smoothed by, in coarse voxels. */
const SMOOTHING = 1.5;
/** What the fine field has to be exact up to, in coarse voxels. */
export const JOIN_LIMIT = 3;

/**
 * Two fields of one solid joined: a fine one that was right to begin with, and a coarse one, noisy by a fraction of its
 * voxels, that was corrected by pictures. Taken over is what is coherent: the displacement between the two surfaces,
 * smoothed over a few voxels. Where it is small, the fine field stays as it is; where it is more than that, the fine
 * field is displaced and keeps its relief; where it is large or changes within a few voxels, and the fine field says
 * nothing any more, the coarse one is taken.
 *
 * @param fine signed distances in voxels of `lattice`, exact up to `JOIN_LIMIT` coarse voxels
 * @param coarse likewise, exact near its surface only, as `tidyField` leaves them
 * @param ratio voxels of `lattice` per coarse voxel
 */
export function joinFields(fine: Float32Array, coarse: Float32Array, lattice: IsoLattice, ratio: number): Float32Array {
  const size = latticeSize(lattice);
  const weights = coarse.map((s) => Math.max(0, 1 - Math.abs(s) / (1.5 * ratio)));
  const displacements = coarse.map((s, i) => (s - fine[i]) * weights[i]);
  const radius = Math.max(1, Math.round(SMOOTHING * ratio));
  const squares = coarse.map((s, i) => (s - fine[i]) * displacements[i]);
  for (let axis = 0; axis < 3; axis++) {
    for (const data of [weights, displacements, squares]) boxSum(data, size, axis, radius);
  }
  return fine.map((f, i) => {
    // Away from the coarse surface there is no displacement to speak of: signs are what counts.
    if (weights[i] < 1e-6) return coarse[i];
    const d = displacements[i] / weights[i];
    const m = Math.abs(d) / ratio;
    const spread = Math.sqrt(Math.max(0, squares[i] / weights[i] - d * d)) / ratio;
    const moved = f + d * smoothstep(NOISE[0], NOISE[1], m);
    const share = Math.max(smoothstep(FAR[0], FAR[1], m), smoothstep(SPREAD[0], SPREAD[1], spread));
    return moved + (coarse[i] - moved) * share;
  });
}

/** Sums over 2 · radius + 1 samples along an axis, in place; beyond the border is nothing. */
function boxSum(data: Float32Array, size: readonly number[], axis: number, radius: number): void {
  const n = size[axis];
  const stride = [1, size[0], size[0] * size[1]][axis];
  const row = new Float64Array(n + 1);
  for (let start = 0; start < data.length; start++) {
    if (Math.floor(start / stride) % n !== 0) continue;
    for (let i = 0; i < n; i++) row[i + 1] = row[i] + data[start + i * stride];
    for (let i = 0; i < n; i++) {
      const [from, to] = [Math.max(0, i - radius), Math.min(n, i + radius + 1)];
      data[start + i * stride] = row[to] - row[from];
    }
  }
}
