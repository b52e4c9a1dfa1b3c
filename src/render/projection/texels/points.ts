/** Packs a unit normal as `packNormal` in `points.wgsl` does. */
export function packNormal(x: number, y: number, z: number): number {
  const sum = Math.max(Math.abs(x) + Math.abs(y) + Math.abs(z), 1e-12);
  let u = x / sum;
  let v = y / sum;
  if (z < 0) [u, v] = [(1 - Math.abs(v)) * (u >= 0 ? 1 : -1), (1 - Math.abs(u)) * (v >= 0 ? 1 : -1)];
  const quantise = (e: number) => Math.round(Math.min(1, Math.max(-1, e)) * 32767) & 0xffff;
  return (quantise(u) | (quantise(v) << 16)) >>> 0;
}

/** Surface points in the layout of `points.wgsl` from positions and normals of 3 floats each. */
export function packPoints(positions: Float32Array, normals: Float32Array): Uint32Array {
  const count = positions.length / 3;
  const out = new Uint32Array(count * 4);
  const floats = new Float32Array(out.buffer);
  for (let i = 0; i < count; i++) {
    floats.set(positions.subarray(i * 3, i * 3 + 3), i * 4);
    out[i * 4 + 3] = packNormal(normals[i * 3], normals[i * 3 + 1], normals[i * 3 + 2]);
  }
  return out;
}
