/**
 * The sinusoids of diffusion times (Ho et al. 2020, as DiT writes them): cosines, then sines, of t · 10000^(−k/half).
 * The product is rounded to f32 before the function is taken, as the published networks were trained.
 * @param t 0…1000
 * @param size even; 256 in the networks here
 */
export function timestepEmbedding(t: number, size: number): Float32Array {
  const half = size / 2;
  const result = new Float32Array(size);
  for (let k = 0; k < half; k++) {
    const frequency = Math.fround(Math.exp(Math.fround(Math.fround(-Math.log(10000) * k) / half)));
    const angle = Math.fround(Math.fround(t) * frequency);
    result[k] = Math.cos(angle);
    result[half + k] = Math.sin(angle);
  }
  return result;
}

/**
 * Absolute positions of voxels, `channels` numbers for each: for x, y and z in turn the sines, then cosines, of
 * coordinate · 10000^(−k/n) with n = ⌊channels/6⌋; zeros fill the rest.
 * @param coords x, y, z of each voxel
 */
export function voxelEmbedding(coords: Int32Array, channels: number): Float32Array {
  const n = Math.floor(Math.floor(channels / 3) / 2);
  const rows = coords.length / 3;
  const result = new Float32Array(rows * channels);
  const frequencies = Float32Array.from({ length: n }, (_, k) => 10000 ** -Math.fround(k / n));
  // A grid has few coordinates and a network many voxels, so each sinusoid is taken once.
  const lines = new Map<number, Float32Array>();
  for (let row = 0; row < rows; row++) {
    for (let axis = 0; axis < 3; axis++) {
      const coordinate = coords[row * 3 + axis];
      let line = lines.get(coordinate);
      if (!line) {
        line = new Float32Array(2 * n);
        for (let k = 0; k < n; k++) {
          const angle = Math.fround(coordinate * frequencies[k]);
          line[k] = Math.sin(angle);
          line[n + k] = Math.cos(angle);
        }
        lines.set(coordinate, line);
      }
      result.set(line, row * channels + axis * 2 * n);
    }
  }
  return result;
}
