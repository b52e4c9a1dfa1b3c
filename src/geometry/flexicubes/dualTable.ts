import { edgeBetween, FACES } from '../marchingCubes/marchingCubesTable.js';

/**
 * The cases of dual marching cubes (Nielson 2004), derived rather than listed: the closed polygons that cut a cell
 * become one vertex each. Corners, edges and cases are numbered as in `marchingCubesTable.ts`; faces x low, x high, y
 * low, y high, z low, z high.
 *
 * On an ambiguous face each inside corner is cut off by itself. Where one polygon crosses such a face twice, and one
 * polygon of the neighbour does so too, both dual edges would join the same two vertices, and four quads would meet
 * there. Both cells then cut off the outside corners of that face instead ("switched"), which divides the polygons
 * (Wenger, Isosurfaces, 2013). Only cases with a single ambiguous face can need that, so that a cell is never asked to
 * switch two faces; `build` verifies it.
 */
export interface DualCase {
  /** Bit e is set where edge e is crossed. */
  crossed: number;
  /** For each edge the number of its polygon; −1 where it is not crossed. */
  loops: readonly number[];
  loopCount: number;
  /**
   * For each crossed edge the edges after and before it in its polygon, which runs counter-clockwise seen from outside
   * the solid.
   */
  next: readonly number[];
  previous: readonly number[];
  /** The ambiguous face that one polygon crosses twice; −1 where there is none. */
  doubled: number;
}

/** Words of a case in `DUAL_TABLE`. */
export const DUAL_CASE_WORDS = 8;

function dualCase(config: number, switchedFace: number): DualCase {
  const isInside = (corner: number): boolean => ((config >> corner) & 1) === 1;
  const next = new Array<number>(12).fill(-1);
  const previous = new Array<number>(12).fill(-1);
  /** Edges at which the polygons enter each ambiguous face. */
  const entries: number[][] = [];
  FACES.forEach((face, f) => {
    const corner = (i: number) => face[(i + 4) % 4];
    const entering = [0, 1, 2, 3].filter((i) => !isInside(corner(i)) && isInside(corner(i + 1)));
    for (const i of entering) {
      let j = i + 1;
      if (f === switchedFace) j = i - 1;
      else while (isInside(corner(j + 1))) j++;
      const from = edgeBetween(corner(i), corner(i + 1));
      const to = edgeBetween(corner(j), corner(j + 1));
      next[from] = to;
      previous[to] = from;
    }
    entries[f] = entering.length > 1 ? entering.map((i) => edgeBetween(corner(i), corner(i + 1))) : [];
  });
  const loops = new Array<number>(12).fill(-1);
  let loopCount = 0;
  let crossed = 0;
  for (let e = 0; e < 12; e++) {
    if (next[e] < 0) continue;
    crossed |= 1 << e;
    if (loops[e] >= 0) continue;
    for (let at = e; loops[at] < 0; at = next[at]) loops[at] = loopCount;
    loopCount++;
  }
  const doubled = entries.flatMap(([a, b], f) => (a !== undefined && loops[a] === loops[b] ? [f] : []));
  if (doubled.length > 1 || (doubled.length === 1 && entries.filter((e) => e.length > 0).length > 1)) {
    throw new RangeError(`case ${config} has several ambiguous faces, one of which a polygon crosses twice`);
  }
  return { crossed, loops, loopCount, next, previous, doubled: doubled[0] ?? -1 };
}

/** Case `config` at 2 · config; with its doubled face switched, where it has one, at 2 · config + 1. */
export const DUAL_CASES: readonly DualCase[] = Array.from({ length: 512 }, (_, i) => {
  const plain = dualCase(i >> 1, -1);
  return i & 1 ? dualCase(i >> 1, plain.doubled) : plain;
});

/**
 * `DUAL_CASES` for the kernels, 8 words a case: polygon of each edge (2 bits) with their count from bit 24 and the
 * doubled face + 1 from bit 28; edges after (4 bits, edges 0–7, then 8–11); edges before likewise; crossed edges; 0, 0.
 */
export const DUAL_TABLE: Uint32Array = (() => {
  const table = new Uint32Array(DUAL_CASES.length * DUAL_CASE_WORDS);
  DUAL_CASES.forEach(({ crossed, loops, loopCount, next, previous, doubled }, i) => {
    const at = i * DUAL_CASE_WORDS;
    table[at] = ((loopCount << 24) | ((doubled + 1) << 28)) >>> 0;
    for (let e = 0; e < 12; e++) {
      if (loops[e] < 0) continue;
      table[at] |= loops[e] << (e * 2);
      table[at + 1 + (e >> 3)] |= next[e] << ((e & 7) * 4);
      table[at + 3 + (e >> 3)] |= previous[e] << ((e & 7) * 4);
    }
    table[at + 5] = crossed;
  });
  return table;
})();
