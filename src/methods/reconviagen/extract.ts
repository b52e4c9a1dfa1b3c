/**
 * The mesh of decoded cubes: FlexiCubes (Shen et al. 2023) as TRELLIS sets it up. Values of a corner are means over the
 * given cubes that have it; all else is outside. Every cube that touches an inside corner is visited, given or not.
 */

import { DUAL_CASES } from '../../geometry/flexicubes/dualTable.js';
import { edgeBetween, edgeCorner } from '../../geometry/marchingCubes/marchingCubesTable.js';
import type { DecodedCubes } from './meshDecoder.js';

/** Where in a cube's numbers what stands: 8 distances, 8 offsets, 12 + 8 + 1 weights, 8 colours of 6 numbers. */
const FEATURES = { distance: 0, offset: 8, edgeWeight: 32, cornerWeight: 44, splitWeight: 52, colour: 53, all: 101 };
const COLOUR = 6;

/** Corners of the edges in the order of a cube's edge weights, two digits each. */
const WEIGHTED_EDGES = ['01', '15', '45', '04', '23', '37', '67', '26', '20', '31', '75', '64'];

/** Number of the weight of each edge. */
const WEIGHT_OF_EDGE = ((): number[] => {
  const result: number[] = [];
  WEIGHTED_EDGES.forEach((corners, i) => {
    result[edgeBetween(Number(corners[0]), Number(corners[1]))] = i;
  });
  return result;
})();

/** An extracted surface. */
export interface ExtractedMesh {
  /** x, y, z in −½…½. */
  vertices: Float32Array;
  /** Six numbers a vertex in 0…1: sRGB colour, then the normal's (unused). */
  colours: Float32Array;
  /** Three vertex numbers a triangle. */
  faces: Uint32Array;
}

/** What is extracted in a thread of its own. */
export interface ExtractJob {
  cubes: DecodedCubes;
  resolution: number;
}

/** `extractMesh` as the task of a thread: it takes seconds without a pause. */
export const extractInThread = ({ cubes, resolution }: ExtractJob): ExtractedMesh => extractMesh(cubes, resolution);

/** Values at the corners of the given cubes, and where they are in the grid. */
interface Corners {
  /** Row of each corner of the grid, −1 where no given cube has it. */
  row: Int32Array;
  distance: Float32Array;
  position: Float32Array;
  colour: Float32Array;
}

/**
 * Extracts the surface.
 * @param cubes coordinates in 0…resolution − 1
 * @param resolution cubes along a side, at most 512
 */
export function extractMesh(cubes: DecodedCubes, resolution: number): ExtractedMesh {
  const corners = cornerValues(cubes, resolution);
  const surface = surfaceCubes(corners, resolution);
  const cases = dualCases(corners, surface, resolution);
  const firstVertex = numberVertices(cases);
  const vertexCount = cases.reduce((sum, number) => sum + DUAL_CASES[number].loopCount, 0);
  const cubeRow = new Int32Array(resolution ** 3).fill(-1);
  for (let i = 0; i * 3 < cubes.coords.length; i++) cubeRow[cubeId(cubes.coords, i * 3, resolution)] = i;
  const vertices = new Float32Array(vertexCount * 3);
  const colours = new Float32Array(vertexCount * COLOUR);
  const splits = new Float32Array(vertexCount);
  surface.forEach((cube, i) => {
    const features = cubeRow[cube] < 0 ? undefined : cubes.features.subarray(cubeRow[cube] * FEATURES.all);
    placeVertices(corners, cube, resolution, features, cases[i], firstVertex[i], { vertices, colours, splits });
  });
  return { vertices, colours, faces: connect(corners, surface, cases, firstVertex, splits, resolution) };
}

const cubeId = (coords: ArrayLike<number>, at: number, resolution: number): number =>
  (coords[at] * resolution + coords[at + 1]) * resolution + coords[at + 2];

