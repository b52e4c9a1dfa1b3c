import type { FloatImage } from '../../core/image.js';

/** Neighbours whose depths differ by more than this share lie on different surfaces. */
const JUMP = 0.01;
/** Fewer pixels that hang together than this are a speckle; or this share of all pixels with depth. */
const LEAST_PIXELS = 16;

/**
 * Sets small islands of depth to 0.
 * @returns the number of pixels that have a depth left
 */
export function dropSpeckles({ width, height, data }: FloatImage): number {
  const seen = new Uint8Array(data.length);
  const stack: number[] = [];
  let kept = 0;
  for (let start = 0; start < data.length; start++) {
    if (seen[start] || !(data[start] > 0)) continue;
    const island: number[] = [];
    stack.push(start);
    seen[start] = 1;
    while (stack.length > 0) {
      const at = stack.pop()!;
      island.push(at);
      const [x, y] = [at % width, Math.floor(at / width)];
      const visit = (to: number): void => {
        if (seen[to] || !(data[to] > 0) || Math.abs(data[to] - data[at]) > JUMP * data[at]) return;
        seen[to] = 1;
        stack.push(to);
      };
      if (x > 0) visit(at - 1);
      if (x + 1 < width) visit(at + 1);
      if (y > 0) visit(at - width);
      if (y + 1 < height) visit(at + width);
    }
    if (island.length < LEAST_PIXELS) for (const at of island) data[at] = 0;
    else kept += island.length;
  }
  return kept;
}
