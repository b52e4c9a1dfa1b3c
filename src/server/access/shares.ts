/** Places that clients hold for a while: a number of all, and no more than a number to each. */
export class Shares {
  private readonly held = new Map<string, number>();
  private count = 0;

  constructor(
    /** Places of all clients together. */
    private readonly most: number,
    /** Places of one client. */
    private readonly mostEach: number,
  ) {}

  /**
   * Takes a place. Answers how to give it back, which may be said twice, or the number that the client, or all (`each`
   * false), hold already.
   */
  take(client: string): (() => void) | { found: number; each: boolean } {
    const own = this.held.get(client) ?? 0;
    if (own >= this.mostEach) return { found: own, each: true };
    if (this.count >= this.most) return { found: this.count, each: false };
    this.held.set(client, own + 1);
    this.count++;
    let given = false;
    return () => {
      if (given) return;
      given = true;
      this.count--;
      const left = (this.held.get(client) ?? 1) - 1;
      if (left > 0) this.held.set(client, left);
      else this.held.delete(client);
    };
  }
}
