import type { GreyPicture } from '../features/sift.js';

/** Blocks along the longer side. */
const BLOCKS = 24;

/**
 * How sharp a picture is where it is sharpest, from 0: second differences at two pixels over those at eight, in the
 * tenth of blocks with most detail. A sharp photo has 0.4 and more; one out of focus or moved loses the fine
 * differences first.
 */
export function sharpness({ width, height, data }: GreyPicture): number {
  const side = Math.max(16, Math.ceil(Math.max(width, height) / BLOCKS));
  const blocks: { fine: number; coarse: number }[] = [];
  for (let top = 8; top + side + 8 < height; top += side) {
    for (let left = 8; left + side + 8 < width; left += side) {
      let [fine, coarse] = [0, 0];
      for (let y = top; y < top + side; y += 2) {
        for (let x = left; x < left + side; x += 2) {
          const i = y * width + x;
          const c = 2 * data[i];
          fine += Math.abs(data[i - 2] + data[i + 2] - c) + Math.abs(data[i - 2 * width] + data[i + 2 * width] - c);
          coarse += Math.abs(data[i - 8] + data[i + 8] - c) + Math.abs(data[i - 8 * width] + data[i + 8 * width] - c);
        }
      }
      blocks.push({ fine, coarse });
    }
  }
  if (blocks.length === 0) return 0;
  blocks.sort((a, b) => b.coarse - a.coarse);
  const kept = blocks.slice(0, Math.max(1, Math.round(blocks.length / 10)));
  const sum = (of: (b: { fine: number; coarse: number }) => number): number => kept.reduce((s, b) => s + of(b), 0);
  const coarse = sum((b) => b.coarse);
  return coarse > 0 ? sum((b) => b.fine) / coarse : 0;
}
