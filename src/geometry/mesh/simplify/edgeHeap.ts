/**
 * A binary heap of directed edges, cheapest first; ties by the order of pushing, so that the result is reproducible.
 * Edges lie in slots of plain arrays: there are millions of them.
 */
export class EdgeHeap {
  /** The edge that was popped last. */
  cost = 0;
  from = 0;
  to = 0;
  stamp = 0;

  private capacity = 1 << 16;
  private costs = new Float64Array(this.capacity);
  /** From, to, stamp and order of pushing. */
  private edges = new Uint32Array(4 * this.capacity);
  private heap = new Uint32Array(this.capacity);
  private size = 0;
  private readonly free: number[] = [];
  private pushed = 0;

  push(cost: number, from: number, to: number, stamp: number): void {
    if (this.size === this.capacity) this.grow();
    const slot = this.free.pop() ?? this.size;
    this.costs[slot] = cost;
    const { edges, heap } = this;
    edges[4 * slot] = from;
    edges[4 * slot + 1] = to;
    edges[4 * slot + 2] = stamp;
    edges[4 * slot + 3] = this.pushed++;
    let i = this.size++;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!this.before(slot, heap[parent])) break;
      heap[i] = heap[parent];
      i = parent;
    }
    heap[i] = slot;
  }

  /** Takes out the cheapest edge, which can be read then; false where there is none. */
  pop(): boolean {
    if (this.size === 0) return false;
    const { heap, edges } = this;
    const top = heap[0];
    this.cost = this.costs[top];
    this.from = edges[4 * top];
    this.to = edges[4 * top + 1];
    this.stamp = edges[4 * top + 2];
    this.free.push(top);
    const size = --this.size;
    const last = heap[size];
    let i = 0;
    for (;;) {
      let child = i * 2 + 1;
      if (child >= size) break;
      if (child + 1 < size && this.before(heap[child + 1], heap[child])) child++;
      if (!this.before(heap[child], last)) break;
      heap[i] = heap[child];
      i = child;
    }
    heap[i] = last;
    return true;
  }

  private before(a: number, b: number): boolean {
    const { costs, edges } = this;
    return costs[a] < costs[b] || (costs[a] === costs[b] && edges[4 * a + 3] < edges[4 * b + 3]);
  }

  private grow(): void {
    this.capacity *= 2;
    const { costs, edges, heap } = this;
    this.costs = new Float64Array(this.capacity);
    this.costs.set(costs);
    this.edges = new Uint32Array(4 * this.capacity);
    this.edges.set(edges);
    this.heap = new Uint32Array(this.capacity);
    this.heap.set(heap);
  }
}
