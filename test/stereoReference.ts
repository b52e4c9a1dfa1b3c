/** The stereo's kernels in plain TypeScript, in the order of their WGSL, in 64-bit floats. */
import type { Camera } from '../src/core/camera.js';
import { fromHalf } from '../src/core/halfFloat.js';
import type { StereoLevel } from '../src/geometry/stereo/images.js';
import { projection, relativePose } from '../src/geometry/stereo/pose.js';

export type Vec = number[];
/** A plane: normal and depth along the pixel's ray. */
export type Plane = [number, number, number, number];

const WORST = 2;
const NOTHING = 4;
const LEAST_VARIANCE = 4e-6;
const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const plus = (a: Vec, b: Vec, by = 1): Vec => a.map((v, i) => v + by * b[i]);
const unit = (a: Vec): Vec => a.map((v) => v / Math.hypot(...a));
const cross = (a: Vec, b: Vec): Vec => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];

export interface ReferenceOptions {
  side: number;
  step: number;
  nearest: number;
  farthest: number;
  seed: number;
  round: number;
  reach: number;
  consistency: number;
  hypotheses: number;
}

interface Window {
  value: number[];
  weight: number[];
  total: number;
  middle: number;
}

/** A picture with its sources. */
export class StereoReference {
  planes: Plane[];
  costs: number[];
  private readonly forward: Vec[];
  private readonly back: Vec[];
  private counter = 0;

  constructor(
    private readonly level: StereoLevel,
    private readonly sources: readonly StereoLevel[],
    private readonly options: ReferenceOptions,
    private readonly maps: readonly Uint32Array[] = [],
  ) {
    const count = level.camera.width * level.camera.height;
    this.planes = Array.from({ length: count }, () => [0, 0, 0, 0]);
    this.costs = Array.from({ length: count }, () => NOTHING);
    this.forward = sources.map((s) => projection(level.camera, s.camera));
    this.back = sources.map((s) => projection(s.camera, level.camera));
  }

  ray(x: number, y: number, camera: Camera = this.level.camera): Vec {
    return [(x - camera.cx) / camera.fx, (y - camera.cy) / camera.fy, 1];
  }

  readWindow(x: number, y: number): Window | undefined {
    const { side, step } = this.options;
    const here = texel(this.level, x, y);
    const out: Window = { value: [], weight: [], total: 0, middle: here[0] / Math.max(here[1], 1e-3) };
    const radius = ((side - 1) * step) / 2;
    let [first, second] = [0, 0];
    for (let row = 0; row < side; row++)
      for (let column = 0; column < side; column++) {
        const [dx, dy] = [column * step - radius, row * step - radius];
        const t = texel(this.level, x + dx, y + dy);
        const inside = t[1] > 0.5;
        const value = inside ? t[0] / t[1] - out.middle : 0;
        const weight = inside ? Math.exp(-Math.hypot(dx, dy) * 0.02 - Math.abs(value) * 14) : 0;
        out.value.push(value);
        out.weight.push(weight);
        out.total += weight;
        first += weight * value;
        second += weight * value * value;
      }
    return second * out.total - first * first > LEAST_VARIANCE * out.total ** 2 ? out : undefined;
  }

  inversePlane(plane: ArrayLike<number>, ray: Vec): Vec {
    return [0, 1, 2].map((i) => plane[i] / (plane[3] * dot(plane, ray)));
  }

  matchCost(s: number, m: Vec, ray: Vec, window: Window): number {
    const { side, step } = this.options;
    const p = this.forward[s];
    const source = this.sources[s];
    const { width, height } = source.camera;
    const column = (i: number): Vec => p.slice(i * 4, i * 4 + 3);
    const shift = column(3);
    const base = plus(plus(plus(column(2), column(0), ray[0]), column(1), ray[1]), shift, dot(m, ray));
    if (base[2] <= 0) return WORST;
    const centre = [base[0] / base[2], base[1] / base[2]];
    if (centre[0] < 0.5 || centre[1] < 0.5 || centre[0] > width - 0.5 || centre[1] > height - 0.5) return WORST;
    if (bilinear(source, centre[0], centre[1])[1] < 0.5) return WORST;
    const across = plus(column(0), shift, m[0]).map((v) => (v * step) / this.level.camera.fx);
    const down = plus(column(1), shift, m[1]).map((v) => (v * step) / this.level.camera.fy);
    const sums = [0, 0, 0, 0, 0, 0];
    for (let row = 0; row < side; row++)
      for (let c = 0; c < side; c++) {
        const q = plus(plus(base, down, row - (side - 1) / 2), across, c - (side - 1) / 2);
        const at = [width, height].map((size, i) => Math.max(0.5, Math.min(size - 0.5, q[i] / q[2])));
        const t = bilinear(source, at[0], at[1]);
        const i = row * side + c;
        const weight = t[1] > 0.5 ? window.weight[i] : 0;
        const [r, v] = [window.value[i], t[0] / Math.max(t[1], 0.5) - window.middle];
        [1, r, v, r * r, v * v, r * v].forEach((term, k) => {
          sums[k] += weight * term;
        });
      }
    const [w, r, v, rr, vv, rv] = sums;
    if (w <= 0.5 * window.total) return WORST;
    const [varianceR, varianceS] = [rr * w - r * r, vv * w - v * v];
    if (varianceR <= LEAST_VARIANCE * w * w || varianceS <= LEAST_VARIANCE * w * w) return WORST;
    return Math.max(0, Math.min(WORST, 1 - (rv * w - r * v) / Math.sqrt(varianceR * varianceS)));
  }

