import type { Mesh } from '../../../core/mesh.js';
import { assignDefaults } from '../../../core/options.js';
import { compactMesh } from '../compact.js';
import { measureTriangle } from '../measure/health.js';
import { topologyOf } from '../measure/topology.js';
import { weldMap } from '../weld.js';

export interface SpeckOptions {
  /** Parts whose bounding box has a diagonal below this share of the largest part's are removed. 0…1, default 0.01. */
  minimumExtent?: number;
  /** Parts with less than this share of all area are removed too, unless they are long. 0…1, default 0 = none. */
  minimumArea?: number;
  /**
   * Parts with less than this share of the volume (of absolute values) are removed too, unless they are long. 0…1,
   * default 0 = none.
   */
  minimumVolume?: number;
  /**
   * Parts at least this long, as a share of the largest part's diagonal, are kept however thin they are. 0…1, default
   * 0.1.
   */
  longExtent?: number;
}

export const SPECK_DEFAULTS = { minimumExtent: 0.01, minimumArea: 0, minimumVolume: 0, longExtent: 0.1 } as const;

/**
 * Removes parts that are too small to belong to the object: floating specks of noise. Extent decides first, because
 * thin handles, wires and stalks have little area and hardly any volume. The largest part always stays.
 */
export function removeSpecks(mesh: Mesh, options: SpeckOptions = {}): { mesh: Mesh; removed: number } {
  const { minimumExtent, minimumArea, minimumVolume, longExtent } = assignDefaults(SPECK_DEFAULTS, options);
  const p = mesh.positions;
  const map = weldMap(p);
  const indices = mesh.indices.map((i) => map[i]);
  const { part, parts } = topologyOf(indices, p.length / 3);
  if (parts < 2) return { mesh, removed: 0 };
  const area = new Float64Array(parts);
  const volume = new Float64Array(parts);
  const boxes = Array.from({ length: parts }, () => [Infinity, Infinity, Infinity, -Infinity, -Infinity, -Infinity]);
  for (let t = 0; t < part.length; t++) {
    const c = part[t];
    const m = measureTriangle(p, indices[t * 3], indices[t * 3 + 1], indices[t * 3 + 2]);
    area[c] += m.area;
    volume[c] += m.volume;
    for (let corner = 0; corner < 3; corner++)
      for (let k = 0; k < 3; k++) {
        const v = p[indices[t * 3 + corner] * 3 + k];
        boxes[c][k] = Math.min(boxes[c][k], v);
        boxes[c][k + 3] = Math.max(boxes[c][k + 3], v);
      }
  }
  const extent = boxes.map((b) => Math.hypot(b[3] - b[0], b[4] - b[1], b[5] - b[2]));
  const largest = extent.indexOf(Math.max(...extent));
  const allArea = area.reduce((sum, a) => sum + a, 0);
  const allVolume = volume.reduce((sum, v) => sum + Math.abs(v), 0);
  const speck = extent.map((e, c) => {
    if (c === largest) return false;
    if (e < minimumExtent * extent[largest]) return true;
    if (e >= longExtent * extent[largest]) return false;
    return area[c] < minimumArea * allArea || Math.abs(volume[c]) < minimumVolume * allVolume;
  });
  const removed = speck.filter(Boolean).length;
  if (removed === 0) return { mesh, removed };
  return {
    mesh: compactMesh({ ...mesh, indices: mesh.indices.filter((_, i) => !speck[part[(i / 3) | 0]]) }),
    removed,
  };
}
