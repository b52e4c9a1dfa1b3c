/**
 * A bounding volume hierarchy over triangles for nearest-point and ray queries in float64: median split along the
 * longest axis of the centroids' bounds, leaves of up to four triangles, nodes in depth-first order.
 */
export interface Bvh {
  positions: Float32Array;
  indices: Uint32Array;
  /** Triangle numbers in leaf order. */
  order: Uint32Array;
  /** min x, y, z, max x, y, z per node. */
  boxes: Float32Array;
  /** Leaf: first entry of `order`; inner node: its right child (the left child follows the node itself). */
  first: Uint32Array;
  /** Number of triangles of a leaf; 0 = inner node. */
  size: Uint8Array;
}

const LEAF = 4;

/** Builds the hierarchy over all triangles, or over the listed ones. */
export function buildBvh(positions: Float32Array, indices: Uint32Array, triangles?: Uint32Array): Bvh {
  const order = triangles ? triangles.slice() : Uint32Array.from({ length: indices.length / 3 }, (_, t) => t);
  const count = order.length;
  const centroids = new Float32Array((indices.length / 3) * 3);
  for (const t of order)
    for (let k = 0; k < 3; k++)
      centroids[t * 3 + k] =
        (positions[indices[t * 3] * 3 + k] +
          positions[indices[t * 3 + 1] * 3 + k] +
          positions[indices[t * 3 + 2] * 3 + k]) /
        3;
  const maxNodes = Math.max(1, count * 2);
  const boxes = new Float32Array(maxNodes * 6);
  const first = new Uint32Array(maxNodes);
  const size = new Uint8Array(maxNodes);
  let nodes = 0;

  const build = (from: number, to: number): number => {
    const node = nodes++;
    const b = node * 6;
    boxes.fill(Infinity, b, b + 3);
    boxes.fill(-Infinity, b + 3, b + 6);
    const low = [Infinity, Infinity, Infinity];
    const high = [-Infinity, -Infinity, -Infinity];
    for (let i = from; i < to; i++) {
      const t = order[i];
      for (let k = 0; k < 3; k++) {
        const c = centroids[t * 3 + k];
        if (c < low[k]) low[k] = c;
        if (c > high[k]) high[k] = c;
        for (let corner = 0; corner < 3; corner++) {
          const p = positions[indices[t * 3 + corner] * 3 + k];
          if (p < boxes[b + k]) boxes[b + k] = p;
          if (p > boxes[b + 3 + k]) boxes[b + 3 + k] = p;
        }
      }
    }
    if (to - from <= LEAF) {
      first[node] = from;
      size[node] = to - from;
      return node;
    }
    const extent = [high[0] - low[0], high[1] - low[1], high[2] - low[2]];
    const axis = extent[0] >= extent[1] && extent[0] >= extent[2] ? 0 : extent[1] >= extent[2] ? 1 : 2;
    const middle = (from + to) >>> 1;
    select(order, centroids, axis, from, to - 1, middle);
    build(from, middle);
    first[node] = build(middle, to);
    return node;
  };
  if (count > 0) build(0, count);
  return {
    positions,
    indices,
    order,
    boxes: boxes.slice(0, nodes * 6),
    first: first.slice(0, nodes),
    size: size.slice(0, nodes),
  };
}

/**
 * Quickselect: afterwards no entry before `k` has a greater key than entry k, and none after it a lesser. Ties by
 * triangle number.
 */
function select(order: Uint32Array, keys: Float32Array, axis: number, left: number, right: number, k: number): void {
  const less = (a: number, b: number) => {
    const ka = keys[a * 3 + axis];
    const kb = keys[b * 3 + axis];
    return ka < kb || (ka === kb && a < b);
  };
  while (right > left) {
    const pivot = order[(left + right) >>> 1];
    let i = left;
    let j = right;
    while (i <= j) {
      while (less(order[i], pivot)) i++;
      while (less(pivot, order[j])) j--;
      if (i <= j) {
        const t = order[i];
        order[i++] = order[j];
        order[j--] = t;
      }
    }
    if (k <= j) right = j;
    else if (k >= i) left = i;
    else return;
  }
}

const stack = new Uint32Array(256);
const stackDistance = new Float64Array(256);

