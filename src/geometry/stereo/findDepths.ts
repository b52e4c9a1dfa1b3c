import type { Bounds } from '../../core/bounds.js';
import { centerOf } from '../../core/bounds.js';
import { type Camera, projectPoint, worldToCamera } from '../../core/camera.js';
import type { ColorImage, FloatImage } from '../../core/image.js';
import type { Vec3 } from '../../core/math.js';
import { pause } from '../../core/pause.js';
import type { Gpu } from '../../gpu/runtime/gpu.js';
import { confirmDepths } from './confirm.js';
import { type StereoLevel, stereoLevels } from './images.js';
import { finerPlanes, packMap, pointPlanes } from './planes.js';
import { sourceViews } from './sourceViews.js';
import { dropSpeckles } from './speckles.js';
import { placeOf, StereoPass, type Window } from './stereoPass.js';

/** A picture to find depth in. */
export interface StereoView {
  /** Of the picture; its size may differ. */
  camera: Camera;
  /** sRGB with straight alpha, the object's mask. Called once. */
  load(): Promise<ColorImage>;
}

/** How much work stereo is. */
export interface StereoOptions {
  /** Views that each view is compared with, 2…8. */
  sources: number;
  /** Samples along each side of the window that is compared, 4…6, and pixels between them. */
  window: Window;
  /** Sizes of the pictures, each half the one before. */
  levels: number;
  /** Rounds at each of them, the largest first. */
  rounds: readonly number[];
  /** Rounds at full size in which depths of other views count. */
  geometricRounds: number;
  /** Planes tried in refinement, 1…5. */
  hypotheses: number;
  /** Seed of the random planes. Default 0. */
  seed?: number;
}

/** Depth of one view where at least two others agree with it. */
export interface StereoDepth {
  /** Of the depth map: a part of the picture around the mask. */
  camera: Camera;
  /** Distance along the viewing axis, 0 = none. */
  depth: FloatImage;
  /** Expected error of each depth, in scene units; 0 where there is none. */
  accuracy: FloatImage;
  /** Pixels inside the mask. */
  inside: number;
  /** Pixels with a depth. */
  found: number;
}

export interface StereoHooks {
  signal?: AbortSignal;
  /** Receives 0…1 and what is being done. */
  progress?: (fraction: number, detail: string) => void;
  /** Receives each finished depth map. */
  finished?: (view: number, depth: StereoDepth) => Promise<void> | void;
}

/** Random planes tried for each pixel of the coarsest pictures. */
const FIRST_PLANES = 24;
/** Cost of a pixel of disagreement with the depths of other views. */
const CONSISTENCY = 0.2;
/** Share of the depth range by which refinement moves a plane at the coarsest size at most. */
const REACH = 0.15;
/** What fits worse than this in the end, disagreement included, is no evidence. */
const ACCEPTED_COST = 0.6;
/** Views that are asked whether they agree with a depth: more than it was matched with, since asking costs little. */
const WITNESSES = 8;
/** Planes that fit worse than this are none. */
const MOST_COST = 0.7;

interface State {
  levels: StereoLevel[];
  /** Views to match with, the best first, and those that may agree. */
  sources: number[];
  witnesses: number[];
  range: { nearest: number; farthest: number };
  planes: Float32Array;
  costs: Float32Array;
  map: Uint32Array;
}

/**
 * Multi-view stereo inside masks: PatchMatch with slanted windows (Bleyer et al. 2011), propagated over a chequerboard,
 * views chosen per pixel, coarse to fine, then in agreement with the depths of other views (Xu & Tao 2019, ACMM). What
 * fewer than two other views confirm has no depth.
 *
 * @param bounds of the object: no depth is sought outside
 * @param points x, y, z of points known to lie on the surface, to start from; may be empty
 * @returns for each view its depth, undefined where it has no mask or too few neighbours
 * @throws `CANCELLED`, within a second of an abort
 */
