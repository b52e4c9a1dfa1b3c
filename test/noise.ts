/** Repeatable test data: `count` integers in 0…bound−1 (Marsaglia's xorshift32; fast, for tests only). */
export function noise(count: number, bound = 2 ** 32, seed = 1): Uint32Array {
  const result = new Uint32Array(count);
  let state = (Math.imul(seed, 0x9e3779b9) | 1) >>> 0;
  for (let i = 0; i < count; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    result[i] = Math.floor((state / 2 ** 32) * bound);
  }
  return result;
}
