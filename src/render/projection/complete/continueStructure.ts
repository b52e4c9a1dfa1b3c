import { smoothstep } from '../../../core/math.js';
import { pause } from '../../../core/pause.js';

/** Alpha of texels inside a chart: in-painted, and seen (see encode.wgsl). */
const INPAINTED = 2;
const SEEN = 3;
/** Seen texels this near to unseen ones are filled anew: what little is seen of them is mixed with the smooth fill. */
const MARGIN = 2;
/** Radius in texels of the neighbourhood that a texel is filled from. */
const RADIUS = 5;
/** Radius of the window that the direction of structures is taken from, and its step. */
const WINDOW = 8;
const WINDOW_STEP = 2;
/** Sharpness of the transport along structures (κ of the paper). */
const SHARPNESS = 25;
/** Mean squared gradient, in 8-bit steps, below which there is no structure but noise. */
const NOISE = 16;
const TEXELS_PER_TURN = 20_000;
/**
 * Colours that have come a longer way than the shortest from what was seen are worth less, by e for this many texels:
 * else a dark corner at the end of a long narrow place would be drawn along its whole middle.
 */
const DETOUR = 3;
/** Costs of a straight and a diagonal step in the distance from what is seen, and the unit of `reach`. */
const STRAIGHT = 5;
const DIAGONAL = 7;

const FILL = 1;
const KNOWN = 2;

/**
 * Continues stripes and edges from what was seen into narrow unseen places of a texture, such as the shadow of a
 * handle, where a smooth fill would be seen as a smear: texels are filled in the order of their distance, each from
 * known texels along the direction of the structures around it (coherence transport, Bornemann & März 2007). Beyond
 * half of `reach` this gives way to the colours that are there.
 * @param pixels RGBA with states in alpha, in place
 * @param reach greatest distance from what was seen, in texels
 * @throws CANCELLED
 */
export async function continueStructure(
  pixels: Uint8Array,
  width: number,
  height: number,
  reach: number,
  signal?: AbortSignal,
): Promise<void> {
  const state = statesOf(pixels, width, height);
  const { order, distance } = fromSeen(state, width, height, reach);
  const smooth = new Uint8Array(order.length * 3);
  const ways = new Map<number, number>();
  for (const [k, i] of order.entries()) {
    for (let c = 0; c < 3; c++) smooth[k * 3 + c] = pixels[i * 4 + c];
    const across = acrossStructure(pixels, state, width, height, i);
    const sources = sourcesOf(state, width, height, i, across, (j) => (ways.get(j) ?? 0) - distance[k]);
    let way = 0;
    const color = [0, 0, 0];
    for (const [j, weight, length] of sources) {
      for (let c = 0; c < 3; c++) color[c] += weight * pixels[j * 4 + c];
      way += weight * ((ways.get(j) ?? 0) + length);
    }
    for (let c = 0; c < 3; c++) pixels[i * 4 + c] = Math.round(color[c]);
    ways.set(i, way);
    state[i] = KNOWN;
    if (k % TEXELS_PER_TURN === TEXELS_PER_TURN - 1) {
      await pause(signal);
    }
  }
  for (const [k, i] of order.entries()) {
    const s = smoothstep(reach / 2, reach, distance[k]);
    for (let c = 0; c < 3; c++) pixels[i * 4 + c] += Math.round(s * (smooth[k * 3 + c] - pixels[i * 4 + c]));
  }
}

/** `KNOWN`, `FILL`, or 0 outside of charts. */
function statesOf(pixels: Uint8Array, width: number, height: number): Uint8Array {
  const state = new Uint8Array(width * height);
  for (let i = 0; i < state.length; i++) {
    const alpha = pixels[i * 4 + 3];
    state[i] = alpha === SEEN ? KNOWN : alpha === INPAINTED ? FILL : 0;
  }
  for (let i = 0; i < state.length; i++) {
    if (pixels[i * 4 + 3] !== INPAINTED) continue;
    const [x, y] = [i % width, Math.floor(i / width)];
    for (let v = Math.max(0, y - MARGIN); v <= Math.min(height - 1, y + MARGIN); v++) {
      for (let u = Math.max(0, x - MARGIN); u <= Math.min(width - 1, x + MARGIN); u++) {
        if (state[v * width + u] === KNOWN) state[v * width + u] = FILL;
      }
    }
  }
  return state;
}

/**
 * The texels to fill in the order of their distance from known ones (Dial's algorithm), with that distance in texels.
 */
