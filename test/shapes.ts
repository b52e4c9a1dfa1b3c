import type { Mesh } from '../src/core/mesh.js';

/**
 * Meshes with known properties for tests. All are closed, counter-clockwise seen from outside and share no vertex
 * needlessly.
 */

/** A sphere from a subdivided octahedron: 8·4^level triangles. */
export function sphere(level = 3, radius = 1, centre: readonly number[] = [0, 0, 0]): Mesh {
  let vertices: number[][] = [
    [1, 0, 0],
    [-1, 0, 0],
    [0, 1, 0],
    [0, -1, 0],
    [0, 0, 1],
    [0, 0, -1],
  ];
  let triangles: number[][] = [
    [0, 2, 4],
    [2, 1, 4],
    [1, 3, 4],
    [3, 0, 4],
    [2, 0, 5],
    [1, 2, 5],
    [3, 1, 5],
    [0, 3, 5],
  ];
  for (let i = 0; i < level; i++) {
    const middle = new Map<string, number>();
    const next = vertices.slice();
    const between = (a: number, b: number): number => {
      const key = a < b ? `${a},${b}` : `${b},${a}`;
      let m = middle.get(key);
      if (m === undefined) {
        const v = [0, 1, 2].map((k) => vertices[a][k] + vertices[b][k]);
        const length = Math.hypot(...v);
        m = next.push(v.map((x) => x / length)) - 1;
        middle.set(key, m);
      }
      return m;
    };
    triangles = triangles.flatMap(([a, b, c]) => {
      const [ab, bc, ca] = [between(a, b), between(b, c), between(c, a)];
      return [
        [a, ab, ca],
        [ab, b, bc],
        [ca, bc, c],
        [ab, bc, ca],
      ];
    });
    vertices = next;
  }
  return {
    positions: Float32Array.from(vertices.flatMap((v) => v.map((x, k) => x * radius + centre[k]))),
    indices: Uint32Array.from(triangles.flat()),
  };
}

/** A torus around the y axis: 2·around·across triangles. */
export function torus(around = 48, across = 24, radius = 1, tube = 0.35): Mesh {
  const positions: number[] = [];
  const indices: number[] = [];
  for (let i = 0; i < around; i++)
    for (let j = 0; j < across; j++) {
      const a = (i / around) * 2 * Math.PI;
      const b = (j / across) * 2 * Math.PI;
      const r = radius + tube * Math.cos(b);
      positions.push(r * Math.cos(a), tube * Math.sin(b), r * Math.sin(a));
      const at = (di: number, dj: number) => ((i + di) % around) * across + ((j + dj) % across);
      indices.push(at(0, 0), at(0, 1), at(1, 1), at(0, 0), at(1, 1), at(1, 0));
    }
  return { positions: Float32Array.from(positions), indices: Uint32Array.from(indices) };
}

/** An axis-aligned box of 12 triangles. */
export function box(min: readonly number[] = [-1, -1, -1], max: readonly number[] = [1, 1, 1]): Mesh {
  const positions = new Float32Array(24);
  for (let i = 0; i < 8; i++) for (let k = 0; k < 3; k++) positions[i * 3 + k] = (i >> k) & 1 ? max[k] : min[k];
  const quads = [
    [0, 4, 6, 2],
    [1, 3, 7, 5],
    [0, 1, 5, 4],
    [2, 6, 7, 3],
    [0, 2, 3, 1],
    [4, 5, 7, 6],
  ];
  return { positions, indices: Uint32Array.from(quads.flatMap(([a, b, c, d]) => [a, b, c, a, c, d])) };
}

/** The boundary of all cubes of a size³ grid for which `inside` is true, as stair-steps, scaled to the cube −1…1. */
export function voxels(size: number, inside: (x: number, y: number, z: number) => boolean): Mesh {
  const cell = new Uint8Array((size + 2) ** 3);
  const index = (x: number, y: number, z: number) => ((z + 1) * (size + 2) + y + 1) * (size + 2) + x + 1;
  const middle = (i: number) => ((i + 0.5) / size) * 2 - 1;
  for (let z = 0; z < size; z++)
    for (let y = 0; y < size; y++)
      for (let x = 0; x < size; x++) if (inside(middle(x), middle(y), middle(z))) cell[index(x, y, z)] = 1;
  const vertex = new Map<number, number>();
  const positions: number[] = [];
  const indices: number[] = [];
  const at = (x: number, y: number, z: number): number => {
    const key = (z * (size + 1) + y) * (size + 1) + x;
    let v = vertex.get(key);
    if (v === undefined) {
      v = positions.push((x / size) * 2 - 1, (y / size) * 2 - 1, (z / size) * 2 - 1) / 3 - 1;
      vertex.set(key, v);
    }
    return v;
  };
  for (let z = 0; z < size; z++)
    for (let y = 0; y < size; y++)
      for (let x = 0; x < size; x++) {
        if (!cell[index(x, y, z)]) continue;
        for (let axis = 0; axis < 3; axis++)
          for (let side = 0; side < 2; side++) {
            const d = [0, 0, 0];
            d[axis] = side * 2 - 1;
            if (cell[index(x + d[0], y + d[1], z + d[2])]) continue;
            const corners = [
              [0, 0],
              [1, 0],
              [1, 1],
              [0, 1],
            ].map(([u, v]) => {
              const c = [0, 0, 0];
              c[axis] = side;
              c[(axis + 1) % 3] = u;
              c[(axis + 2) % 3] = v;
              return at(x + c[0], y + c[1], z + c[2]);
            });
            const [a, b, c, e] = side === 1 ? corners : corners.reverse();
            indices.push(a, b, c, a, c, e);
          }
      }
  return { positions: Float32Array.from(positions), indices: Uint32Array.from(indices) };
}

/** Several meshes as one; positions and indices only. */
export function join(...meshes: Mesh[]): Mesh {
  const positions: number[] = [];
  const indices: number[] = [];
  for (const m of meshes) {
    const base = positions.length / 3;
    for (const p of m.positions) positions.push(p);
    for (const i of m.indices) indices.push(i + base);
  }
  return { positions: Float32Array.from(positions), indices: Uint32Array.from(indices) };
}

/** The same mesh with every triangle, or the given ones, turned over. */
export function flip(mesh: Mesh, which: (triangle: number) => boolean = () => true): Mesh {
  const indices = mesh.indices.slice();
  for (let t = 0; t < indices.length / 3; t++)
    if (which(t)) [indices[t * 3], indices[t * 3 + 1]] = [indices[t * 3 + 1], indices[t * 3]];
  return { ...mesh, indices };
}

/** The same mesh without some triangles. */
export function without(mesh: Mesh, which: (triangle: number) => boolean): Mesh {
  return { ...mesh, indices: mesh.indices.filter((_, i) => !which((i / 3) | 0)) };
}
