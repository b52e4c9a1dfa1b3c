/**
 * A closed, oriented manifold over welded vertices while its edges are collapsed onto existing vertices, with the
 * quadrics of what was there (Garland & Heckbert 1997). No collapse changes its topology.
 */
export class ShrinkingMesh {
  /** Triangles that are left. */
  count: number;
  /** Triangles around every vertex; none around those that are gone. */
  readonly around: number[][];
  private readonly tri: Uint32Array;
  private readonly alive: Uint8Array;
  private readonly quadrics: Float64Array;
  private readonly mark: Uint32Array;
  private round = 0;
  private readonly found: number[] = [];

  constructor(
    private readonly positions: Float32Array,
    indices: Uint32Array,
  ) {
    const n = positions.length / 3;
    this.count = indices.length / 3;
    this.tri = indices.slice();
    this.alive = new Uint8Array(this.count).fill(1);
    this.around = Array.from({ length: n }, () => []);
    this.quadrics = new Float64Array(n * 11);
    this.mark = new Uint32Array(n);
    for (let t = 0; t < this.count; t++) {
      for (let k = 0; k < 3; k++) this.around[this.tri[t * 3 + k]].push(t);
      addPlane(this.quadrics, positions, this.tri, t);
    }
  }

  /** The triangles that are left. */
  get indices(): Uint32Array {
    return this.tri.filter((_, i) => this.alive[(i / 3) | 0] === 1);
  }

  /** Every neighbour of a vertex once; valid until the next call of anything here. */
  neighbours(v: number): readonly number[] {
    const { tri, mark, found } = this;
    const round = ++this.round;
    found.length = 0;
    mark[v] = round;
    for (const t of this.around[v])
      for (let at = t * 3; at < t * 3 + 3; at++) {
        const w = tri[at];
        if (mark[w] === round) continue;
        mark[w] = round;
        found.push(w);
      }
    return found;
  }

  /** Mean squared distance of vertex v to the planes gathered at u and v: what moving u there costs. */
  costOf(u: number, v: number): number {
    const { quadrics: q, positions: p } = this;
    const [a, b] = [u * 11, v * 11];
    const [x, y, z] = [p[v * 3], p[v * 3 + 1], p[v * 3 + 2]];
    const value =
      (q[a] + q[b]) * x * x +
      (q[a + 4] + q[b + 4]) * y * y +
      (q[a + 7] + q[b + 7]) * z * z +
      2 *
        ((q[a + 1] + q[b + 1]) * x * y +
          (q[a + 2] + q[b + 2]) * x * z +
          (q[a + 5] + q[b + 5]) * y * z +
          (q[a + 3] + q[b + 3]) * x +
          (q[a + 6] + q[b + 6]) * y +
          (q[a + 8] + q[b + 8]) * z) +
      (q[a + 9] + q[b + 9]);
    const weight = q[a + 10] + q[b + 10];
    return weight > 0 ? Math.max(0, value / weight) : 0;
  }

  /**
   * Moves u to v where the link condition holds (Dey et al. 1999: neighbours with exactly the two opposite vertices as
   * common neighbours) and no triangle turns by more than about 80°; otherwise nothing happens.
   */
  collapse(u: number, v: number): boolean {
    const { tri, around, quadrics } = this;
    if (!this.mayJoin(u, v) || turns(this.positions, tri, around[u], u, v)) return false;
    for (const t of around[u]) {
      const at = t * 3;
      if (tri[at] === v || tri[at + 1] === v || tri[at + 2] === v) {
        this.alive[t] = 0;
        this.count--;
        for (let k = 0; k < 3; k++) if (tri[at + k] !== u) remove(around[tri[at + k]], t);
      } else {
        for (let k = 0; k < 3; k++) if (tri[at + k] === u) tri[at + k] = v;
        around[v].push(t);
      }
    }
    around[u] = [];
    for (let k = 0; k < 11; k++) quadrics[v * 11 + k] += quadrics[u * 11 + k];
    return true;
  }

  private mayJoin(u: number, v: number): boolean {
    const { tri, mark, around } = this;
    this.neighbours(u);
    const ofU = this.round;
    if (mark[v] !== ofU) return false;
    mark[u] = 0;
    mark[v] = 0;
    let common = 0;
    for (const t of around[v])
      for (let at = t * 3; at < t * 3 + 3; at++) {
        const w = tri[at];
        if (mark[w] !== ofU) continue;
        if (++common > 2 || around[w].length <= 3) return false;
        mark[w] = 0;
      }
    return common === 2;
  }
}

function remove(list: number[], value: number): void {
  const at = list.indexOf(value);
  list.copyWithin(at, at + 1);
  list.pop();
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

/** Whether moving vertex u to v turns a triangle that remains by more than about 80°, or flattens it. */
function turns(p: Float32Array, tri: Uint32Array, triangles: readonly number[], u: number, v: number): boolean {
  for (const t of triangles) {
    const [a, b, c] = [tri[t * 3], tri[t * 3 + 1], tri[t * 3 + 2]];
    if (a === v || b === v || c === v) continue;
    const [bx, by, bz] = normalOf(p, a * 3, b * 3, c * 3);
    const [ax, ay, az] = normalOf(p, (a === u ? v : a) * 3, (b === u ? v : b) * 3, (c === u ? v : c) * 3);
    const lengths = Math.hypot(bx, by, bz) * Math.hypot(ax, ay, az);
    const cosine = bx * ax + by * ay + bz * az;
    if (!(cosine > 0.17 * lengths)) return true;
  }
  return false;
}

function normalOf(p: Float32Array, a: number, b: number, c: number): [number, number, number] {
  const [ux, uy, uz] = [p[b] - p[a], p[b + 1] - p[a + 1], p[b + 2] - p[a + 2]];
  const [vx, vy, vz] = [p[c] - p[a], p[c + 1] - p[a + 1], p[c + 2] - p[a + 2]];
  return [uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx];
}
