import { MeshoptSimplifier } from 'meshoptimizer/simplifier';
import type { Mesh } from '../../../core/mesh.js';
import { compactMesh } from '../compact.js';
import { irregularVertices, topologyOf } from '../measure/topology.js';
import { weldMap } from '../weld.js';
import { collapseEdges, SWEPT } from './collapse.js';

/** Ratio of the budgets that are tried one after the other. */
const GROWTH = 1.5;
/** Parts from which a surface is torn, so that each counts by itself and most of it is gone in sweeps. */
const MANY_PARTS = 48;

export interface SimplifyOptions {
  /** Triangle budget. A mesh that is within it already is returned as it is. */
  triangles: number;
  /**
   * Largest distance from the original surface that may be accepted, scene units. Default: none, the budget decides.
   */
  maxError?: number;
  /** Keep open rims where they are. Default false. */
  lockBorder?: boolean;
  /** Prefer well-shaped triangles to the very lowest error. Default false. */
  regular?: boolean;
  /** Told after every part of the work, as far as is known: 0…1. */
  progress?: (fraction: number) => void;
}

export interface SimplifyResult {
  mesh: Mesh;
  /** Estimate of the deviation from the original surface (root of the largest quadric error), scene units. */
  error: number;
  /** Whether the surface is a closed, oriented manifold; never lost if the input had it. */
  closedManifold: boolean;
}

/**
 * Quadric edge collapse (Garland & Heckbert 1997) to a triangle budget. Vertices are a subset of the original ones and
 * keep their attributes; meshes with texture seams stay connected along them.
 *
 * meshoptimizer does the work: 300,000 triangles take a fraction of a second. It does not test the link condition,
 * though, so at tight budgets it pinches closed manifolds into surfaces with edges of four triangles, closes handles
 * and lets whole parts vanish. What it returns is therefore checked; where it fails on a part, it is asked for more
 * triangles of that, and the rest of the way is gone by `collapseEdges`, which cannot change the topology.
 */
export async function simplifyMesh(mesh: Mesh, options: SimplifyOptions): Promise<SimplifyResult> {
  await MeshoptSimplifier.ready;
  const n = mesh.positions.length / 3;
  const map = weldMap(mesh.positions);
  const welded = (indices: Uint32Array) => indices.map((i) => map[i]);
  const original = welded(mesh.indices);
  const closedManifold = mesh.indices.length > 0 && irregularVertices(original, n).length === 0;
  const count = mesh.indices.length / 3;
  if (count <= options.triangles) return { mesh, error: 0, closedManifold };
  const { progress } = options;
  progress?.(0.2);

  const maxError = options.maxError ?? Infinity;
  const flags: ('LockBorder' | 'ErrorAbsolute' | 'RegularizeLight')[] = ['ErrorAbsolute'];
  if (options.lockBorder) flags.push('LockBorder');
  if (options.regular) flags.push('RegularizeLight');
  const run: Run = (indices, triangles) =>
    MeshoptSimplifier.simplify(indices, mesh.positions, 3, triangles * 3, Math.min(maxError, 1e30), flags);

  let [indices, error] = run(mesh.indices, options.triangles);
  progress?.(0.6);
  if (closedManifold) {
    const parts = partsOf(original, map);
    const sound = soundParts(indices, parts);
    if (sound.includes(0)) {
      [indices, error] = growBudgets(mesh.indices, parts, run, options.triangles, [indices, error], sound);
      progress?.(0.7);
      // Texture seams end here: collapsing works on welded vertices, which keep the attributes of the lowest of them.
      const rest = collapseEdges(mesh.positions, welded(indices), options.triangles, {
        maxError,
        sweeps: isTorn(parts),
      });
      indices = rest.indices;
      error = Math.max(error, rest.error);
    }
  }
  return { mesh: compactMesh({ ...mesh, indices }), error, closedManifold };
}

