/** Seeded random numbers (PCG32, O'Neill 2014): the same seed gives the same sequence on every machine. */
export class Random {
  private state: bigint;
  private readonly increment: bigint;

  constructor(seed: number, stream = 1) {
    this.increment = (BigInt(stream) << 1n) | 1n;
    this.state = 0n;
    this.uint32();
    this.state = BigInt.asUintN(64, this.state + BigInt(Math.trunc(seed)));
    this.uint32();
  }

  /** An integer in 0…2³²−1. */
  uint32(): number {
    const old = this.state;
    this.state = BigInt.asUintN(64, old * 6364136223846793005n + this.increment);
    const shifted = Number(BigInt.asUintN(32, ((old >> 18n) ^ old) >> 27n));
    const rotation = Number(old >> 59n);
    return ((shifted >>> rotation) | (shifted << (-rotation & 31))) >>> 0;
  }

  /** A float in [0, 1). */
  float(): number {
    return this.uint32() / 4294967296;
  }

  /** An integer in 0…n−1. */
  integer(n: number): number {
    return Math.floor(this.float() * n);
  }

  /** A normal deviate with mean 0 and deviation 1 (Box–Muller). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.float())) * Math.cos(2 * Math.PI * this.float());
  }
}
