/**
 * Quadric edge collapse (Garland & Heckbert 1997) onto existing vertices that never changes the topology of a closed
 * manifold: an edge is collapsed only where the link condition holds (Dey et al. 1999: its ends have exactly the two
 * opposite vertices as common neighbours) and no triangle turns by more than about 80°. Slower than meshoptimizer by an
 * order of magnitude; used for what that cannot do.
 *
 * @param indices a closed, oriented manifold over welded vertices.
 * @param target number of triangles to stop at. Where no allowed collapse is left, more remain.
 * @param maxError largest accepted deviation, scene units.
 * @returns the remaining triangles and the root of the largest quadric error, scene units.
 */
export function collapseEdges(
  positions: Float32Array,
  indices: Uint32Array,
  target: number,
  maxError = Infinity,
): { indices: Uint32Array; error: number } {
  const n = positions.length / 3;
  const tri = indices.slice();
  const alive = new Uint8Array(tri.length / 3).fill(1);
  const around: number[][] = Array.from({ length: n }, () => []);
  const quadrics = new Float64Array(n * 11);
  for (let t = 0; t < alive.length; t++) {
    for (let k = 0; k < 3; k++) around[tri[t * 3 + k]].push(t);
    addPlane(quadrics, positions, tri, t);
  }
  const heap = new EdgeHeap();
  const stamp = new Uint32Array(n);
  const offer = (u: number, v: number) => {
    const cuv = quadricError(quadrics, u, v, positions, v);
    const cvu = quadricError(quadrics, u, v, positions, u);
    // Both directions are offered: where one is forbidden by a turning triangle, the other may not be.
    heap.push(cuv, u, v, stamp[u] + stamp[v]);
    heap.push(cvu, v, u, stamp[u] + stamp[v]);
  };
  for (let t = 0; t < alive.length; t++)
    for (let k = 0; k < 3; k++) {
      const u = tri[t * 3 + k];
      const v = tri[t * 3 + ((k + 1) % 3)];
      if (u < v) offer(u, v);
    }
  const neighbours = (v: number): Set<number> => {
    const out = new Set<number>();
    for (const t of around[v]) for (let k = 0; k < 3; k++) out.add(tri[t * 3 + k]);
    out.delete(v);
    return out;
  };
  let count = alive.length;
  let error = 0;
  while (count > target) {
    const top = heap.pop();
    if (!top) break;
    const { cost, from: u, to: v } = top;
    if (stamp[u] + stamp[v] !== top.stamp || around[u].length === 0 || around[v].length === 0) continue;
    if (Math.sqrt(cost) > maxError) break;
    const nu = neighbours(u);
    if (!nu.has(v)) continue;
    const nv = neighbours(v);
    const common = [...nu].filter((w) => nv.has(w));
    if (common.length !== 2 || common.some((w) => around[w].length <= 3)) continue;
    if (turns(positions, tri, around[u], u, v)) continue;
    for (const t of around[u]) {
      const at = t * 3;
      if (tri[at] === v || tri[at + 1] === v || tri[at + 2] === v) {
        alive[t] = 0;
        count--;
        for (let k = 0; k < 3; k++) {
          const w = tri[at + k];
          if (w !== u) around[w] = around[w].filter((x) => x !== t);
        }
      } else {
        for (let k = 0; k < 3; k++) if (tri[at + k] === u) tri[at + k] = v;
        around[v].push(t);
      }
    }
    around[u] = [];
    for (let k = 0; k < 11; k++) quadrics[v * 11 + k] += quadrics[u * 11 + k];
    error = Math.max(error, cost);
    // Every pair that was offered with an old stamp of v, or lost an obstacle, is offered anew.
    stamp[v]++;
    for (const w of neighbours(v)) offer(w, v);
  }
  return { indices: tri.filter((_, i) => alive[(i / 3) | 0] === 1), error: Math.sqrt(error) };
}

/**
 * Adds the area-weighted squared distance to the plane of triangle t to the quadrics of its corners: 10 coefficients
 * and the weight.
 */
