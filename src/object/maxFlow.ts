/** Steps to the eight neighbours of a pixel; a direction and its opposite differ in the last bit. */
const STEP_X = [1, -1, 0, 0, 1, -1, 1, -1];
const STEP_Y = [0, 0, 1, -1, 1, -1, -1, 1];
const TERMINAL = 8;
const ORPHAN = 9;
const NONE = 10;
const FREE = 0;
const SOURCE = 1;
const SINK = 2;

/**
 * Minimum cut of a grid of pixels, each joined with its eight neighbours, by the algorithm of Boykov and Kolmogorov
 * (2004): two search trees that are kept from path to path. Whole numbers, so that the cut is exact.
 */
export class GridCut {
  /** Capacity left of the arc to each neighbour: `arcs[pixel * 8 + direction]`. */
  private readonly arcs: Int32Array;
  /** Capacity left from the source where positive, to the sink where negative. */
  private readonly terminal: Int32Array;
  private readonly tree: Uint8Array;
  /** Direction to the parent in the tree. */
  private readonly parent: Uint8Array;
  private readonly stamp: Int32Array;
  private readonly distance: Int32Array;
  private readonly nextActive: Int32Array;
  private readonly orphans: number[] = [];
  private readonly offsets: number[];
  private first = -1;
  private last = -1;
  private time = 0;

  constructor(
    readonly width: number,
    readonly height: number,
  ) {
    const count = width * height;
    this.arcs = new Int32Array(count * 8);
    this.terminal = new Int32Array(count);
    this.tree = new Uint8Array(count);
    this.parent = new Uint8Array(count).fill(NONE);
    this.stamp = new Int32Array(count);
    this.distance = new Int32Array(count);
    this.nextActive = new Int32Array(count).fill(-1);
    this.offsets = STEP_X.map((dx, d) => dx + STEP_Y[d] * width);
  }

  /**
   * @param object cost of calling the pixel background, whole and not negative
   * @param ground cost of calling it object
   */
  setCosts(pixel: number, object: number, ground: number): void {
    this.terminal[pixel] = object - ground;
  }

  /** Joins a pixel with its neighbour to the right (0), below (2), right below (4), right above (6). */
  join(pixel: number, direction: 0 | 2 | 4 | 6, cost: number): void {
    this.arcs[pixel * 8 + direction] = cost;
    this.arcs[(pixel + this.offsets[direction]) * 8 + direction + 1] = cost;
  }

  /** 1 for pixels on the object's side of the minimum cut. Use once. */
  solve(): Uint8Array {
    const { tree, terminal } = this;
    for (let p = 0; p < tree.length; p++) {
      if (terminal[p] === 0) continue;
      tree[p] = terminal[p] > 0 ? SOURCE : SINK;
      this.parent[p] = TERMINAL;
      this.distance[p] = 1;
      this.activate(p);
    }
    let current = -1;
    for (;;) {
      let p = current;
      if (p < 0 || tree[p] === FREE) p = this.popActive();
      if (p < 0) break;
      const found = this.grow(p);
      if (found < 0) {
        current = -1;
        continue;
      }
      current = p;
      this.time++;
      this.augment(found);
      this.adopt();
    }
    const inside = new Uint8Array(tree.length);
    for (let p = 0; p < inside.length; p++) inside[p] = tree[p] === SOURCE ? 1 : 0;
    return inside;
  }

  private activate(p: number): void {
    if (this.nextActive[p] >= 0) return;
    if (this.last >= 0) this.nextActive[this.last] = p;
    else this.first = p;
    this.last = p;
    // The last one points to itself.
    this.nextActive[p] = p;
  }

  private popActive(): number {
    while (this.first >= 0) {
      const p = this.first;
      const next = this.nextActive[p];
      this.nextActive[p] = -1;
      if (next === p) {
        this.first = -1;
        this.last = -1;
      } else this.first = next;
      if (this.tree[p] !== FREE) return p;
    }
    return -1;
  }

  private inside(p: number, d: number): boolean {
    const x = (p % this.width) + STEP_X[d];
    const y = Math.floor(p / this.width) + STEP_Y[d];
    return x >= 0 && y >= 0 && x < this.width && y < this.height;
  }

