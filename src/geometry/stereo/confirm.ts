import type { FloatImage } from '../../core/image.js';

/** Other views that must agree with a depth, and that must agree with one beside such. */
const SURE = 2;
const LIKELY = 1;
/** Neighbours with a depth close to its own that a likely one needs, of eight, and how close. */
const LEAST_NEIGHBOURS = 2;
const NEAR = 0.005;

/**
 * Keeps depths that at least two other views agree with, and those that one agrees with where they continue the former
 * (hysteresis, as in edge detection by Canny 1986).
 * @param depth changed in place: what is not kept becomes 0
 * @param witnesses per pixel the number of other views that agree
 */
export function confirmDepths(depth: FloatImage, witnesses: Uint8Array): void {
  const { width, height, data } = depth;
  const kept = new Uint8Array(data.length);
  let front: number[] = [];
  for (let i = 0; i < data.length; i++) {
    if (witnesses[i] < SURE) continue;
    kept[i] = 1;
    front.push(i);
  }
  const around = (at: number, visit: (to: number) => void): void => {
    const [x, y] = [at % width, Math.floor(at / width)];
    for (let dy = -1; dy <= 1; dy++)
      for (let dx = -1; dx <= 1; dx++) {
        if ((dx === 0 && dy === 0) || x + dx < 0 || y + dy < 0 || x + dx >= width || y + dy >= height) continue;
        visit(at + dy * width + dx);
      }
  };
  while (front.length > 0) {
    const next: number[] = [];
    for (const at of front) {
      around(at, (to) => {
        if (kept[to] || witnesses[to] < LIKELY) return;
        let neighbours = 0;
        around(to, (n) => {
          if (kept[n] && Math.abs(data[n] - data[to]) < NEAR * data[to]) neighbours++;
        });
        if (neighbours < LEAST_NEIGHBOURS) return;
        kept[to] = 1;
        next.push(to);
      });
    }
    front = next;
  }
  for (let i = 0; i < data.length; i++) if (!kept[i]) data[i] = 0;
}