function addPlane(q: Float64Array, p: Float32Array, tri: Uint32Array, t: number): void {
  const [a, b, c] = [tri[t * 3] * 3, tri[t * 3 + 1] * 3, tri[t * 3 + 2] * 3];
  const [nx, ny, nz] = normalOf(p, a, b, c);
  const length = Math.hypot(nx, ny, nz);
  if (length === 0) return;
  const [x, y, z] = [nx / length, ny / length, nz / length];
  const d = -(x * p[a] + y * p[a + 1] + z * p[a + 2]);
  const terms = [x * x, x * y, x * z, x * d, y * y, y * z, y * d, z * z, z * d, d * d, 1];
  for (let k = 0; k < 3; k++) for (let i = 0; i < 11; i++) q[tri[t * 3 + k] * 11 + i] += terms[i] * length;
}

/** Mean squared distance of vertex `at` to the planes gathered at u and v. */
function quadricError(q: Float64Array, u: number, v: number, p: Float32Array, at: number): number {
  const s = (i: number) => q[u * 11 + i] + q[v * 11 + i];
  const [x, y, z] = [p[at * 3], p[at * 3 + 1], p[at * 3 + 2]];
  const value =
    s(0) * x * x +
    s(4) * y * y +
    s(7) * z * z +
    2 * (s(1) * x * y + s(2) * x * z + s(5) * y * z + s(3) * x + s(6) * y + s(8) * z) +
    s(9);
  const weight = s(10);
  return weight > 0 ? Math.max(0, value / weight) : 0;
}

/** Whether moving vertex u to v turns a triangle that remains by more than about 80°, or flattens it. */
function turns(p: Float32Array, tri: Uint32Array, triangles: readonly number[], u: number, v: number): boolean {
  for (const t of triangles) {
    const corners = [tri[t * 3], tri[t * 3 + 1], tri[t * 3 + 2]];
    if (corners.includes(v)) continue;
    const before = normalOf(p, corners[0] * 3, corners[1] * 3, corners[2] * 3);
    const moved = corners.map((w) => (w === u ? v : w) * 3);
    const after = normalOf(p, moved[0], moved[1], moved[2]);
    const lengths = Math.hypot(...before) * Math.hypot(...after);
    const cosine = before[0] * after[0] + before[1] * after[1] + before[2] * after[2];
    if (!(cosine > 0.17 * lengths)) return true;
  }
  return false;
}

function normalOf(p: Float32Array, a: number, b: number, c: number): [number, number, number] {
  const [ux, uy, uz] = [p[b] - p[a], p[b + 1] - p[a + 1], p[b + 2] - p[a + 2]];
  const [vx, vy, vz] = [p[c] - p[a], p[c + 1] - p[a + 1], p[c + 2] - p[a + 2]];
  return [uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx];
}

interface Candidate {
  cost: number;
  from: number;
  to: number;
  stamp: number;
}

/** A binary heap, cheapest first; ties by the order of pushing, so that the result is reproducible. */
class EdgeHeap {
  private readonly items: (Candidate & { order: number })[] = [];
  private pushed = 0;

  push(cost: number, from: number, to: number, stamp: number): void {
    const items = this.items;
    const item = { cost, from, to, stamp, order: this.pushed++ };
    let i = items.push(item) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!before(item, items[parent])) break;
      items[i] = items[parent];
      i = parent;
    }
    items[i] = item;
  }

  pop(): Candidate | undefined {
    const items = this.items;
    const top = items[0];
    const last = items.pop();
    if (!last || items.length === 0) return top;
    let i = 0;
    for (;;) {
      let child = i * 2 + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && before(items[child + 1], items[child])) child++;
      if (!before(items[child], last)) break;
      items[i] = items[child];
      i = child;
    }
    items[i] = last;
    return top;
  }
}

const before = (a: { cost: number; order: number }, b: { cost: number; order: number }): boolean =>
  a.cost < b.cost || (a.cost === b.cost && a.order < b.order);