  /** What the source has where it sees the point: pixels and depth in the reference, its normal, its place. */
  lookUp(s: number, ray: Vec, depth: number): { back: Vec; normal: Vec; at: Vec } | undefined {
    const q = apply(this.forward[s], ray, depth);
    if (q[2] <= 0) return undefined;
    const at = [q[0] / q[2], q[1] / q[2]];
    const camera = this.sources[s].camera;
    if (at[0] < 0 || at[1] < 0 || at[0] >= camera.width || at[1] >= camera.height) return undefined;
    const [x, y] = at.map(Math.floor);
    const word = (y * camera.width + x) * 2;
    const found = new Float32Array(this.maps[s].buffer, word * 4, 1)[0];
    if (found <= 0) return undefined;
    const bits = new Int16Array(this.maps[s].buffer, word * 4 + 4, 2);
    const [nx, ny] = [bits[0] / 32767, bits[1] / 32767];
    const normal = [nx, ny, -Math.sqrt(Math.max(0, 1 - nx * nx - ny * ny))];
    const slant =
      dot(normal, this.ray(x + 0.5, y + 0.5, camera)) / Math.min(-1e-6, dot(normal, this.ray(at[0], at[1], camera)));
    const here = found * Math.max(0.9, Math.min(1.1, slant));
    const b = apply(this.back[s], this.ray(at[0], at[1], camera), here);
    return b[2] > 0 ? { back: [b[0] / b[2], b[1] / b[2], b[2]], normal, at } : undefined;
  }

  private geometricCost(s: number, ray: Vec, depth: number, x: number, y: number): number {
    const { consistency } = this.options;
    if (consistency === 0) return 0;
    const seen = this.lookUp(s, ray, depth);
    return consistency * Math.min(3, seen ? Math.hypot(seen.back[0] - x - 0.5, seen.back[1] - y - 0.5) : 3);
  }

  private seedRandom(at: number): void {
    this.counter = hash((hash((hash(this.options.seed) ^ at) >>> 0) + this.options.round) >>> 0);
  }

  private random(): number {
    this.counter = hash(this.counter);
    return (this.counter >>> 8) / 16777216;
  }

  private randomNormal(ray: Vec): Vec {
    const z = 0.25 + 0.75 * this.random();
    const angle = 6.2831853 * this.random();
    const towards = unit(ray).map((v) => -v);
    const side = unit(cross(towards, [0, 1, 0]));
    const up = cross(towards, side);
    const r = Math.sqrt(1 - z * z);
    return towards.map((v, i) => v * z + (side[i] * Math.cos(angle) + up[i] * Math.sin(angle)) * r);
  }

  private varied(normal: Vec, by: number, ray: Vec): Vec {
    const offset = [this.random(), this.random(), this.random()].map((v) => 2 * v - 1);
    const n = unit(plus(normal, offset, by));
    return dot(n, ray) < -0.1 * Math.hypot(...ray) ? n : normal;
  }

  private inverseBetween(share: number): number {
    const { nearest, farthest } = this.options;
    return 1 / ((1 - share) / farthest + share / nearest);
  }

