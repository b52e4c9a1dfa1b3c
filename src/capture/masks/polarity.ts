/** Share of the frame's border that a mask must cover to be taken for everything but the object. */
const BORDER = 0.9;
/** Shares of the picture between which a left-out middle counts as an object. */
const HOLE: readonly [number, number] = [0.005, 0.9];

/** Share of the pixels on a picture's border that a mask marks; `mask` has one byte per pixel, not 0 = object. */
export function borderShare(mask: Uint8Array, width: number, height: number): number {
  let marked = 0;
  for (let x = 0; x < width; x++) marked += Number(mask[x] !== 0) + Number(mask[(height - 1) * width + x] !== 0);
  for (let y = 0; y < height; y++) marked += Number(mask[y * width] !== 0) + Number(mask[(y + 1) * width - 1] !== 0);
  return marked / (2 * (width + height));
}

/**
 * Whether a mask looks the wrong way round: it marks the frame's border all round and leaves out something in its
 * middle. An object that fills the frame leaves nothing out, and one that reaches over an edge does not reach over all
 * four.
 * @param coverage share of the picture's pixels that the mask marks, 0…1
 */
export const looksInverted = (border: number, coverage: number): boolean =>
  border >= BORDER && 1 - coverage >= HOLE[0] && 1 - coverage <= HOLE[1];

/**
 * Share of views with inverted-looking masks from which the capture's masks as a whole are taken to be the wrong way
 * round.
 */
export const INVERTED_VIEWS = 0.8;
