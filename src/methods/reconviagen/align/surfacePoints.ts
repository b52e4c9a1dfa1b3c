import { Random } from '../../../core/random.js';

/** Points of a surface with their colours, to draw it quickly and coarsely. */
export interface SurfacePoints {
  /** x, y, z of each. */
  positions: Float32Array;
  /** Red, green, blue in 0…1, sRGB, of each. */
  colours: Float32Array;
}

/**
 * Points spread over a mesh by area; the same mesh gives the same.
 * @param colours three numbers a vertex
 */
export function surfacePoints(
  { positions, indices }: { positions: Float32Array; indices: Uint32Array },
  colours: Float32Array,
  count: number,
): SurfacePoints {
  const triangles = indices.length / 3;
  const upTo = new Float64Array(triangles);
  let total = 0;
  for (let t = 0; t < triangles; t++) {
    total += area(positions, indices, t);
    upTo[t] = total;
  }
  const random = new Random(1);
  const result = { positions: new Float32Array(count * 3), colours: new Float32Array(count * 3) };
  let triangle = 0;
  for (let i = 0; i < count; i++) {
    const wanted = ((i + random.float()) / count) * total;
    while (triangle < triangles - 1 && upTo[triangle] < wanted) triangle++;
    const root = Math.sqrt(random.float());
    const share = random.float();
    const weights = [1 - root, root * (1 - share), root * share];
    for (let corner = 0; corner < 3; corner++) {
      const at = indices[triangle * 3 + corner] * 3;
      for (let k = 0; k < 3; k++) {
        result.positions[i * 3 + k] += weights[corner] * positions[at + k];
        result.colours[i * 3 + k] += weights[corner] * colours[at + k];
      }
    }
  }
  return shuffled(result, random);
}

function area(positions: Float32Array, indices: Uint32Array, triangle: number): number {
  const [a, b, c] = [0, 1, 2].map((corner) => indices[triangle * 3 + corner] * 3);
  const u = [0, 1, 2].map((k) => positions[b + k] - positions[a + k]);
  const v = [0, 1, 2].map((k) => positions[c + k] - positions[a + k]);
  return Math.hypot(u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]) / 2;
}

/** In an order whose beginning is spread over the whole surface too. */
function shuffled({ positions, colours }: SurfacePoints, random: Random): SurfacePoints {
  const order = Uint32Array.from({ length: positions.length / 3 }, (_, i) => i);
  for (let i = order.length - 1; i > 0; i--) {
    const other = random.integer(i + 1);
    [order[i], order[other]] = [order[other], order[i]];
  }
  const pick = (from: Float32Array): Float32Array => {
    const to = new Float32Array(from.length);
    order.forEach((source, i) => {
      to.set(from.subarray(source * 3, source * 3 + 3), i * 3);
    });
    return to;
  };
  return { positions: pick(positions), colours: pick(colours) };
}
