import { pause } from '../../../core/pause.js';
import type { SurfaceGraph } from '../texels/surfaceGraph.js';

const SWEEPS = 400;
/** Work between two turns of the event loop, in visited edges. */
const EDGES_PER_TURN = 8e6;

/** Below this openness a seen colour says too little about what it would be in the open. */
const LEAST_OPENNESS = 0.15;

/**
 * `inpaintNodes` with the shade of hollows: what is continued is the colour in the open, and the light that reaches a
 * place is taken to be in proportion to its openness, so that the unseen inside of a vessel comes out dark and not as
 * bright as its rim.
 * @param colors square roots of linear light, three per node, in place
 * @param openness ambient openness per node, 0…1
 */
export async function inpaintShaded(
  graph: SurfaceGraph,
  colors: Float32Array,
  seen: Uint8Array,
  openness: Float32Array,
  signal?: AbortSignal,
): Promise<void> {
  const open = new Float32Array(colors.length);
  for (let i = 0; i < open.length; i++) {
    open[i] = colors[i] / Math.sqrt(Math.max(openness[Math.floor(i / 3)], LEAST_OPENNESS));
  }
  await inpaintNodes(graph, open, seen, signal);
  for (let i = 0; i < open.length; i++) {
    const node = Math.floor(i / 3);
    if (!seen[node]) colors[i] = Math.min(1, open[i] * Math.sqrt(openness[node]));
  }
}

/**
 * Continues colours over the surface into the parts that no view saw: seen nodes keep theirs, the rest become the
 * average of their neighbours (Laplace's equation on the graph), started by growing inwards and relaxed by Gauss–Seidel
 * sweeps. Parts without any seen node take the mean of all seen ones.
 * @param colors three numbers per node, in place
 * @param seen 1 where a node's colour is known
 */
export async function inpaintNodes(
  graph: SurfaceGraph,
  colors: Float32Array,
  seen: Uint8Array,
  signal?: AbortSignal,
): Promise<void> {
  const { start, neighbours } = graph;
  const known = seen.slice();
  const order: number[] = [];
  const mean = [0, 0, 0];
  let total = 0;
  for (let i = 0; i < seen.length; i++) {
    if (!seen[i]) continue;
    total++;
    for (let c = 0; c < 3; c++) mean[c] += colors[i * 3 + c];
  }
  for (let c = 0; c < 3; c++) mean[c] = total > 0 ? mean[c] / total : 0.5;

  let front: number[] = [];
  const queued = new Uint8Array(seen.length);
  const enqueue = (i: number, into: number[]) => {
    for (let e = start[i]; e < start[i + 1]; e++) {
      const j = neighbours[e];
      if (!known[j] && !queued[j]) {
        queued[j] = 1;
        into.push(j);
      }
    }
  };
  for (let i = 0; i < seen.length; i++) if (seen[i]) enqueue(i, front);
  while (front.length > 0) {
    for (const i of front) average(graph, colors, known, i);
    const next: number[] = [];
    for (const i of front) known[i] = 1;
    for (const i of front) {
      order.push(i);
      enqueue(i, next);
    }
    front = next;
  }
  for (let i = 0; i < seen.length; i++) {
    if (!known[i]) for (let c = 0; c < 3; c++) colors[i * 3 + c] = mean[c];
  }

  let edges = 0;
  for (const i of order) edges += start[i + 1] - start[i];
  if (edges === 0) return;
  const perTurn = Math.max(1, Math.floor(EDGES_PER_TURN / edges));
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    // Alternating direction carries colour across the hole from both sides.
    if (sweep % 2 === 0) for (const i of order) average(graph, colors, known, i);
    else for (let k = order.length - 1; k >= 0; k--) average(graph, colors, known, order[k]);
    if (sweep % perTurn === perTurn - 1) {
      await pause(signal);
    }
  }
}

function average({ start, neighbours }: SurfaceGraph, colors: Float32Array, known: Uint8Array, i: number): void {
  let r = 0;
  let g = 0;
  let b = 0;
  let n = 0;
  for (let e = start[i]; e < start[i + 1]; e++) {
    const j = neighbours[e];
    if (!known[j]) continue;
    r += colors[j * 3];
    g += colors[j * 3 + 1];
    b += colors[j * 3 + 2];
    n++;
  }
  if (n === 0) return;
  colors[i * 3] = r / n;
  colors[i * 3 + 1] = g / n;
  colors[i * 3 + 2] = b / n;
}
