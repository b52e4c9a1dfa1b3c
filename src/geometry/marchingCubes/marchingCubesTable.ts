/**
 * The 256 cases of marching cubes (Lorensen & Cline 1987), derived rather than listed. On an ambiguous face each inside
 * corner is cut off by itself; both cells at a face decide alike, so the surface closes. Polygons are split without
 * diagonals that lie in a cell's face, which a neighbour could draw too: so every edge of the result belongs to exactly
 * two triangles.
 *
 * Corners: number = x | y << 1 | z << 2. Edges: number = axis * 4 + the other two coordinates of the edge as bits (in
 * the order x, y, z without the axis). Case: bit c is set where corner c is inside (negative).
 */
export interface MarchingCubesTable {
  /** 257 offsets in triangles: case c has triangles `starts[c]` to `starts[c + 1]`. */
  starts: Uint32Array;
  /** Three edge numbers per triangle, counter-clockwise seen from outside. */
  edges: Uint32Array;
}

/** Lower corner (x | y << 1 | z << 2) of an edge. */
export function edgeCorner(edge: number): number {
  const axis = edge >> 2;
  const a = edge & 1;
  const b = (edge >> 1) & 1;
  if (axis === 0) return (a << 1) | (b << 2);
  if (axis === 1) return a | (b << 2);
  return a | (b << 1);
}

/** The edge between two neighbouring corners. */
export function edgeBetween(c0: number, c1: number): number {
  for (let e = 0; e < 12; e++) {
    const low = edgeCorner(e);
    if (low === Math.min(c0, c1) && (low | (1 << (e >> 2))) === Math.max(c0, c1)) return e;
  }
  throw new RangeError(`corners ${c0} and ${c1} share no edge`);
}

/** The corners of each face (x low, x high, y low …), counter-clockwise seen from outside the cube. */
export const FACES: readonly (readonly number[])[] = [
  [0, 4, 6, 2],
  [1, 3, 7, 5],
  [0, 1, 5, 4],
  [2, 6, 7, 3],
  [0, 2, 3, 1],
  [4, 5, 7, 6],
];

/** Bit f is set where the edge lies in face f. */
const FACES_OF_EDGE = Array.from({ length: 12 }, (_, e) => {
  let bits = 0;
  FACES.forEach((face, f) => {
    for (let i = 0; i < 4; i++) if (edgeBetween(face[i], face[(i + 1) % 4]) === e) bits |= 1 << f;
  });
  return bits;
});

/** The closed polygons of a case, as lists of edges. */
function loops(config: number): number[][] {
  const isInside = (corner: number): boolean => ((config >> corner) & 1) === 1;
  const next = new Map<number, number>();
  for (const face of FACES) {
    for (let i = 0; i < 4; i++) {
      const enters = !isInside(face[i]) && isInside(face[(i + 1) % 4]);
      if (!enters) continue;
      let j = (i + 1) % 4;
      while (isInside(face[(j + 1) % 4])) j = (j + 1) % 4;
      next.set(edgeBetween(face[i], face[(i + 1) % 4]), edgeBetween(face[j], face[(j + 1) % 4]));
    }
  }
  const out: number[][] = [];
  while (next.size > 0) {
    const loop: number[] = [];
    let edge = next.keys().next().value as number;
    while (next.has(edge)) {
      loop.push(edge);
      const following = next.get(edge) as number;
      next.delete(edge);
      edge = following;
    }
    out.push(loop);
  }
  return out;
}

/** Splits polygon[from…to] into triangles whose diagonals avoid the cube's faces; undefined if there is no way. */
function split(polygon: number[], from: number, to: number): number[] | undefined {
  if (to - from < 2) return [];
  const allowed = (i: number, j: number): boolean =>
    j - i === 1 ||
    (i === 0 && j === polygon.length - 1) ||
    (FACES_OF_EDGE[polygon[i]] & FACES_OF_EDGE[polygon[j]]) === 0;
  for (let k = from + 1; k < to; k++) {
    if (!allowed(from, k) || !allowed(k, to)) continue;
    const left = split(polygon, from, k);
    const right = left && split(polygon, k, to);
    if (left && right) return [...left, polygon[from], polygon[k], polygon[to], ...right];
  }
  return undefined;
}

function build(): MarchingCubesTable {
  const starts = new Uint32Array(257);
  const edges: number[] = [];
  for (let config = 0; config < 256; config++) {
    for (const loop of loops(config)) {
      const triangles = split(loop, 0, loop.length - 1);
      if (!triangles) throw new RangeError(`case ${config} cannot be triangulated`);
      edges.push(...triangles);
    }
    starts[config + 1] = edges.length / 3;
  }
  return { starts, edges: Uint32Array.from(edges) };
}

export const MARCHING_CUBES: MarchingCubesTable = build();
