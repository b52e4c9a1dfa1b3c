import type { ColorImage } from '../../core/image.js';
import type { Mesh } from '../../core/mesh.js';
import { pause } from '../../core/pause.js';
import { fillGutter } from '../../render/projection/texels/gutter.js';
import { atTexel, mapTexels } from '../shared/texelMap.js';

/** Points with colours. */
export interface ColouredPoints {
  /** x, y, z of each. */
  positions: Float32Array;
  /** Red, green, blue in 0…1, sRGB, of each. */
  colours: Float32Array;
}

/** Cells along the longest side in which points are found. */
const MOST_CELLS = 256;
/** Rings of cells that are searched at most. */
const RINGS = 6;
const ROWS_PER_TURN = 16;

/**
 * A texture of a mesh from the coloured points of the surface that it was simplified from: each texel gets the mean of
 * the points round it, the nearer the more.
 * @param mesh with texture coordinates
 * @param spacing about the distance between neighbouring points
 */
export async function bakeColours(
  mesh: Mesh,
  points: ColouredPoints,
  spacing: number,
  size: number,
  signal: AbortSignal,
  progress: (fraction: number) => void,
): Promise<ColorImage> {
  const map = await mapTexels(mesh, size, size, signal);
  const grid = new PointGrid(points, spacing);
  const data = new Uint8ClampedArray(size * size * 4);
  const place = new Float64Array(3);
  const colour = new Float64Array(3);
  for (let y = 0; y < size; y++) {
    if (y % ROWS_PER_TURN === 0) {
      progress(y / size);
      await pause(signal);
    }
    for (let texel = y * size; texel < (y + 1) * size; texel++) {
      if (map.triangle[texel] === 0) continue;
      atTexel(map, mesh, mesh.positions, 3, texel, place);
      if (!grid.colourAt(place, colour)) continue;
      for (let c = 0; c < 3; c++) data[texel * 4 + c] = Math.round(colour[c] * 255);
      data[texel * 4 + 3] = 255;
    }
  }
  await fillGutter(new Uint8Array(data.buffer), size, size, signal);
  return { width: size, height: size, data };
}

/** Points in cells, to find those near a place. */
class PointGrid {
  private readonly points: ColouredPoints;
  private readonly cell: number;
  private readonly origin: number[];
  private readonly sides: number[];
  /** First of each cell's points in `order`; one more than there are cells. */
  private readonly starts: Uint32Array;
  private readonly order: Uint32Array;

  constructor(points: ColouredPoints, spacing: number) {
    const { positions } = points;
    const least = [Infinity, Infinity, Infinity];
    const most = [-Infinity, -Infinity, -Infinity];
    for (let i = 0; i < positions.length; i++) {
      least[i % 3] = Math.min(least[i % 3], positions[i]);
      most[i % 3] = Math.max(most[i % 3], positions[i]);
    }
    const longest = Math.max(...most.map((m, k) => m - least[k]));
    this.points = points;
    this.origin = least;
    this.cell = Math.max(spacing, longest / MOST_CELLS, 1e-9);
    this.sides = most.map((m, k) => Math.floor((m - least[k]) / this.cell) + 1);
    const cells = this.sides[0] * this.sides[1] * this.sides[2];
    this.starts = new Uint32Array(cells + 1);
    const count = positions.length / 3;
    const cellOf = new Uint32Array(count);
    for (let i = 0; i < count; i++) {
      const [x, y, z] = [0, 1, 2].map((k) => this.along(positions[i * 3 + k], k));
      cellOf[i] = (x * this.sides[1] + y) * this.sides[2] + z;
      this.starts[cellOf[i] + 1]++;
    }
    for (let i = 0; i < cells; i++) this.starts[i + 1] += this.starts[i];
    const next = this.starts.slice();
    this.order = new Uint32Array(count);
    for (let i = 0; i < count; i++) this.order[next[cellOf[i]]++] = i;
  }

  private along(value: number, axis: number): number {
    const at = Math.floor((value - this.origin[axis]) / this.cell);
    return Math.min(this.sides[axis] - 1, Math.max(0, at));
  }

  /** The colour round a place; false where no point is near. */
  colourAt(place: Float64Array, out: Float64Array): boolean {
    const { positions, colours } = this.points;
    const [cx, cy, cz] = [this.along(place[0], 0), this.along(place[1], 1), this.along(place[2], 2)];
    const softness = (0.25 * this.cell) ** 2;
    for (let ring = 1; ring <= RINGS; ring++) {
      out.fill(0);
      let total = 0;
      for (let x = Math.max(0, cx - ring); x <= Math.min(this.sides[0] - 1, cx + ring); x++) {
        for (let y = Math.max(0, cy - ring); y <= Math.min(this.sides[1] - 1, cy + ring); y++) {
          const row = (x * this.sides[1] + y) * this.sides[2];
          const end = this.starts[row + Math.min(this.sides[2] - 1, cz + ring) + 1];
          for (let i = this.starts[row + Math.max(0, cz - ring)]; i < end; i++) {
            const at = this.order[i] * 3;
            const dx = positions[at] - place[0];
            const dy = positions[at + 1] - place[1];
            const dz = positions[at + 2] - place[2];
            const weight = 1 / (dx * dx + dy * dy + dz * dz + softness) ** 2;
            total += weight;
            for (let c = 0; c < 3; c++) out[c] += weight * colours[at + c];
          }
        }
      }
      if (total === 0) continue;
      for (let c = 0; c < 3; c++) out[c] /= total;
      return true;
    }
    return false;
  }
}
