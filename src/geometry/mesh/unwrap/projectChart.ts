import { relaxChart } from './relaxChart.js';

/** What keeps a projected chart from being used. */
export type ChartFault = 'steep' | 'overlapping';

/** A triangle may lose at most this much of its area by projection: one that stands at 75° keeps a quarter. */
const LEAST_SHARE = 0.25;
/** All triangles together must keep this much: a cap of 40° keeps 0.88, a cylinder's strip of ±60° keeps 0.83. */
const MEAN_SHARE = 0.82;

/**
 * Flattens a piece of surface by parallel projection along its mean normal, unless triangles stand too steeply or the
 * piece covers itself; then evens out the distortion that projection leaves on slopes, where that does no harm.
 *
 * @param positions the surface.
 * @param smooth positions of a smoothed copy of the surface. Noise turns triangles over; in the copy it does not, and
 * the coordinates of the copy serve the original as well.
 * @param list the triangles of the piece.
 * @returns plane coordinates x, y for every corner, in scene units, or what is wrong.
 */
export function projectChart(
  positions: Float32Array,
  smooth: Float32Array,
  indices: Uint32Array,
  list: readonly number[],
): Float64Array | ChartFault {
  const axis = [0, 0, 0];
  const normals = new Float64Array(list.length * 3);
  let surface = 0;
  for (let i = 0; i < list.length; i++) {
    const [a, b, c] = [indices[list[i] * 3] * 3, indices[list[i] * 3 + 1] * 3, indices[list[i] * 3 + 2] * 3];
    const [ux, uy, uz] = [smooth[b] - smooth[a], smooth[b + 1] - smooth[a + 1], smooth[b + 2] - smooth[a + 2]];
    const [vx, vy, vz] = [smooth[c] - smooth[a], smooth[c + 1] - smooth[a + 1], smooth[c + 2] - smooth[a + 2]];
    const n = [uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx];
    surface += Math.hypot(n[0], n[1], n[2]);
    for (let k = 0; k < 3; k++) {
      axis[k] += n[k];
      normals[i * 3 + k] = n[k];
    }
  }
  const length = Math.hypot(axis[0], axis[1], axis[2]);
  if (!(length > MEAN_SHARE * surface)) return 'steep';
  for (let k = 0; k < 3; k++) axis[k] /= length;
  for (let i = 0; i < list.length; i++) {
    const along = normals[i * 3] * axis[0] + normals[i * 3 + 1] * axis[1] + normals[i * 3 + 2] * axis[2];
    const size = Math.hypot(normals[i * 3], normals[i * 3 + 1], normals[i * 3 + 2]);
    if (!(along > LEAST_SHARE * size)) return 'steep';
  }
  const [x, y] = basis(axis);
  const plane = new Float64Array(list.length * 6);
  for (let i = 0; i < list.length; i++)
    for (let k = 0; k < 3; k++) {
      const v = indices[list[i] * 3 + k] * 3;
      plane[i * 6 + k * 2] = smooth[v] * x[0] + smooth[v + 1] * x[1] + smooth[v + 2] * x[2];
      plane[i * 6 + k * 2 + 1] = smooth[v] * y[0] + smooth[v + 1] * y[1] + smooth[v + 2] * y[2];
    }
  if (coversItself(plane)) return 'overlapping';
  // By the surface's own lengths; where noise forbids that, by those of the copy.
  return relaxed(positions, indices, list, plane) ?? relaxed(smooth, indices, list, plane) ?? plane;
}

/** The chart with less distortion; nothing where triangles would turn over or come to lie on one another. */
function relaxed(
  p: Float32Array,
  indices: Uint32Array,
  list: readonly number[],
  plane: Float64Array,
): Float64Array | undefined {
  const toLocal = new Map<number, number>();
  const triangles = new Uint32Array(list.length * 3);
  const points: number[] = [];
  const start: number[] = [];
  for (let c = 0; c < triangles.length; c++) {
    const v = indices[list[(c / 3) | 0] * 3 + (c % 3)];
    let at = toLocal.get(v);
    if (at === undefined) {
      at = toLocal.size;
      toLocal.set(v, at);
      points.push(p[v * 3], p[v * 3 + 1], p[v * 3 + 2]);
      start.push(plane[c * 2], plane[c * 2 + 1]);
    }
    triangles[c] = at;
  }
  const layout = relaxChart(Float64Array.from(points), triangles, Float64Array.from(start));
  const out = new Float64Array(plane.length);
  for (let c = 0; c < triangles.length; c++) {
    out[c * 2] = layout[triangles[c] * 2];
    out[c * 2 + 1] = layout[triangles[c] * 2 + 1];
  }
  for (let i = 0; i < out.length; i += 6) {
    const area = (out[i + 2] - out[i]) * (out[i + 5] - out[i + 1]) - (out[i + 4] - out[i]) * (out[i + 3] - out[i + 1]);
    if (!(area > 0)) return undefined;
  }
  return coversItself(out) ? undefined : out;
}