function fromSeen(
  state: Uint8Array,
  width: number,
  height: number,
  reach: number,
): { order: number[]; distance: number[] } {
  const limit = Math.ceil(reach * STRAIGHT);
  const best = new Map<number, number>();
  const buckets: number[][] = Array.from({ length: limit + 1 }, () => []);
  const visit = (from: number, cost: number) => {
    const [x, y] = [from % width, Math.floor(from / width)];
    for (let v = Math.max(0, y - 1); v <= Math.min(height - 1, y + 1); v++) {
      for (let u = Math.max(0, x - 1); u <= Math.min(width - 1, x + 1); u++) {
        const to = v * width + u;
        if (state[to] !== FILL) continue;
        const d = cost + (u === x || v === y ? STRAIGHT : DIAGONAL);
        if (d > limit || d >= (best.get(to) ?? Number.POSITIVE_INFINITY)) continue;
        best.set(to, d);
        buckets[d].push(to);
      }
    }
  };
  for (let i = 0; i < state.length; i++) if (state[i] === KNOWN && bordersFill(state, width, i)) visit(i, 0);
  const order: number[] = [];
  const distance: number[] = [];
  for (const [d, bucket] of buckets.entries()) {
    for (const i of bucket) {
      if (best.get(i) !== d) continue;
      order.push(i);
      distance.push(d / STRAIGHT);
      visit(i, d);
    }
  }
  return { order, distance };
}

/** Whether a horizontal or vertical neighbour is to be filled. */
function bordersFill(state: Uint8Array, width: number, i: number): boolean {
  const x = i % width;
  return (
    (x > 0 && state[i - 1] === FILL) ||
    (x < width - 1 && state[i + 1] === FILL) ||
    state[i - width] === FILL ||
    state[i + width] === FILL
  );
}

/**
 * Unit vector across the structures around a texel (main axis of the structure tensor), its length their coherence,
 * 0…1.
 */
function acrossStructure(
  pixels: Uint8Array,
  state: Uint8Array,
  width: number,
  height: number,
  i: number,
): [number, number] {
  const [x, y] = [i % width, Math.floor(i / width)];
  let [xx, xy, yy, total] = [0, 0, 0, 0];
  for (let dy = -WINDOW; dy <= WINDOW; dy += WINDOW_STEP) {
    for (let dx = -WINDOW; dx <= WINDOW; dx += WINDOW_STEP) {
      const [u, v] = [x + dx, y + dy];
      if (u < 1 || v < 1 || u >= width - 1 || v >= height - 1) continue;
      const j = v * width + u;
      if (
        state[j - 1] !== KNOWN ||
        state[j + 1] !== KNOWN ||
        state[j - width] !== KNOWN ||
        state[j + width] !== KNOWN ||
        !connected(state, width, i, dx, dy)
      )
        continue;
      const weight = Math.exp(-(dx * dx + dy * dy) / (WINDOW * WINDOW));
      for (let c = 0; c < 3; c++) {
        const gx = (pixels[(j + 1) * 4 + c] - pixels[(j - 1) * 4 + c]) / 2;
        const gy = (pixels[(j + width) * 4 + c] - pixels[(j - width) * 4 + c]) / 2;
        xx += weight * gx * gx;
        xy += weight * gx * gy;
        yy += weight * gy * gy;
      }
      total += weight;
    }
  }
  const trace = xx + yy;
  if (total === 0 || trace < NOISE * total) return [0, 0];
  const coherence = Math.hypot(xx - yy, 2 * xy) / trace;
  const angle = 0.5 * Math.atan2(2 * xy, xx - yy);
  return [coherence * Math.cos(angle), coherence * Math.sin(angle)];
}

/**
 * The known texels around one, with their shares and distances; those along the structure count most.
 * @param detour by how many texels the way to a source is longer than the shortest to here
 */
function sourcesOf(
  state: Uint8Array,
  width: number,
  height: number,
  i: number,
  across: [number, number],
  detour: (source: number) => number,
): [texel: number, share: number, distance: number][] {
  const [x, y] = [i % width, Math.floor(i / width)];
  const coherence = Math.hypot(...across);
  const sharpness = (SHARPNESS * coherence ** 2) ** 2 / (2 * RADIUS * RADIUS);
  const [ax, ay] = coherence > 0 ? [across[0] / coherence, across[1] / coherence] : [0, 0];
  const found: [number, number, number][] = [];
  let least = Number.POSITIVE_INFINITY;
  for (let dy = -RADIUS; dy <= RADIUS; dy++) {
    for (let dx = -RADIUS; dx <= RADIUS; dx++) {
      const [u, v] = [x + dx, y + dy];
      const square = dx * dx + dy * dy;
      if (square > RADIUS * RADIUS || u < 0 || v < 0 || u >= width || v >= height) continue;
      const j = v * width + u;
      if (state[j] !== KNOWN || !connected(state, width, i, dx, dy)) continue;
      const exponent = sharpness * (ax * dx + ay * dy) ** 2 + Math.max(0, detour(j)) / DETOUR;
      least = Math.min(least, exponent);
      found.push([j, exponent, Math.sqrt(square)]);
    }
  }
  let total = 0;
  for (const source of found) {
    // Only ratios count: without the least exponent all weights could underflow.
    source[1] = Math.exp(least - source[1]) / source[2];
    total += source[1];
  }
  for (const source of found) source[1] /= total;
  return found;
}

/** Whether the way to a neighbour stays in the chart: charts lie closer together than the windows are wide. */
function connected(state: Uint8Array, width: number, i: number, dx: number, dy: number): boolean {
  for (const share of [0.25, 0.5, 0.75]) {
    if (state[i + Math.trunc(dy * share) * width + Math.trunc(dx * share)] === 0) return false;
  }
  return true;
}
