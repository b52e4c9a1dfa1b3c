/**
 * Normal random numbers as PyTorch's CPU generator draws them from a seed, so that a run can be compared with the
 * reference's: Mersenne twister (Matsumoto & Nishimura 1998), Box and Muller's transform.
 */
export class TorchRandom {
  private readonly state = new Uint32Array(624);
  private next = 624;
  /** The second number of the pair that was drawn last, where it is not used yet. */
  private spare: number | undefined;

  /** @param seed whole; only its low 32 bits count */
  constructor(seed: number) {
    this.state[0] = Number(BigInt(seed) & 0xffffffffn);
    for (let i = 1; i < 624; i++) {
      const previous = this.state[i - 1] ^ (this.state[i - 1] >>> 30);
      this.state[i] = Math.imul(1812433253, previous) + i;
    }
  }

  private uint32(): number {
    if (this.next === 624) this.twist();
    let y = this.state[this.next++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  private twist(): void {
    const { state } = this;
    for (let i = 0; i < 624; i++) {
      const y = (state[i] & 0x80000000) | (state[(i + 1) % 624] & 0x7fffffff);
      state[i] = state[(i + 397) % 624] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.next = 0;
  }

  /** `torch.randn(count)`. Fewer than 16 numbers are drawn one by one, more in blocks of 16. */
  normal(count: number): Float32Array {
    const result = new Float32Array(count);
    if (count < 16) {
      for (let i = 0; i < count; i++) result[i] = this.single();
      return result;
    }
    for (let i = 0; i < count; i++) result[i] = this.uniform24();
    for (let i = 0; i + 16 <= count; i += 16) normalBlock(result.subarray(i, i + 16));
    if (count % 16 !== 0) {
      const tail = result.subarray(count - 16);
      for (let i = 0; i < 16; i++) tail[i] = this.uniform24();
      normalBlock(tail);
    }
    return result;
  }

  private uniform24(): number {
    return (this.uint32() & 0xffffff) * 2 ** -24;
  }

  private uniform53(): number {
    const high = this.uint32();
    return ((high & 0x1fffff) * 2 ** 32 + this.uint32()) * 2 ** -53;
  }

  private single(): number {
    if (this.spare !== undefined) {
      const value = this.spare;
      this.spare = undefined;
      return value;
    }
    const angle = 2 * Math.PI * this.uniform53();
    const radius = Math.sqrt(-2 * Math.log1p(-this.uniform53()));
    this.spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }
}

/** Turns 16 uniform numbers into normal ones, in place: pairs are 8 apart. */
function normalBlock(values: Float32Array): void {
  for (let j = 0; j < 8; j++) {
    const radius = Math.sqrt(-2 * Math.log(1 - values[j]));
    const angle = 2 * Math.PI * values[j + 8];
    values[j] = radius * Math.cos(angle);
    values[j + 8] = radius * Math.sin(angle);
  }
}
