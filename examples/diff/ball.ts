import type { Mesh } from 'plinth';

/** A ball of radius 1 with latitude–longitude coordinates, and its tangents along longitude. */
export function ball(rows = 24): Mesh {
  const columns = rows * 2;
  const positions: number[] = [];
  const uvs: number[] = [];
  const tangents: number[] = [];
  const indices: number[] = [];
  for (let y = 0; y <= rows; y++) {
    for (let x = 0; x <= columns; x++) {
      const [p, a] = [(y / rows) * Math.PI, ((x % columns) / columns) * 2 * Math.PI];
      const s = y === 0 || y === rows ? 0 : Math.sin(p);
      positions.push(s * Math.sin(a), Math.cos(p), s * Math.cos(a));
      tangents.push(Math.cos(a), 0, -Math.sin(a), 1);
      uvs.push(x / columns, y / rows);
      if (x === columns || y === rows) continue;
      const v = y * (columns + 1) + x;
      if (y < rows - 1) indices.push(v + 1, v + columns + 1, v + columns + 2);
      if (y > 0) indices.push(v, v + columns + 1, v + 1);
    }
  }
  return {
    positions: Float32Array.from(positions),
    uvs: Float32Array.from(uvs),
    tangents: Float32Array.from(tangents),
    indices: Uint32Array.from(indices),
  };
}