/** Number in the grid of corners of corner `k` (x | y << 1 | z << 2) of a cube. */
function cornerId(cube: number, k: number, resolution: number): number {
  const z = cube % resolution;
  const y = Math.floor(cube / resolution) % resolution;
  const x = Math.floor(cube / resolution / resolution);
  const side = resolution + 1;
  return ((x + (k & 1)) * side + y + ((k >> 1) & 1)) * side + z + (k >> 2);
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

function cornerValues({ coords, features }: DecodedCubes, resolution: number): Corners {
  const side = resolution + 1;
  const row = new Int32Array(side ** 3).fill(-1);
  const ids: number[] = [];
  for (let cube = 0; cube * 3 < coords.length; cube++) {
    for (let k = 0; k < 8; k++) {
      const id = cornerId(cubeId(coords, cube * 3, resolution), k, resolution);
      if (row[id] < 0) row[id] = ids.push(id) - 1;
    }
  }
  const counts = new Uint8Array(ids.length);
  const sums = new Float64Array(ids.length * 10);
  for (let cube = 0; cube * 3 < coords.length; cube++) {
    const own = features.subarray(cube * FEATURES.all, (cube + 1) * FEATURES.all);
    for (let k = 0; k < 8; k++) {
      const at = row[cornerId(cubeId(coords, cube * 3, resolution), k, resolution)];
      counts[at]++;
      sums[at * 10] += own[FEATURES.distance + k] - 1 / resolution;
      for (let i = 0; i < 3; i++) sums[at * 10 + 1 + i] += own[FEATURES.offset + k * 3 + i];
      for (let i = 0; i < COLOUR; i++) sums[at * 10 + 4 + i] += own[FEATURES.colour + k * COLOUR + i];
    }
  }
  const distance = new Float32Array(ids.length);
  const position = new Float32Array(ids.length * 3);
  const colour = new Float32Array(ids.length * COLOUR);
  ids.forEach((id, at) => {
    distance[at] = sums[at * 10] / counts[at];
    for (let i = 0; i < 3; i++) {
      position[at * 3 + i] = cornerPlace(id, i, resolution, sums[at * 10 + 1 + i] / counts[at]);
    }
    for (let i = 0; i < COLOUR; i++) colour[at * COLOUR + i] = sigmoid(sums[at * 10 + 4 + i] / counts[at]);
  });
  return { row, distance, position, colour };
}

/** Where a corner is on an axis, moved by its offset by less than half a cube. */
function cornerPlace(id: number, axis: number, resolution: number, offset: number): number {
  const coordinate = Math.floor(id / (resolution + 1) ** (2 - axis)) % (resolution + 1);
  return coordinate / resolution - 0.5 + ((1 - 1e-8) / (2 * resolution)) * Math.tanh(offset);
}

const isInside = (corners: Corners, id: number): boolean =>
  corners.row[id] >= 0 && corners.distance[corners.row[id]] < 0;

/** Cubes with corners on both sides, in ascending order. */
function surfaceCubes(corners: Corners, resolution: number): number[] {
  const touched = new Uint8Array(resolution ** 3);
  const side = resolution + 1;
  for (let id = 0; id < corners.row.length; id++) {
    if (!isInside(corners, id)) continue;
    const [x, y, z] = [Math.floor(id / side / side), Math.floor(id / side) % side, id % side];
    for (let k = 0; k < 8; k++) {
      const at = [x - (k & 1), y - ((k >> 1) & 1), z - (k >> 2)];
      if (at.every((c) => c >= 0 && c < resolution)) touched[cubeId(at, 0, resolution)] = 1;
    }
  }
  const result: number[] = [];
  touched.forEach((yes, cube) => {
    if (yes && configuration(corners, cube, resolution) !== 255) result.push(cube);
  });
  return result;
}

/** Bit k is set where corner k is inside. */
function configuration(corners: Corners, cube: number, resolution: number): number {
  let bits = 0;
  for (let k = 0; k < 8; k++) if (isInside(corners, cornerId(cube, k, resolution))) bits |= 1 << k;
  return bits;
}

/** Number in `DUAL_CASES` of each surface cube. */
function dualCases(corners: Corners, surface: readonly number[], resolution: number): Uint16Array {
  const plain = new Int16Array(resolution ** 3).fill(-1);
  for (const cube of surface) plain[cube] = configuration(corners, cube, resolution) * 2;
  const steps = [resolution * resolution, resolution, 1];
  return Uint16Array.from(surface, (cube) => {
    const face = DUAL_CASES[plain[cube]].doubled;
    if (face < 0) return plain[cube];
    const axis = face >> 1;
    const coordinate = Math.floor(cube / steps[axis]) % resolution;
    const next = coordinate + (face & 1 ? 1 : -1);
    if (next < 0 || next >= resolution) return plain[cube];
    const neighbour = plain[cube + (next - coordinate) * steps[axis]];
    return neighbour >= 0 && DUAL_CASES[neighbour].doubled >= 0 ? plain[cube] + 1 : plain[cube];
  });
}

/** First vertex of each surface cube: cubes with one vertex come first, then those with two, three, four. */
function numberVertices(cases: Uint16Array): Uint32Array {
  const result = new Uint32Array(cases.length);
  let next = 0;
  for (let count = 1; count <= 4; count++) {
    cases.forEach((number, i) => {
      if (DUAL_CASES[number].loopCount !== count) return;
      result[i] = next;
      next += count;
    });
  }
  return result;
}

interface VertexArrays {
  vertices: Float32Array;
  colours: Float32Array;
  splits: Float32Array;
}

/** Corners that no given cube has lie where the grid has them, at distance 1 outside, in the middle grey. */
const ABSENT = { distance: 1, colour: 0.5 };

/** Each vertex: the mean, by the edges' weights, of where its polygon crosses edges. */
function placeVertices(
  corners: Corners,
  cube: number,
  resolution: number,
  features: Float32Array | undefined,
  number: number,
  firstVertex: number,
  { vertices, colours, splits }: VertexArrays,
): void {
  const { loops, loopCount } = DUAL_CASES[number];
  const weight = (at: number): number => (features ? 0.99 * Math.tanh(features[at]) + 1 : 1);
  const split = features ? features[FEATURES.splitWeight] : 0;
  const sums = new Float64Array(loopCount * (3 + COLOUR));
  const totals = new Float64Array(loopCount);
  for (let edge = 0; edge < 12; edge++) {
    const loop = loops[edge];
    if (loop < 0) continue;
    const [a, b] = [edgeCorner(edge), edgeCorner(edge) | (1 << (edge >> 2))];
    const [idA, idB] = [cornerId(cube, a, resolution), cornerId(cube, b, resolution)];
    const [rowA, rowB] = [corners.row[idA], corners.row[idB]];
    const scaled = (row: number, k: number): number =>
      (row < 0 ? ABSENT.distance : corners.distance[row]) * weight(FEATURES.cornerWeight + k);
    const [sa, sb] = [scaled(rowA, a), scaled(rowB, b)];
    const cross = (va: number, vb: number): number => (va * sb - vb * sa) / (sb - sa);
    const beta = weight(FEATURES.edgeWeight + WEIGHT_OF_EDGE[edge]);
    const place = (row: number, id: number, i: number): number =>
      row < 0 ? cornerPlace(id, i, resolution, 0) : corners.position[row * 3 + i];
    const shade = (row: number, i: number): number => (row < 0 ? ABSENT.colour : corners.colour[row * COLOUR + i]);
    totals[loop] += beta;
    for (let i = 0; i < 3; i++) {
      sums[loop * (3 + COLOUR) + i] += beta * cross(place(rowA, idA, i), place(rowB, idB, i));
    }
    for (let i = 0; i < COLOUR; i++) {
      sums[loop * (3 + COLOUR) + 3 + i] += beta * cross(shade(rowA, i), shade(rowB, i));
    }
  }
  for (let loop = 0; loop < loopCount; loop++) {
    const vertex = firstVertex + loop;
    for (let i = 0; i < 3; i++) vertices[vertex * 3 + i] = sums[loop * (3 + COLOUR) + i] / totals[loop];
    for (let i = 0; i < COLOUR; i++) {
      colours[vertex * COLOUR + i] = sums[loop * (3 + COLOUR) + 3 + i] / totals[loop];
    }
    splits[vertex] = Math.fround(0.99 * sigmoid(split) + 0.005);
  }
}

/**
 * A quad for each crossed edge with four cubes round it, in two triangles. Edges of the border have fewer, and give
 * none: the surface stays open there.
 */
function connect(
  corners: Corners,
  surface: readonly number[],
  cases: Uint16Array,
  firstVertex: Uint32Array,
  splits: Float32Array,
  resolution: number,
): Uint32Array {
  const index = new Int32Array(resolution ** 3).fill(-1);
  surface.forEach((cube, i) => {
    index[cube] = i;
  });
  const steps = [resolution * resolution, resolution, 1];
  const size = (resolution + 1) ** 3;
  const quads: { outsideFirst: boolean; key: number; vertices: number[] }[] = [];
  for (const cube of surface) {
    for (const axis of [0, 1, 2]) {
      const ends = [0, 1 << axis].map((k) => cornerId(cube, k, resolution));
      // Edges along y run downwards in the reference's list, which decides their place and their quads' direction.
      const [first, second] = axis === 1 ? [ends[1], ends[0]] : ends;
      if (isInside(corners, first) === isInside(corners, second)) continue;
      const [u, v] = [0, 1, 2].filter((a) => a !== axis);
      if ([u, v].some((a) => Math.floor(cube / steps[a]) % resolution === 0)) continue;
      const [v0, v1, v2, v3] = [0, 1, 2, 3].map((i) => {
        const [du, dv] = [1 - (i >> 1), 1 - (i & 1)];
        const at = index[cube - du * steps[u] - dv * steps[v]];
        const corner = (du << u) | (dv << v);
        return firstVertex[at] + DUAL_CASES[cases[at]].loops[edgeBetween(corner, corner | (1 << axis))];
      });
      const outsideFirst = !isInside(corners, first);
      const vertices = outsideFirst ? [v0, v1, v3, v2] : [v2, v3, v1, v0];
      quads.push({ outsideFirst, key: first * size + second, vertices });
    }
  }
  quads.sort((a, b) => Number(b.outsideFirst) - Number(a.outsideFirst) || a.key - b.key);
  const all = quads.flatMap(({ vertices }) => vertices);
  const faces = new Uint32Array((all.length / 4) * 6);
  for (let i = 0; i < all.length; i += 4) {
    const [a, b, c, d] = all.slice(i, i + 4);
    const along = Math.fround(splits[a] * splits[c]) > Math.fround(splits[b] * splits[d]);
    faces.set(along ? [a, b, c, a, c, d] : [a, b, d, d, b, c], (i / 4) * 6);
  }
  return faces;
}
