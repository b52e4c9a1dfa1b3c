import type { Bounds } from '../core/bounds.js';
import type { WorkPhoto } from './photo.js';

/** How many photos show the object at each cell of a box, and how many show the cell at all. */
export interface Votes {
  box: Bounds;
  size: [number, number, number];
  /** Corner of the first cell and sides of a cell. */
  side: number;
  object: Uint16Array;
  seen: Uint16Array;
}

/** Lets every photo that may vote say of each cell of the box whether it shows object there. */
export function castVotes(
  photos: readonly WorkPhoto[],
  masks: readonly Uint8Array[],
  box: Bounds,
  resolution: number,
): Votes {
  const extent = box.max.map((v, i) => v - box.min[i]);
  const side = Math.max(...extent) / resolution;
  const size = extent.map((v) => Math.max(1, Math.ceil(v / side))) as [number, number, number];
  const votes: Votes = {
    box,
    size,
    side,
    object: new Uint16Array(size[0] * size[1] * size[2]),
    seen: new Uint16Array(size[0] * size[1] * size[2]),
  };
  photos.forEach((photo, i) => {
    if (!photo.votes) return;
    eachCell(photo, votes, (cell, pixel) => {
      votes.seen[cell]++;
      if (pixel >= 0 && masks[i][pixel]) votes.object[cell]++;
    });
  });
  return votes;
}

/**
 * Visits the cells that are wanted and whose centre a photo shows, with the pixel of its part, −1 where outside of
 * that.
 */
function eachCell(
  photo: WorkPhoto,
  votes: Votes,
  visit: (cell: number, pixel: number, depth: number) => void,
  wanted?: (cell: number) => boolean,
): void {
  const { projection: m, width, height, left, top, partWidth, partHeight } = photo;
  const { size, side, box } = votes;
  const px = box.min[0] + side / 2;
  for (let z = 0, cell = 0; z < size[2]; z++)
    for (let y = 0; y < size[1]; y++) {
      const [py, pz] = [box.min[1] + (y + 0.5) * side, box.min[2] + (z + 0.5) * side];
      let uw = m[0] * px + m[1] * py + m[2] * pz + m[3];
      let vw = m[4] * px + m[5] * py + m[6] * pz + m[7];
      let w = m[8] * px + m[9] * py + m[10] * pz + m[11];
      for (let x = 0; x < size[0]; x++, cell++, uw += m[0] * side, vw += m[4] * side, w += m[8] * side) {
        if (w <= 0 || wanted?.(cell) === false) continue;
        const u = uw / w;
        const v = vw / w;
        if (u < 0 || v < 0 || u >= width || v >= height) continue;
        const [i, j] = [Math.floor(u) - left, Math.floor(v) - top];
        const inside = i >= 0 && j >= 0 && i < partWidth && j < partHeight;
        visit(cell, inside ? j * partWidth + i : -1, w);
      }
    }
}

/** Share of the photos that must see a cell for it to tell that the object goes on beyond the box. */
const SEEN_BY = 0.5;
/** 1 in cells that at least a share of the photos see as object, where half of all photos see them. */
export function hullCells({ object, seen }: Votes, share: number, photos: number): Uint8Array {
  const least = Math.max(LEAST_SEEN, SEEN_BY * photos);
  return Uint8Array.from(seen, (n, cell) => (n >= least && object[cell] >= share * n ? 1 : 0));
}

/** Fewest other photos that make an opinion. */
const LEAST_SEEN = 2;

/**
 * What the other photos say of each pixel of a photo's part: the largest share of them, 0 … 255, that see object in a
 * cell behind that pixel.
 *
 * @param own the photo's own mask, which does not count
 */
export function othersOpinion(photo: WorkPhoto, votes: Votes, own: Uint8Array): Uint8Array {
  const out = new Uint8Array(photo.partWidth * photo.partHeight);
  const mine = photo.votes ? 1 : 0;
  splat(photo, votes, out, (cell, pixel) => {
    const seen = votes.seen[cell] - mine;
    if (seen < LEAST_SEEN) return 0;
    const share = (votes.object[cell] - (mine && own[pixel] ? 1 : 0)) / seen;
    return share < LEAST_SHARE ? 0 : Math.round(255 * share);
  });
  return out;
}

/**
 * 1 in pixels of a photo's part behind which is a cell that at least a share of all photos see as object, and half the
 * width of a cell in pixels, by which that may be too much.
 */
export function hullOf(photo: WorkPhoto, votes: Votes, share: number): { mask: Uint8Array; rim: number } {
  const mask = new Uint8Array(photo.partWidth * photo.partHeight);
  const rim = splat(photo, votes, mask, (cell) =>
    votes.seen[cell] >= LEAST_SEEN && votes.object[cell] >= share * votes.seen[cell] ? 1 : 0,
  );
  return { mask, rim };
}

/** Draws cells as squares that leave no gaps, the largest value on top. Returns the squares' largest half width. */
function splat(
  photo: WorkPhoto,
  votes: Votes,
  out: Uint8Array,
  valueAt: (cell: number, pixel: number) => number,
): number {
  const { partWidth, partHeight, projection: m } = photo;
  // The first row is fx · x + cx · w, w of length 1.
  const along = m[0] * m[8] + m[1] * m[9] + m[2] * m[10];
  const focal = Math.sqrt(m[0] ** 2 + m[1] ** 2 + m[2] ** 2 - along ** 2);
  let widest = 0;
  const draw = (cell: number, pixel: number, depth: number): void => {
    if (pixel < 0) return;
    const value = valueAt(cell, pixel);
    if (value === 0) return;
    const reach = Math.min(6, Math.floor((0.7 * votes.side * focal) / depth));
    widest = Math.max(widest, reach);
    const [x, y] = [pixel % partWidth, Math.floor(pixel / partWidth)];
    for (let v = Math.max(0, y - reach); v <= Math.min(partHeight - 1, y + reach); v++)
      for (let u = Math.max(0, x - reach); u <= Math.min(partWidth - 1, x + reach); u++) {
        const i = v * partWidth + u;
        if (value > out[i]) out[i] = value;
      }
  };
  eachCell(photo, votes, draw, (cell) => votes.object[cell] >= LEAST_SHARE * (votes.seen[cell] - 1));
  return widest;
}

/** Less does not matter: the pixel is background then. */
const LEAST_SHARE = 0.4;
