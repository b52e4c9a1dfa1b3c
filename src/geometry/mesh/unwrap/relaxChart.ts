/** Rounds of fitting rotations and solving for positions; more change little. */
const ROUNDS = 6;
/** Steps of the conjugate gradient method in each round, which goes on from the last round's solution. */
const STEPS = 24;

/**
 * Evens out the distortion of a flat chart: as rigid as possible, by turns of fitting a rotation to every triangle and
 * solving for the positions that follow these best (Liu et al. 2008, "A Local/Global Approach to Mesh
 * Parameterization"; cotangent weights, kept positive).
 *
 * @param points x, y, z per vertex of the chart's surface.
 * @param triangles vertices of the chart, counter-clockwise in the plane.
 * @param start x, y per vertex: a flat layout without overlaps.
 * @returns new x, y per vertex. Triangles may turn over or overlap in it: the caller must look.
 */
export function relaxChart(points: Float64Array, triangles: Uint32Array, start: Float64Array): Float64Array {
  const n = start.length / 2;
  const count = triangles.length / 3;
  // Every triangle laid flat by itself: corner 0 at the origin, corner 1 on the x axis; and the weight opposite to each
  // corner.
  const flat = new Float64Array(count * 6);
  const weight = new Float64Array(count * 3);
  const diagonal = new Float64Array(n);
  for (let t = 0; t < count; t++) {
    const [a, b, c] = [triangles[t * 3] * 3, triangles[t * 3 + 1] * 3, triangles[t * 3 + 2] * 3];
    const u = [points[b] - points[a], points[b + 1] - points[a + 1], points[b + 2] - points[a + 2]];
    const v = [points[c] - points[a], points[c + 1] - points[a + 1], points[c + 2] - points[a + 2]];
    const base = Math.hypot(u[0], u[1], u[2]);
    const along = base > 0 ? (u[0] * v[0] + u[1] * v[1] + u[2] * v[2]) / base : 0;
    const height = Math.sqrt(Math.max(0, v[0] * v[0] + v[1] * v[1] + v[2] * v[2] - along * along));
    flat.set([0, 0, base, 0, along, height], t * 6);
    for (let k = 0; k < 3; k++) {
      const at = (i: number) => [flat[t * 6 + ((k + i) % 3) * 2], flat[t * 6 + ((k + i) % 3) * 2 + 1]];
      const [p, q, r] = [at(0), at(1), at(2)];
      const dot = (q[0] - p[0]) * (r[0] - p[0]) + (q[1] - p[1]) * (r[1] - p[1]);
      const cross = (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0]);
      const cotangent = cross > 0 ? dot / cross : 10;
      weight[t * 3 + k] = Math.min(10, Math.max(0.01, cotangent));
      diagonal[triangles[t * 3 + ((k + 1) % 3)]] += weight[t * 3 + k];
      diagonal[triangles[t * 3 + ((k + 2) % 3)]] += weight[t * 3 + k];
    }
  }
  const multiply = (x: Float64Array, out: Float64Array): void => {
    for (let v = 0; v < n; v++) {
      out[v * 2] = diagonal[v] * x[v * 2];
      out[v * 2 + 1] = diagonal[v] * x[v * 2 + 1];
    }
    for (let t = 0; t < count; t++)
      for (let k = 0; k < 3; k++) {
        const i = triangles[t * 3 + ((k + 1) % 3)] * 2;
        const j = triangles[t * 3 + ((k + 2) % 3)] * 2;
        const w = weight[t * 3 + k];
        out[i] -= w * x[j];
        out[i + 1] -= w * x[j + 1];
        out[j] -= w * x[i];
        out[j + 1] -= w * x[i + 1];
      }
  };

  const x = start.slice();
  const wanted = new Float64Array(n * 2);
  for (let round = 0; round < ROUNDS; round++) {
    wanted.fill(0);
    for (let t = 0; t < count; t++) {
      // The rotation that fits the flat triangle's edges to those in the plane best, by weight.
      let cosine = 0;
      let sine = 0;
      for (let k = 0; k < 3; k++) {
        const [i, j] = [(k + 1) % 3, (k + 2) % 3];
        const [vi, vj] = [triangles[t * 3 + i] * 2, triangles[t * 3 + j] * 2];
        const fx = flat[t * 6 + j * 2] - flat[t * 6 + i * 2];
        const fy = flat[t * 6 + j * 2 + 1] - flat[t * 6 + i * 2 + 1];
        const px = x[vj] - x[vi];
        const py = x[vj + 1] - x[vi + 1];
        cosine += weight[t * 3 + k] * (fx * px + fy * py);
        sine += weight[t * 3 + k] * (fx * py - fy * px);
      }
      const length = Math.hypot(cosine, sine);
      if (length > 0) {
        cosine /= length;
        sine /= length;
      } else cosine = 1;
      for (let k = 0; k < 3; k++) {
        const [i, j] = [(k + 1) % 3, (k + 2) % 3];
        const fx = flat[t * 6 + j * 2] - flat[t * 6 + i * 2];
        const fy = flat[t * 6 + j * 2 + 1] - flat[t * 6 + i * 2 + 1];
        const w = weight[t * 3 + k];
        const dx = w * (cosine * fx - sine * fy);
        const dy = w * (sine * fx + cosine * fy);
        const [vi, vj] = [triangles[t * 3 + i] * 2, triangles[t * 3 + j] * 2];
        wanted[vi] -= dx;
        wanted[vi + 1] -= dy;
        wanted[vj] += dx;
        wanted[vj + 1] += dy;
      }
    }
    conjugateGradient(multiply, diagonal, wanted, x);
  }
  return x;
}

/**
 * Solves for x from where it is, preconditioned by the diagonal. The system leaves the mean open; it stays as it was.
 */
function conjugateGradient(
  multiply: (x: Float64Array, out: Float64Array) => void,
  diagonal: Float64Array,
  wanted: Float64Array,
  x: Float64Array,
): void {
  const n = x.length;
  const r = new Float64Array(n);
  const q = new Float64Array(n);
  const z = new Float64Array(n);
  multiply(x, r);
  for (let i = 0; i < n; i++) r[i] = wanted[i] - r[i];
  const precondition = () => {
    let dot = 0;
    for (let i = 0; i < n; i++) {
      const d = diagonal[i >> 1];
      z[i] = d > 0 ? r[i] / d : 0;
      dot += r[i] * z[i];
    }
    return dot;
  };
  let rho = precondition();
  const p = z.slice();
  const enough = rho * 1e-8;
  for (let step = 0; step < STEPS && rho > enough && rho > 0; step++) {
    multiply(p, q);
    let curvature = 0;
    for (let i = 0; i < n; i++) curvature += p[i] * q[i];
    if (!(curvature > 0)) return;
    const alpha = rho / curvature;
    for (let i = 0; i < n; i++) {
      x[i] += alpha * p[i];
      r[i] -= alpha * q[i];
    }
    const next = precondition();
    const beta = next / rho;
    for (let i = 0; i < n; i++) p[i] = z[i] + beta * p[i];
    rho = next;
  }
}