export async function findDepths(
  gpu: Gpu,
  views: readonly StereoView[],
  bounds: Bounds,
  points: Float32Array,
  options: StereoOptions,
  hooks: StereoHooks = {},
): Promise<(StereoDepth | undefined)[]> {
  const { signal } = hooks;
  const states = await prepare(views, bounds, options, hooks);
  const work = new Work(states, options, hooks.progress);
  const levelOf = (s: number, level: number): StereoLevel => states[s]!.levels[level];

  for (const [v, state] of states.entries()) {
    if (!state) continue;
    work.detail = `view ${v + 1} of ${views.length}`;
    let planes: Float32Array = new Float32Array(0);
    let costs: Float32Array = new Float32Array(0);
    let round = 0;
    for (let level = options.levels - 1; level >= 0; level--) {
      const reference = state.levels[level];
      const coarser = state.levels[level + 1];
      planes = coarser ? finerPlanes(planes, coarser, reference) : pointPlanes(points, reference, state.range);
      const around = state.sources.map((s) => levelOf(s, level));
      const pass = new StereoPass(gpu, reference, around, {
        window: options.window,
        seed: seedOf(options, v),
        ...state.range,
      });
      try {
        pass.write(planes);
        await pass.start(coarser ? 0 : FIRST_PLANES, { signal });
        for (let i = 0; i < options.rounds[level]; i++) {
          const reach = reachAt(state.range, round);
          await pass.sweep(
            { round, reach, consistency: 0, hypotheses: options.hypotheses },
            { signal, done: work.step },
          );
          round++;
        }
        ({ planes, costs } = await pass.read());
      } finally {
        pass.dispose();
      }
    }
    state.planes = planes;
    state.costs = costs;
    state.map = packMap(state.levels[0], planes, costs, MOST_COST);
  }

  const first = options.rounds.reduce((a, b) => a + b, 0);
  for (let i = 0; i < options.geometricRounds; i++) {
    const maps = states.map((state) => state?.map);
    for (const [v, state] of states.entries()) {
      if (!state) continue;
      work.detail = `view ${v + 1} of ${views.length}, in agreement`;
      const pass = passOf(gpu, states, state, state.sources, maps, {
        window: options.window,
        seed: seedOf(options, v),
      });
      try {
        pass.write(state.planes, state.costs);
        await pass.sweep(
          {
            round: first + i,
            reach: reachAt(state.range, first + i),
            consistency: CONSISTENCY,
            hypotheses: options.hypotheses,
          },
          { signal, done: work.step },
        );
        const { planes, costs } = await pass.read();
        Object.assign(state, { planes, costs, map: packMap(state.levels[0], planes, costs, MOST_COST + CONSISTENCY) });
      } finally {
        pass.dispose();
      }
    }
  }

  const out: (StereoDepth | undefined)[] = [];
  const maps = states.map((state) => state?.map);
  for (const [v, state] of states.entries()) {
    out.push(state && (await filtered(gpu, states, state, options, maps, signal)));
    const depth = out[v];
    if (depth) await hooks.finished?.(v, depth);
    await pause(signal);
  }
  gpu.trim();
  return out;
}

async function prepare(
  views: readonly StereoView[],
  bounds: Bounds,
  options: StereoOptions,
  { signal, progress }: StereoHooks,
): Promise<(State | undefined)[]> {
  const levels: (StereoLevel[] | undefined)[] = [];
  for (const [v, { camera, load }] of views.entries()) {
    progress?.(0, `picture ${v + 1} of ${views.length}`);
    levels.push(stereoLevels(await load(), camera, options.levels));
    await pause(signal);
  }
  const usable = levels.flatMap((l, v) => (l ? [v] : []));
  const chosen = sourceViews(
    usable.map((v) => levels[v]![0].camera),
    centerOf(bounds),
    Math.max(WITNESSES, options.sources),
  );
  // A view without neighbours of its own has no state: it can be none's neighbour either.
  const lone = (at: number): boolean => chosen[at].length < 2;
  for (let dropped = true; dropped; ) {
    dropped = false;
    for (const [at, sources] of chosen.entries()) {
      const left = sources.filter((s) => !lone(s));
      dropped ||= left.length < sources.length;
      chosen[at] = left;
    }
  }
  return levels.map((level, v) => {
    const at = usable.indexOf(v);
    if (!level || at < 0 || lone(at)) return undefined;
    const none = new Float32Array(0);
    return {
      levels: level,
      sources: chosen[at].slice(0, options.sources).map((s) => usable[s]),
      witnesses: chosen[at].map((s) => usable[s]),
      range: depthRange(level[0].camera, bounds),
      planes: none,
      costs: none,
      map: new Uint32Array(0),
    };
  });
}

