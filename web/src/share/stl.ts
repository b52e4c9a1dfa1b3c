import type { Mesh } from '../../../src/core/mesh.js';

/** A mesh as binary STL, for printing: +Z up, as slicers have it. Unit: that of the scene. */
export function stl({ positions, indices }: Mesh): ArrayBuffer {
  const triangles = indices.length / 3;
  const out = new DataView(new ArrayBuffer(84 + triangles * 50));
  'Plinth, +Z up'.split('').forEach((letter, i) => {
    out.setUint8(i, letter.charCodeAt(0));
  });
  out.setUint32(80, triangles, true);
  const corner = (index: number): [number, number, number] => {
    const at = indices[index] * 3;
    return [positions[at], -positions[at + 2], positions[at + 1]];
  };
  for (let t = 0; t < triangles; t++) {
    const [a, b, c] = [corner(t * 3), corner(t * 3 + 1), corner(t * 3 + 2)];
    const [u, v] = [b, c].map((p) => p.map((value, k) => value - a[k]));
    const normal = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
    const length = Math.hypot(...normal) || 1;
    [normal.map((n) => n / length), a, b, c].flat().forEach((value, i) => {
      out.setFloat32(84 + t * 50 + i * 4, value, true);
    });
  }
  return out.buffer;
}