  start(): void {
    const { hypotheses } = this.options;
    for (const pixel of this.level.pixels) {
      const [x, y] = [pixel & 0xffff, pixel >>> 16];
      const at = y * this.level.camera.width + x;
      const window = this.readWindow(x, y);
      if (!window) {
        this.costs[at] = WORST;
        continue;
      }
      const ray = this.ray(x + 0.5, y + 0.5);
      const firstCost = (plane: Plane): number => {
        const m = this.inversePlane(plane, ray);
        const costs = this.sources.map((_, s) => this.matchCost(s, m, ray, window)).sort((a, b) => a - b);
        return costs.length === 1 ? costs[0] : (costs[0] + costs[1]) / 2;
      };
      this.seedRandom(at);
      let cost = this.planes[at][3] > 0 ? firstCost(this.planes[at]) : NOTHING;
      for (let k = 0; k < hypotheses; k++) {
        const share = (k + this.random()) / hypotheses;
        const plane = [...this.randomNormal(ray), this.inverseBetween(share)] as Plane;
        const tried = firstCost(plane);
        if (tried >= cost) continue;
        cost = tried;
        this.planes[at] = plane;
      }
      this.costs[at] = cost;
    }
  }

  /** One colour of the chequerboard: pixels whose x + y has this parity. */
  sweep(parity: number): void {
    for (const pixel of this.level.pixels) {
      const [x, y] = [pixel & 0xffff, pixel >>> 16];
      if (((x + y) & 1) === parity) this.sweepPixel(x, y);
    }
  }

  private sweepPixel(x: number, y: number): void {
    const { reach, hypotheses, round, nearest, farthest } = this.options;
    const { width } = this.level.camera;
    const at = y * width + x;
    const window = this.readWindow(x, y);
    if (!window) return;
    const ray = this.ray(x + 0.5, y + 0.5);
    this.seedRandom(at);
    const candidates: (Plane | undefined)[] = [this.planes[at][3] > 0 ? this.planes[at] : undefined];
    for (let region = 0; region < 8; region++) candidates.push(this.candidate(region, x, y, ray));
    const good = 0.8 * Math.exp(-(round * round) / 90);
    const table: number[][] = [];
    let weights = this.sources.map((_, s) => {
      table[s] = candidates.map((c) => (c ? this.matchCost(s, this.inversePlane(c, ray), ray, window) : Number.NaN));
      const goods = table[s].filter((c) => c < good);
      const bads = table[s].filter((c) => c >= good && c > 1.2).length;
      if (goods.length >= 2) return goods.reduce((sum, c) => sum + Math.exp(-c * c * 5.5555556), 0) / goods.length;
      return bads < 3 ? Math.exp(-good * good * 5.5555556) : 0;
    });
    if (!weights.some((w) => w > 0)) weights = weights.map(() => 1);
    const total = weights.reduce((a, b) => a + b, 0);
    const weighed = (of: (s: number) => number): number =>
      weights.reduce((sum, w, s) => (w > 0 ? sum + w * of(s) : sum), 0) / total;
    let best: Plane = [0, 0, 0, 0];
    let cost = NOTHING;
    candidates.forEach((candidate, c) => {
      if (!candidate) return;
      const tried = weighed((s) => table[s][c] + this.geometricCost(s, ray, candidate[3], x, y));
      if (tried >= cost) return;
      cost = tried;
      best = candidate;
    });
    for (let k = 0; k < hypotheses; k++) {
      let plane = [...best] as Plane;
      const normal = best.slice(0, 3);
      const anyDepth = best[3] <= 0 || k === 4;
      if (anyDepth) plane = [...this.randomNormal(ray), this.inverseBetween(this.random())] as Plane;
      else if (k === 0)
        plane = [...this.varied(normal, 0.2, ray), best[3] * (1 + reach * (2 * this.random() - 1))] as Plane;
      else if (k === 1) plane = [...this.varied(normal, 0.4, ray), best[3]] as Plane;
      else if (k === 2) plane[3] = best[3] * (1 + 0.2 * reach * (2 * this.random() - 1));
      else plane = [...this.randomNormal(ray), best[3]] as Plane;
      if (plane[3] < nearest || plane[3] > farthest) continue;
      const m = this.inversePlane(plane, ray);
      const tried = weighed((s) => this.matchCost(s, m, ray, window) + this.geometricCost(s, ray, plane[3], x, y));
      if (tried >= cost) continue;
      cost = tried;
      best = plane;
    }
    this.planes[at] = best;
    this.costs[at] = cost;
  }

