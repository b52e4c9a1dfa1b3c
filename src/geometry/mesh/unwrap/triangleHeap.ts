/** A binary heap of (triangle, piece), cheapest first; ties by the order of pushing. */
export class TriangleHeap {
  private readonly cost: number[] = [];
  private readonly entry: [number, number][] = [];
  private readonly order: number[] = [];
  private pushed = 0;

  push(cost: number, triangle: number, piece: number): void {
    let i = this.cost.push(cost) - 1;
    this.entry.push([triangle, piece]);
    this.order.push(this.pushed++);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!this.less(i, parent)) break;
      this.swap(i, parent);
      i = parent;
    }
  }

  pop(): [number, number] | undefined {
    if (this.cost.length === 0) return undefined;
    this.swap(0, this.cost.length - 1);
    this.cost.pop();
    this.order.pop();
    const top = this.entry.pop()!;
    const n = this.cost.length;
    for (let i = 0; ; ) {
      let child = i * 2 + 1;
      if (child >= n) break;
      if (child + 1 < n && this.less(child + 1, child)) child++;
      if (!this.less(child, i)) break;
      this.swap(i, child);
      i = child;
    }
    return top;
  }

  private less(a: number, b: number): boolean {
    return this.cost[a] < this.cost[b] || (this.cost[a] === this.cost[b] && this.order[a] < this.order[b]);
  }

  private swap(a: number, b: number): void {
    for (const list of [this.cost, this.order]) [list[a], list[b]] = [list[b], list[a]];
    [this.entry[a], this.entry[b]] = [this.entry[b], this.entry[a]];
  }
}