const seedOf = (options: StereoOptions, view: number): number => ((options.seed ?? 0) * 4099 + view) >>> 0;

/** Refinement moves planes less and less. */
const reachAt = ({ nearest, farthest }: State['range'], round: number): number =>
  (REACH * (farthest - nearest)) / farthest / 2 ** round;

/** Least and greatest depth that the box can have. */
function depthRange(camera: Camera, { min, max }: Bounds): State['range'] {
  const toCamera = worldToCamera(camera);
  let [nearest, farthest] = [Number.POSITIVE_INFINITY, 0];
  for (let corner = 0; corner < 8; corner++) {
    const p = [0, 1, 2].map((axis) => ((corner >> axis) & 1 ? max[axis] : min[axis])) as Vec3;
    const { depth } = projectPoint(camera, p, toCamera);
    nearest = Math.min(nearest, depth);
    farthest = Math.max(farthest, depth);
  }
  return { nearest: Math.max(nearest, 1e-3 * farthest), farthest };
}

/** One view with others and their maps at full size. */
function passOf(
  gpu: Gpu,
  states: readonly (State | undefined)[],
  state: State,
  others: readonly number[],
  maps: readonly (Uint32Array | undefined)[],
  options: { window: Window; seed: number; pictures?: boolean },
): StereoPass {
  // All maps are bound together.
  let room = gpu.limits.maxStorageBufferBindingSize;
  const fitting = others.filter((o) => {
    room -= maps[o]!.byteLength;
    return room >= 0;
  });
  const around = fitting.map((o) => states[o]!.levels[0]);
  const known = fitting.map((o) => maps[o]!);
  return new StereoPass(gpu, state.levels[0], around, { ...options, ...state.range, maps: known });
}

async function filtered(
  gpu: Gpu,
  states: readonly (State | undefined)[],
  state: State,
  { window }: StereoOptions,
  maps: readonly (Uint32Array | undefined)[],
  signal: AbortSignal | undefined,
): Promise<StereoDepth> {
  const { camera, pixels } = state.levels[0];
  const planes = state.planes.slice();
  for (let i = 0; i < pixels.length; i++) if (state.costs[i] > ACCEPTED_COST) planes[i * 4 + 3] = 0;
  const pass = passOf(gpu, states, state, state.witnesses, maps, { window, seed: 0, pictures: false });
  try {
    pass.write(planes);
    const agreed = await pass.agree({ signal });
    const { width, height } = camera;
    const depth: FloatImage = { width, height, data: new Float32Array(width * height) };
    const accuracy: FloatImage = { width, height, data: new Float32Array(width * height) };
    const witnesses = new Uint8Array(width * height);
    for (let i = 0; i < pixels.length; i++) {
      const at = placeOf(pixels[i], camera);
      depth.data[at] = agreed[i * 4];
      accuracy.data[at] = agreed[i * 4 + 1];
      witnesses[at] = agreed[i * 4 + 2];
    }
    confirmDepths(depth, witnesses);
    const found = dropSpeckles(depth);
    for (let i = 0; i < accuracy.data.length; i++) if (depth.data[i] === 0) accuracy.data[i] = 0;
    return { camera, depth, accuracy, inside: pixels.length, found };
  } finally {
    pass.dispose();
  }
}

/** Tells progress by the pixels that were swept, those of small pictures as much as others. */
class Work {
  detail = '';
  private total = 0;
  private done = 0;

  constructor(
    states: readonly (State | undefined)[],
    options: StereoOptions,
    private readonly progress: StereoHooks['progress'],
  ) {
    for (const state of states) {
      if (!state) continue;
      for (const [level, { pixels }] of state.levels.entries()) this.total += pixels.length * options.rounds[level];
      this.total += state.levels[0].pixels.length * options.geometricRounds;
    }
  }

  readonly step = (pixels: number): void => {
    this.done += pixels;
    this.progress?.(Math.min(1, this.done / this.total), this.detail);
  };
}