export interface NearestPoint {
  /** Distance in scene units; `limit` where nothing is nearer. */
  distance: number;
  /** −1 where nothing is nearer than the limit. */
  triangle: number;
}

/** The nearest triangle to a point, no farther than `limit` (scene units; default no limit). Writes into `out`. */
export function nearestTriangle(
  bvh: Bvh,
  x: number,
  y: number,
  z: number,
  limit = Infinity,
  out: NearestPoint = { distance: 0, triangle: 0 },
): NearestPoint {
  let best = limit * limit;
  let triangle = -1;
  if (bvh.size.length > 0) {
    let top = 0;
    stack[0] = 0;
    stackDistance[0] = boxDistance(bvh.boxes, 0, x, y, z);
    top = 1;
    while (top > 0) {
      top--;
      if (stackDistance[top] >= best) continue;
      const node = stack[top];
      const n = bvh.size[node];
      if (n > 0) {
        for (let i = bvh.first[node]; i < bvh.first[node] + n; i++) {
          const t = bvh.order[i];
          const d = triangleDistance(bvh.positions, bvh.indices, t, x, y, z);
          if (d < best) {
            best = d;
            triangle = t;
          }
        }
        continue;
      }
      const left = node + 1;
      const right = bvh.first[node];
      const dl = boxDistance(bvh.boxes, left, x, y, z);
      const dr = boxDistance(bvh.boxes, right, x, y, z);
      // The nearer child is taken first: it is pushed last.
      const leftFirst = dl <= dr;
      const near = leftFirst ? dl : dr;
      const far = leftFirst ? dr : dl;
      if (far < best) {
        stack[top] = leftFirst ? right : left;
        stackDistance[top++] = far;
      }
      if (near < best) {
        stack[top] = leftFirst ? left : right;
        stackDistance[top++] = near;
      }
    }
  }
  out.distance = Math.sqrt(best);
  out.triangle = triangle;
  return out;
}

function boxDistance(boxes: Float32Array, node: number, x: number, y: number, z: number): number {
  const b = node * 6;
  const dx = x < boxes[b] ? boxes[b] - x : x > boxes[b + 3] ? x - boxes[b + 3] : 0;
  const dy = y < boxes[b + 1] ? boxes[b + 1] - y : y > boxes[b + 4] ? y - boxes[b + 4] : 0;
  const dz = z < boxes[b + 2] ? boxes[b + 2] - z : z > boxes[b + 5] ? z - boxes[b + 5] : 0;
  return dx * dx + dy * dy + dz * dz;
}

/**
 * Squared distance from a point to a triangle (Ericson, Real-Time Collision Detection, 2005, §5.1.5: the Voronoi
 * regions in turn).
 */
export function triangleDistance(
  positions: Float32Array,
  indices: Uint32Array,
  t: number,
  x: number,
  y: number,
  z: number,
): number {
  const a = indices[t * 3] * 3;
  const b = indices[t * 3 + 1] * 3;
  const c = indices[t * 3 + 2] * 3;
  const ax = positions[a];
  const ay = positions[a + 1];
  const az = positions[a + 2];
  const abx = positions[b] - ax;
  const aby = positions[b + 1] - ay;
  const abz = positions[b + 2] - az;
  const acx = positions[c] - ax;
  const acy = positions[c + 1] - ay;
  const acz = positions[c + 2] - az;
  const apx = x - ax;
  const apy = y - ay;
  const apz = z - az;
  const d1 = abx * apx + aby * apy + abz * apz;
  const d2 = acx * apx + acy * apy + acz * apz;
  const aa = abx * abx + aby * aby + abz * abz;
  const ab = abx * acx + aby * acy + abz * acz;
  const cc = acx * acx + acy * acy + acz * acz;
  // With p − b and p − c written through p − a: d3 = d1 − |ab|², d4 = d2 − ab·ac, d5 = d1 − ab·ac, d6 = d2 − |ac|².
  const d3 = d1 - aa;
  const d4 = d2 - ab;
  const d5 = d1 - ab;
  const d6 = d2 - cc;
  const vc = d1 * d4 - d3 * d2;
  const vb = d5 * d2 - d1 * d6;
  const va = d3 * d6 - d5 * d4;
  let v = 0;
  let w = 0;
  if (d1 <= 0 && d2 <= 0) {
    v = 0;
  } else if (d3 >= 0 && d4 <= d3) {
    v = 1;
  } else if (vc <= 0 && d1 >= 0 && d3 <= 0 && d1 > d3) {
    v = d1 / (d1 - d3);
  } else if (d6 >= 0 && d5 <= d6) {
    w = 1;
  } else if (vb <= 0 && d2 >= 0 && d6 <= 0 && d2 > d6) {
    w = d2 / (d2 - d6);
  } else if (va <= 0 && d4 - d3 >= 0 && d5 - d6 >= 0 && d4 - d3 + (d5 - d6) > 0) {
    w = (d4 - d3) / (d4 - d3 + (d5 - d6));
    v = 1 - w;
  } else {
    const sum = va + vb + vc;
    if (sum > 0) {
      v = vb / sum;
      w = vc / sum;
    }
  }
  const dx = apx - v * abx - w * acx;
  const dy = apy - v * aby - w * acy;
  const dz = apz - v * abz - w * acz;
  return dx * dx + dy * dy + dz * dz;
}

