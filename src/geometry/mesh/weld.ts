/** For every vertex the lowest vertex at the same place. */
export function weldMap(positions: Float32Array): Uint32Array {
  const n = positions.length / 3;
  const map = new Uint32Array(n);
  let size = 1;
  while (size < n * 2) size *= 2;
  const head = new Int32Array(size).fill(-1);
  const next = new Int32Array(n).fill(-1);
  // Adding 0 turns −0 into 0, so that both are the same place.
  const canonical = Float32Array.from(positions, (v) => v + 0);
  const bits = new Uint32Array(canonical.buffer);
  for (let i = 0; i < n; i++) {
    const [x, y, z] = [bits[i * 3], bits[i * 3 + 1], bits[i * 3 + 2]];
    const slot = hash(x, y, z) & (size - 1);
    let j = head[slot];
    while (j >= 0 && (bits[j * 3] !== x || bits[j * 3 + 1] !== y || bits[j * 3 + 2] !== z)) j = next[j];
    map[i] = j >= 0 ? j : i;
    if (j >= 0) continue;
    next[i] = head[slot];
    head[slot] = i;
  }
  return map;
}

function hash(a: number, b: number, c: number): number {
  let h = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b) ^ Math.imul(c, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  return (h ^ (h >>> 13)) >>> 0;
}
