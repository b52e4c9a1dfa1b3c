/** A binary heap of (triangle, piece), cheapest first; ties by the order of pushing. */
export class TriangleHeap {
  /** Of the entry that was taken last. */
  triangle = -1;
  piece = -1;

  private cost = new Float64Array(1024);
  private order = new Uint32Array(1024);
  private triangles = new Int32Array(1024);
  private pieces = new Int32Array(1024);
  private size = 0;
  private pushed = 0;

  push(cost: number, triangle: number, piece: number): void {
    if (this.size === this.cost.length) this.enlarge();
    const order = this.pushed++;
    let i = this.size++;
    // Nothing that is above was pushed later, so only a dearer one makes way.
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (this.cost[parent] <= cost) break;
      this.move(parent, i);
      i = parent;
    }
    this.put(i, cost, order, triangle, piece);
  }

  /** Takes the first entry, into `triangle` and `piece`; false where there is none. */
  pop(): boolean {
    if (this.size === 0) return false;
    this.triangle = this.triangles[0];
    this.piece = this.pieces[0];
    const last = --this.size;
    const cost = this.cost[last];
    const order = this.order[last];
    let i = 0;
    for (;;) {
      let child = i * 2 + 1;
      if (child >= last) break;
      if (child + 1 < last && this.less(child + 1, this.cost[child], this.order[child])) child++;
      if (!this.less(child, cost, order)) break;
      this.move(child, i);
      i = child;
    }
    this.put(i, cost, order, this.triangles[last], this.pieces[last]);
    return true;
  }

  private less(a: number, cost: number, order: number): boolean {
    return this.cost[a] < cost || (this.cost[a] === cost && this.order[a] < order);
  }

  private move(from: number, to: number): void {
    this.put(to, this.cost[from], this.order[from], this.triangles[from], this.pieces[from]);
  }

  private put(at: number, cost: number, order: number, triangle: number, piece: number): void {
    this.cost[at] = cost;
    this.order[at] = order;
    this.triangles[at] = triangle;
    this.pieces[at] = piece;
  }

  private enlarge(): void {
    const larger = <T extends Float64Array | Uint32Array | Int32Array>(old: T, made: T): T => {
      made.set(old);
      return made;
    };
    const size = this.size * 2;
    this.cost = larger(this.cost, new Float64Array(size));
    this.order = larger(this.order, new Uint32Array(size));
    this.triangles = larger(this.triangles, new Int32Array(size));
    this.pieces = larger(this.pieces, new Int32Array(size));
  }
}
