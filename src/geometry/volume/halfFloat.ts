const scratch = new Float32Array(1);
const bits = new Uint32Array(scratch.buffer);

/** The IEEE 754 binary16 bits nearest to a number; numbers too large become the largest finite one, too small ones zero. */
export function toHalf(value: number): number {
  scratch[0] = Math.max(-65504, Math.min(65504, value));
  const sign = (bits[0] >>> 16) & 0x8000;
  // Rounds at the 10th bit of the mantissa; a carry into the exponent is right as it is.
  const rounded = (bits[0] & 0x7fffffff) + 0xfff + ((bits[0] >>> 13) & 1);
  const exponent = (rounded >>> 23) - 112;
  if (exponent <= 0) return sign;
  return sign | (exponent << 10) | ((rounded >>> 13) & 0x3ff);
}

/** Two numbers in one word, as WGSL's `pack2x16float`. */
export const packHalves = (low: number, high: number): number => (toHalf(low) | (toHalf(high) << 16)) >>> 0;
