/** A place in scale space. */
export interface Candidate {
  octave: number;
  /** Pixels of the octave. */
  x: number;
  y: number;
  level: number;
  strength: number;
  /** Pixels of the picture. */
  px: number;
  py: number;
}

/** Cells along the longer side of the picture. */
const CELLS = 12;

/**
 * Keeps at most `most` candidates, spread over the picture: cells give their strongest in turn, so that a busy
 * background does not crowd out the object. The order of the candidates stays.
 */
export function selectSpread(
  candidates: readonly Candidate[],
  width: number,
  height: number,
  most: number,
): Candidate[] {
  if (candidates.length <= most) return [...candidates];
  const side = Math.max(width, height) / CELLS;
  const columns = Math.ceil(width / side);
  const cells = new Map<number, number[]>();
  candidates.forEach(({ px, py }, i) => {
    const key = Math.floor(py / side) * columns + Math.floor(px / side);
    const cell = cells.get(key);
    if (cell) cell.push(i);
    else cells.set(key, [i]);
  });
  for (const cell of cells.values()) cell.sort((a, b) => candidates[b].strength - candidates[a].strength || a - b);
  // The share that every cell may give: the largest with which the whole stays within `most`.
  const sizes = [...cells.values()].map((cell) => cell.length);
  const total = (share: number): number => sizes.reduce((sum, size) => sum + Math.min(size, share), 0);
  let [low, high] = [0, most];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (total(middle) <= most) low = middle;
    else high = middle - 1;
  }
  const kept: number[] = [];
  const rest: number[] = [];
  for (const cell of cells.values()) {
    kept.push(...cell.slice(0, low));
    if (cell.length > low) rest.push(cell[low]);
  }
  rest.sort((a, b) => candidates[b].strength - candidates[a].strength || a - b);
  kept.push(...rest.slice(0, most - kept.length));
  return kept.sort((a, b) => a - b).map((i) => candidates[i]);
}
