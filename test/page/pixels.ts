/** Looks at what is really on screen. */
import type { Locator, Page } from 'playwright-core';
import sharp from 'sharp';

export interface Picture {
  width: number;
  height: number;
  /** sRGB, three bytes a pixel. */
  data: Buffer;
}

/** Decodes an image and scales it to a square, transparent parts on white. */
export async function toSquare(image: Buffer | ArrayBuffer, side: number): Promise<Picture> {
  const { data } = await sharp(image)
    .flatten({ background: '#ffffff' })
    .resize(side, side, { fit: 'fill' })
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { width: side, height: side, data };
}

/** The middle square of an element as it is on screen, as high as the element times `share`, scaled to `side`. */
export async function middleOf(page: Page, element: Locator, share: number, side: number): Promise<Picture> {
  await element.scrollIntoViewIfNeeded();
  const box = (await element.boundingBox())!;
  const size = Math.min(box.width, box.height) * share;
  const clip = { x: box.x + (box.width - size) / 2, y: box.y + (box.height - size) / 2, width: size, height: size };
  return await toSquare(await page.screenshot({ clip }), side);
}

/** Largest difference of the three channels at a pixel, 0…255. */
const apart = (a: Picture, b: Picture, pixel: number): number =>
  Math.max(...[0, 1, 2].map((c) => Math.abs(a.data[pixel * 3 + c] - b.data[pixel * 3 + c])));

/** Share of the pixels, 0…1, that differ by more than a few steps. */
export function shareChanged(a: Picture, b: Picture): number {
  const count = a.width * a.height;
  let changed = 0;
  for (let i = 0; i < count; i++) if (apart(a, b, i) > 12) changed++;
  return changed / count;
}

/** Share of the pixels that are clearly coloured, where a backdrop is grey. */
export function shareColoured({ data, width, height }: Picture): number {
  let coloured = 0;
  for (let i = 0; i < width * height; i++) {
    const [r, g, b] = data.subarray(i * 3, i * 3 + 3);
    if (Math.max(r, g, b) - Math.min(r, g, b) > 40) coloured++;
  }
  return coloured / (width * height);
}

/** Mean difference, 0…255, over the pixels where `reference` shows an object before white. */
export function differenceOnObject(reference: Picture, other: Picture): { mean: number; share: number } {
  let sum = 0;
  let pixels = 0;
  for (let i = 0; i < reference.width * reference.height; i++) {
    const at = reference.data.subarray(i * 3, i * 3 + 3);
    if (Math.min(...at) > 235) continue;
    pixels++;
    for (let c = 0; c < 3; c++) sum += Math.abs(at[c] - other.data[i * 3 + c]) / 3;
  }
  return { mean: sum / Math.max(1, pixels), share: pixels / (reference.width * reference.height) };
}

/**
 * Mean colours of a cut-out picture and of what is on screen in its place, both 0…255, over the pixels that are wholly
 * the object's; and their mean difference there.
 */
export async function meansOnObject(
  picture: Buffer,
  screen: Picture,
): Promise<{ mean: number[]; other: number[]; apart: number; share: number }> {
  const { data } = await sharp(picture)
    .ensureAlpha()
    .resize(screen.width, screen.height, { fit: 'fill' })
    .raw()
    .toBuffer({ resolveWithObject: true });
  const mean = [0, 0, 0];
  const other = [0, 0, 0];
  let apart = 0;
  let pixels = 0;
  for (let i = 0; i < screen.width * screen.height; i++) {
    if (data[i * 4 + 3] < 250) continue;
    pixels++;
    for (let c = 0; c < 3; c++) {
      mean[c] += data[i * 4 + c];
      other[c] += screen.data[i * 3 + c];
      apart += Math.abs(data[i * 4 + c] - screen.data[i * 3 + c]) / 3;
    }
  }
  const n = Math.max(1, pixels);
  return {
    mean: mean.map((v) => v / n),
    other: other.map((v) => v / n),
    apart: apart / n,
    share: pixels / (screen.width * screen.height),
  };
}