  /** The plane of the best pixel of a region, at this pixel's ray. */
  private candidate(region: number, x: number, y: number, ray: Vec): Plane | undefined {
    const { width, height } = this.level.camera;
    const [ax, ay] = [
      [0, -1],
      [0, 1],
      [-1, 0],
      [1, 0],
    ][region & 3];
    const places: [number, number][] = [];
    if (region < 4) {
      places.push([ax, ay]);
      for (let i = 1; i < 4; i++)
        for (const side of [-i, i]) places.push([ax * (1 + i) + side * ay, ay * (1 + i) + side * ax]);
    } else {
      for (let i = 1; i < 12; i++) places.push([ax * (1 + 2 * i), ay * (1 + 2 * i)]);
    }
    let best: { cost: number; x: number; y: number } = { cost: NOTHING, x: -1, y: -1 };
    for (const [dx, dy] of places) {
      const [px, py] = [x + dx, y + dy];
      if (px < 0 || py < 0 || px >= width || py >= height) continue;
      const cost = this.costs[py * width + px];
      if (cost < best.cost) best = { cost, x: px, y: py };
    }
    if (best.x < 0) return undefined;
    const plane = this.planes[best.y * width + best.x];
    if (plane[3] <= 0) return undefined;
    const depth = 1 / dot(this.inversePlane(plane, this.ray(best.x + 0.5, best.y + 0.5)), ray);
    if (depth < this.options.nearest || depth > this.options.farthest || dot(plane, ray) >= 0) return undefined;
    return [plane[0], plane[1], plane[2], depth];
  }

  /** Depth, accuracy, number of sources that agree and their error, for one pixel; zeros where as many contradict. */
  agree(x: number, y: number): Plane {
    const plane = this.planes[y * this.level.camera.width + x];
    if (plane[3] <= 0) return [0, 0, 0, 0];
    const ray = this.ray(x + 0.5, y + 0.5);
    let [count, against, errors, evidence, depths] = [0, 0, 0, 0, 0];
    for (let s = 0; s < this.sources.length; s++) {
      const seen = this.lookUp(s, ray, plane[3]);
      if (!seen) continue;
      const farther = seen.back[2] / plane[3] - 1;
      if (Math.abs(farther) > 0.01 && farther > -0.05) against++;
      const error = Math.hypot(seen.back[0] - x - 0.5, seen.back[1] - y - 0.5);
      if (error > 1 || Math.abs(seen.back[2] - plane[3]) > 0.01 * plane[3]) continue;
      const { turn } = relativePose(this.level.camera, this.sources[s].camera);
      const normal = [0, 1, 2].map((r) => turn[r] * plane[0] + turn[3 + r] * plane[1] + turn[6 + r] * plane[2]);
      if (dot(normal, seen.normal) < Math.cos(Math.PI / 18)) continue;
      const place = (depth: number): Vec => {
        const q = apply(this.forward[s], ray, depth);
        return [q[0] / q[2], q[1] / q[2]];
      };
      const h = 1e-5 * plane[3];
      const [near, far] = [place(plane[3] - h), place(plane[3] + h)];
      const weight = ((far[0] - near[0]) / (2 * h)) ** 2 + ((far[1] - near[1]) / (2 * h)) ** 2;
      count++;
      errors += error * error;
      evidence += weight;
      depths += seen.back[2] * weight;
    }
    if (count <= against || evidence <= 0) return [0, 0, 0, 0];
    const error = Math.sqrt(errors / count);
    const depth = plane[3] + ((depths / evidence - plane[3]) * count) / (count + 1);
    return [depth, (0.1 + 0.5 * error) / Math.sqrt(evidence / count), count, error];
  }
}

function apply(p: Vec, ray: Vec, depth: number): Vec {
  return [0, 1, 2].map((r) => (p[r] * ray[0] + p[4 + r] * ray[1] + p[8 + r]) * depth + p[12 + r]);
}

function texel({ camera, texels }: StereoLevel, x: number, y: number): [number, number] {
  if (x < 0 || y < 0 || x >= camera.width || y >= camera.height) return [0, 0];
  const at = (y * camera.width + x) * 2;
  return [fromHalf(texels[at]), fromHalf(texels[at + 1])];
}

function bilinear(level: StereoLevel, x: number, y: number): [number, number] {
  const [left, top] = [Math.floor(x - 0.5), Math.floor(y - 0.5)];
  const [tx, ty] = [x - 0.5 - left, y - 0.5 - top];
  const out: [number, number] = [0, 0];
  for (const [dx, dy] of [
    [0, 0],
    [1, 0],
    [0, 1],
    [1, 1],
  ]) {
    const weight = (dx ? tx : 1 - tx) * (dy ? ty : 1 - ty);
    const t = texel(level, left + dx, top + dy);
    out[0] += weight * t[0];
    out[1] += weight * t[1];
  }
  return out;
}

/** PCG's output permutation as a hash (Jarzynski & Olano 2020). */
function hash(v: number): number {
  const state = (Math.imul(v, 747796405) + 2891336453) >>> 0;
  const word = Math.imul((state >>> ((state >>> 28) + 4)) ^ state, 277803737) >>> 0;
  return ((word >>> 22) ^ word) >>> 0;
}