/** Two unit vectors perpendicular to `axis` and to each other, right-handed with it. */
function basis(axis: readonly number[]): [number[], number[]] {
  const least = axis.map(Math.abs).indexOf(Math.min(...axis.map(Math.abs)));
  const other = [0, 0, 0];
  other[least] = 1;
  const cross = (a: readonly number[], b: readonly number[]) => [
    a[1] * b[2] - a[2] * b[1],
    a[2] * b[0] - a[0] * b[2],
    a[0] * b[1] - a[1] * b[0],
  ];
  const raw = cross(other, axis);
  const length = Math.hypot(...raw);
  const x = raw.map((v) => v / length);
  return [x, cross(axis, x)];
}

/**
 * Whether triangles lie on top of one another: every pair that shares a cell of a grid is tested. Neighbours touch but
 * share no area, as all triangles face the same way.
 */
function coversItself(plane: Float64Array): boolean {
  const n = plane.length / 6;
  let [minX, minY, maxX, maxY] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i < plane.length; i += 2) {
    minX = Math.min(minX, plane[i]);
    maxX = Math.max(maxX, plane[i]);
    minY = Math.min(minY, plane[i + 1]);
    maxY = Math.max(maxY, plane[i + 1]);
  }
  // About two triangles a cell.
  const cells = Math.max(1, Math.min(256, Math.ceil(Math.sqrt(n / 2))));
  const size = Math.max(maxX - minX, maxY - minY) / cells || 1;
  const cellsOf = (t: number): [number, number, number, number] => {
    const xs = [plane[t * 6], plane[t * 6 + 2], plane[t * 6 + 4]];
    const ys = [plane[t * 6 + 1], plane[t * 6 + 3], plane[t * 6 + 5]];
    const at = (v: number, min: number) => Math.min(cells - 1, Math.max(0, Math.floor((v - min) / size)));
    return [at(Math.min(...xs), minX), at(Math.max(...xs), minX), at(Math.min(...ys), minY), at(Math.max(...ys), minY)];
  };
  const grid: number[][] = [];
  for (let t = 0; t < n; t++) {
    const [x0, x1, y0, y1] = cellsOf(t);
    for (let y = y0; y <= y1; y++)
      for (let x = x0; x <= x1; x++) {
        grid[y * cells + x] ??= [];
        const cell = grid[y * cells + x];
        for (const o of cell) if (trianglesOverlap(plane, t, o)) return true;
        cell.push(t);
      }
  }
  return false;
}

/**
 * Whether two counter-clockwise triangles share area: they do unless an edge of one has the other wholly on its outer
 * side (separating axes). Touching along an edge or at a corner is no overlap; a tolerance of 1e-9 of the edge lengths
 * covers rounding.
 */
function trianglesOverlap(p: Float64Array, s: number, t: number): boolean {
  for (const [one, other] of [
    [s * 6, t * 6],
    [t * 6, s * 6],
  ])
    for (let k = 0; k < 3; k++) {
      const i = one + k * 2;
      const j = one + ((k + 1) % 3) * 2;
      const ex = p[j] - p[i];
      const ey = p[j + 1] - p[i + 1];
      let outside = true;
      for (let c = 0; c < 3 && outside; c++) {
        const dx = p[other + c * 2] - p[i];
        const dy = p[other + c * 2 + 1] - p[i + 1];
        const side = ex * dy - ey * dx;
        if (side > 1e-9 * (ex * ex + ey * ey + dx * dx + dy * dy)) outside = false;
      }
      if (outside) return false;
    }
  return true;
}