  /** Lets a tree grow from a pixel. Returns the arc, from the source's tree to the sink's, where they meet, or −1. */
  private grow(p: number): number {
    const { arcs, tree, parent, distance, stamp, offsets } = this;
    const own = tree[p];
    for (let d = 0; d < 8; d++) {
      // Arcs out of the grid have no capacity, but their opposite's index may belong to another row.
      if (own === SOURCE ? arcs[p * 8 + d] <= 0 : !this.inside(p, d)) continue;
      const q = p + offsets[d];
      if (own === SINK && arcs[q * 8 + (d ^ 1)] <= 0) continue;
      if (tree[q] === FREE) {
        tree[q] = own;
        parent[q] = d ^ 1;
        distance[q] = distance[p] + 1;
        stamp[q] = stamp[p];
        this.activate(q);
      } else if (tree[q] !== own) return own === SOURCE ? p * 8 + d : q * 8 + (d ^ 1);
      else if (stamp[q] <= stamp[p] && distance[q] > distance[p]) {
        parent[q] = d ^ 1;
        stamp[q] = stamp[p];
        distance[q] = distance[p] + 1;
      }
    }
    return -1;
  }

  /** Sends as much as fits along the path through an arc. */
  private augment(arc: number): void {
    const { arcs, parent, offsets, terminal } = this;
    const from = arc >> 3;
    const to = from + offsets[arc & 7];
    let most = arcs[arc];
    let p = from;
    for (; parent[p] !== TERMINAL; p += offsets[parent[p]]) {
      const up = parent[p];
      most = Math.min(most, arcs[(p + offsets[up]) * 8 + (up ^ 1)]);
    }
    most = Math.min(most, terminal[p]);
    let q = to;
    for (; parent[q] !== TERMINAL; q += offsets[parent[q]]) most = Math.min(most, arcs[q * 8 + parent[q]]);
    most = Math.min(most, -terminal[q]);

    arcs[arc] -= most;
    arcs[to * 8 + ((arc & 7) ^ 1)] += most;
    for (p = from; parent[p] !== TERMINAL; ) {
      const up = parent[p];
      const above = p + offsets[up];
      arcs[p * 8 + up] += most;
      arcs[above * 8 + (up ^ 1)] -= most;
      if (arcs[above * 8 + (up ^ 1)] === 0) this.orphan(p);
      p = above;
    }
    terminal[p] -= most;
    if (terminal[p] === 0) this.orphan(p);
    for (q = to; parent[q] !== TERMINAL; ) {
      const up = parent[q];
      const above = q + offsets[up];
      arcs[above * 8 + (up ^ 1)] += most;
      arcs[q * 8 + up] -= most;
      if (arcs[q * 8 + up] === 0) this.orphan(q);
      q = above;
    }
    terminal[q] += most;
    if (terminal[q] === 0) this.orphan(q);
  }

  private orphan(p: number): void {
    this.parent[p] = ORPHAN;
    this.orphans.push(p);
  }

  /** Steps from a pixel to its tree's terminal, or −1 where the way ends at an orphan. Stamps what it passes. */
  private rootDistance(from: number): number {
    const { parent, stamp, distance, offsets, time } = this;
    let steps = 0;
    let p = from;
    for (;;) {
      if (stamp[p] === time) {
        steps += distance[p];
        break;
      }
      const up = parent[p];
      steps++;
      if (up === TERMINAL) {
        stamp[p] = time;
        distance[p] = 1;
        break;
      }
      if (up >= ORPHAN) return -1;
      p += offsets[up];
    }
    let left = steps;
    for (p = from; stamp[p] !== time; p += offsets[parent[p]]) {
      stamp[p] = time;
      distance[p] = left--;
    }
    return steps;
  }

  private adopt(): void {
    const { arcs, tree, parent, stamp, distance, offsets, orphans, time } = this;
    for (let k = 0; k < orphans.length; k++) {
      const p = orphans[k];
      const own = tree[p];
      let best = NONE;
      let nearest = 0x7fffffff;
      for (let d = 0; d < 8; d++) {
        if (!this.inside(p, d)) continue;
        const q = p + offsets[d];
        if (tree[q] !== own || parent[q] === NONE) continue;
        // What flows towards p in the source's tree, away from it in the sink's.
        if ((own === SOURCE ? arcs[q * 8 + (d ^ 1)] : arcs[p * 8 + d]) <= 0) continue;
        const steps = this.rootDistance(q);
        if (steps >= 0 && steps < nearest) {
          nearest = steps;
          best = d;
        }
      }
      if (best !== NONE) {
        parent[p] = best;
        stamp[p] = time;
        distance[p] = nearest + 1;
        continue;
      }
      for (let d = 0; d < 8; d++) {
        if (!this.inside(p, d)) continue;
        const q = p + offsets[d];
        if (tree[q] !== own) continue;
        if ((own === SOURCE ? arcs[q * 8 + (d ^ 1)] : arcs[p * 8 + d]) > 0) this.activate(q);
        const up = parent[q];
        if (up < TERMINAL && q + offsets[up] === p) this.orphan(q);
      }
      tree[p] = FREE;
      parent[p] = NONE;
    }
    orphans.length = 0;
  }
}
