import type { ImagePlanes } from './planes.js';

/** Distance within which the picture is searched for a render's colour, as a share of the frame's width. */
const REACH = 0.006;
/** Difference of the worst channel up to which two colours, 0…1, are the same. */
const LIMIT = 0.12;

/**
 * Share of the render's pixels where `both` is not 0 whose colour the picture shows nowhere within 0.6 % of the width:
 * the colour of another material smeared over a border, what is hidden, or a highlight that belongs to another view.
 * Unlike a difference pixel by pixel it forgives edges that are a little off their places.
 */
export function strayColour(picture: ImagePlanes, render: ImagePlanes, both: Uint8Array): number {
  const { width, height } = picture;
  const [r, g, b] = picture.planes;
  const reach = Math.max(1, Math.round(REACH * (picture.frame?.width ?? width)));
  let count = 0;
  let stray = 0;
  for (let i = 0; i < both.length; i++) {
    if (both[i] === 0) continue;
    count++;
    const [x, y] = [i % width, Math.floor(i / width)];
    const [red, green, blue] = [render.planes[0][i], render.planes[1][i], render.planes[2][i]];
    const shown = (j: number): boolean =>
      both[j] !== 0 &&
      Math.abs(r[j] - red) <= LIMIT &&
      Math.abs(g[j] - green) <= LIMIT &&
      Math.abs(b[j] - blue) <= LIMIT;
    if (!shown(i) && !isNear(x, y, width, height, reach, shown)) stray++;
  }
  return count > 0 ? stray / count : 0;
}

/** Whether something holds for a pixel at most `reach` columns and rows away. */
function isNear(
  x: number,
  y: number,
  width: number,
  height: number,
  reach: number,
  holds: (pixel: number) => boolean,
): boolean {
  for (let v = Math.max(0, y - reach); v <= Math.min(height - 1, y + reach); v++) {
    for (let u = Math.max(0, x - reach); u <= Math.min(width - 1, x + reach); u++)
      if (holds(v * width + u)) return true;
  }
  return false;
}
