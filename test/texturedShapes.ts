import type { ColorImage } from '../src/core/image.js';
import type { Vec3 } from '../src/core/math.js';
import type { Mesh } from '../src/core/mesh.js';

/** The six faces of a box: outward axis, then the axes of u and −v. */
const FACES: [Vec3, Vec3, Vec3][] = [
  [
    [1, 0, 0],
    [0, 0, -1],
    [0, 1, 0],
  ],
  [
    [-1, 0, 0],
    [0, 0, 1],
    [0, 1, 0],
  ],
  [
    [0, 1, 0],
    [1, 0, 0],
    [0, 0, -1],
  ],
  [
    [0, -1, 0],
    [1, 0, 0],
    [0, 0, 1],
  ],
  [
    [0, 0, 1],
    [1, 0, 0],
    [0, 1, 0],
  ],
  [
    [0, 0, -1],
    [-1, 0, 0],
    [0, 1, 0],
  ],
];

/**
 * A box from −half to half with flat normals, each face cut into `cuts`² quads and unwrapped into a cell of a 3×2 grid
 * with a margin.
 * @param round pushes vertices this far (0…1) towards the sphere around the box, with the sphere's normals
 */
export function box(half: Vec3 = [1, 1, 1], cuts = 1, round = 0): Mesh {
  const positions: number[] = [];
  const normals: number[] = [];
  const uvs: number[] = [];
  const indices: number[] = [];
  const margin = 0.05;
  FACES.forEach(([n, u, v], face) => {
    const first = positions.length / 3;
    for (let j = 0; j <= cuts; j++) {
      for (let i = 0; i <= cuts; i++) {
        const [s, t] = [(2 * i) / cuts - 1, 1 - (2 * j) / cuts];
        const cube = [0, 1, 2].map((k) => n[k] + s * u[k] + t * v[k]);
        const length = Math.hypot(cube[0], cube[1], cube[2]);
        for (let k = 0; k < 3; k++) {
          positions.push(half[k] * (cube[k] * (1 - round) + (cube[k] / length) * round));
          normals.push(round > 0 ? cube[k] / length : n[k]);
        }
        uvs.push(((face % 3) + margin + (i / cuts) * (1 - 2 * margin)) / 3);
        uvs.push((Math.floor(face / 3) + margin + (j / cuts) * (1 - 2 * margin)) / 2);
      }
    }
    for (let j = 0; j < cuts; j++) {
      for (let i = 0; i < cuts; i++) {
        const a = first + j * (cuts + 1) + i;
        indices.push(a, a + cuts + 1, a + 1, a + 1, a + cuts + 1, a + cuts + 2);
      }
    }
  });
  return {
    positions: Float32Array.from(positions),
    normals: Float32Array.from(normals),
    uvs: Float32Array.from(uvs),
    indices: Uint32Array.from(indices),
  };
}

/** A square in the plane z = `z` that faces +Z, from −half to half, with the whole texture on it. */
export function square(half = 1, z = 0): Mesh {
  return {
    positions: Float32Array.from([-half, -half, z, half, -half, z, half, half, z, -half, half, z]),
    normals: Float32Array.from([0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1]),
    uvs: Float32Array.from([0, 1, 1, 1, 1, 0, 0, 0]),
    indices: Uint32Array.from([0, 1, 2, 0, 2, 3]),
  };
}

/** A picture from a function of texel coordinates to red, green, blue and alpha in 0…255. */
export function picture(width: number, height: number, color: (x: number, y: number) => readonly number[]): ColorImage {
  const data = new Uint8ClampedArray(width * height * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [r, g, b, a = 255] = color(x, y);
      data.set([r, g, b, a], (y * width + x) * 4);
    }
  }
  return { width, height, data };
}