type Run = (indices: Uint32Array, triangles: number) => [indices: Uint32Array, error: number];
type Left = ReturnType<Run>;

/** The parts of a closed manifold over welded vertices. */
interface Parts {
  map: Uint32Array;
  /** Part of every welded vertex. */
  of: Uint32Array;
  /** Twice the Euler characteristic of every part. */
  shapes: Int32Array;
}

const isTorn = ({ shapes }: Parts): boolean => shapes.length >= MANY_PARTS;

function partsOf(welded: Uint32Array, map: Uint32Array): Parts {
  const topology = topologyOf(welded, map.length);
  const of = new Uint32Array(map.length);
  for (let k = 0; k < welded.length; k++) of[welded[k]] = topology.part[(k / 3) | 0];
  return { map, of, shapes: shapesOf(welded, of, topology.parts) };
}

/** Twice the vertices less the triangles, of which a closed manifold has two for three edges. */
function shapesOf(welded: Uint32Array, partOf: Uint32Array, parts: number): Int32Array {
  const shapes = new Int32Array(parts);
  const seen = new Uint8Array(partOf.length);
  for (let k = 0; k < welded.length; k++) {
    const v = welded[k];
    if (k % 3 === 0) shapes[partOf[v]]--;
    if (seen[v] === 0) shapes[partOf[v]] += 2;
    seen[v] = 1;
  }
  return shapes;
}

/** Which parts are still one closed manifold each, of the same Euler characteristic: 1 or 0. */
function soundParts(indices: Uint32Array, { map, of, shapes }: Parts): Uint8Array {
  const welded = indices.map((i) => map[i]);
  const parts = shapes.length;
  const found = shapesOf(welded, of, parts);
  const topology = topologyOf(welded, map.length);
  const pieces = new Uint32Array(parts);
  const seen = new Uint8Array(topology.parts);
  topology.part.forEach((piece, t) => {
    if (seen[piece] === 0) pieces[of[welded[3 * t]]]++;
    seen[piece] = 1;
  });
  const sound = Uint8Array.from(shapes, (shape, p) => (pieces[p] === 1 && found[p] === shape ? 1 : 0));
  for (const v of irregularVertices(welded, map.length)) sound[of[v]] = 0;
  return sound;
}

/**
 * The smallest of growing budgets that leaves all parts sound. Where there are many and none does up to what sweeps
 * bring down as well, every part as the smallest budget leaves it sound, or else as it was: a crumb or a tunnel that no
 * budget keeps must not leave all the rest to slower means.
 *
 * @param first what the first budget left, and which parts of that are sound
 */
function growBudgets(whole: Uint32Array, parts: Parts, run: Run, budget: number, first: Left, sound: Uint8Array): Left {
  const ofParts = (indices: Uint32Array, which: Uint8Array): Uint32Array =>
    indices.filter((_, k) => which[parts.of[parts.map[indices[k - (k % 3)]]]] === 1);
  const settled = [ofParts(first[0], sound)];
  let error = first[1];
  let open = sound.map((s) => 1 - s);
  const most = isTorn(parts) ? SWEPT * budget : Infinity;
  for (let grown = Math.ceil(budget * GROWTH); grown <= most; grown = Math.ceil(grown * GROWTH)) {
    if (grown >= whole.length / 3) return [whole, 0];
    const [indices, own] = run(whole, grown);
    const good = soundParts(indices, parts);
    if (!good.includes(0)) return [indices, own];
    const now = good.map((g, p) => g & open[p]);
    if (!now.includes(1)) continue;
    settled.push(ofParts(indices, now));
    error = Math.max(error, own);
    open = open.map((o, p) => o - now[p]);
  }
  settled.push(ofParts(whole, open));
  const all = new Uint32Array(settled.reduce((sum, list) => sum + list.length, 0));
  let at = 0;
  for (const list of settled) {
    all.set(list, at);
    at += list.length;
  }
  return [all, error];
}
