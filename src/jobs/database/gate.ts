/** Lets so many through at the same time; others wait in the order in which they came. */
export class Gate {
  private inside = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(private readonly width: number) {}

  async through<T>(work: () => Promise<T>): Promise<T> {
    if (this.inside >= this.width) await new Promise<void>((enter) => this.waiting.push(enter));
    else this.inside++;
    try {
      return await work();
    } finally {
      // Whoever waits longest takes the place over.
      const next = this.waiting.shift();
      if (next) next();
      else this.inside--;
    }
  }
}