/**
 * Calls `hit` for every triangle that the ray meets at a parameter t > `from` (Möller & Trumbore 1997, both sides;
 * edges count for both of their triangles). Stops early where `hit` returns false.
 */
export function forEachHit(
  bvh: Bvh,
  origin: readonly number[],
  direction: readonly number[],
  hit: (triangle: number, t: number) => boolean,
  from = 0,
): void {
  if (bvh.size.length === 0) return;
  const { boxes, positions: p, indices } = bvh;
  const inverse = direction.map((d) => 1 / d);
  const local: number[] = [0];
  while (local.length > 0) {
    const node = local.pop()!;
    const b = node * 6;
    let near = from;
    let far = Infinity;
    for (let k = 0; k < 3; k++) {
      let t0 = (boxes[b + k] - origin[k]) * inverse[k];
      let t1 = (boxes[b + 3 + k] - origin[k]) * inverse[k];
      // A ray within a slab's plane gives 0·∞ = NaN: that slab does not bound it.
      if (Number.isNaN(t0)) t0 = -Infinity;
      if (Number.isNaN(t1)) t1 = Infinity;
      near = Math.max(near, Math.min(t0, t1));
      far = Math.min(far, Math.max(t0, t1));
    }
    if (near > far * (1 + 1e-9) + 1e-12) continue;
    const n = bvh.size[node];
    if (n === 0) {
      local.push(bvh.first[node], node + 1);
      continue;
    }
    for (let i = bvh.first[node]; i < bvh.first[node] + n; i++) {
      const tri = bvh.order[i];
      const t = rayTriangle(p, indices, tri, origin, direction);
      if (t > from && !hit(tri, t)) return;
    }
  }
}

/** The ray parameter at the triangle, or NaN where it misses. */
function rayTriangle(
  p: Float32Array,
  indices: Uint32Array,
  tri: number,
  o: readonly number[],
  d: readonly number[],
): number {
  const a = indices[tri * 3] * 3;
  const b = indices[tri * 3 + 1] * 3;
  const c = indices[tri * 3 + 2] * 3;
  const e1x = p[b] - p[a];
  const e1y = p[b + 1] - p[a + 1];
  const e1z = p[b + 2] - p[a + 2];
  const e2x = p[c] - p[a];
  const e2y = p[c + 1] - p[a + 1];
  const e2z = p[c + 2] - p[a + 2];
  const hx = d[1] * e2z - d[2] * e2y;
  const hy = d[2] * e2x - d[0] * e2z;
  const hz = d[0] * e2y - d[1] * e2x;
  const det = e1x * hx + e1y * hy + e1z * hz;
  if (det === 0) return Number.NaN;
  const sx = o[0] - p[a];
  const sy = o[1] - p[a + 1];
  const sz = o[2] - p[a + 2];
  const u = (sx * hx + sy * hy + sz * hz) / det;
  if (u < 0 || u > 1) return Number.NaN;
  const qx = sy * e1z - sz * e1y;
  const qy = sz * e1x - sx * e1z;
  const qz = sx * e1y - sy * e1x;
  const v = (d[0] * qx + d[1] * qy + d[2] * qz) / det;
  if (v < 0 || u + v > 1) return Number.NaN;
  return (e2x * qx + e2y * qy + e2z * qz) / det;
}
