import { components } from '../capture/masks/components.js';
import { GridCut } from './maxFlow.js';
import { tableIndex } from './mixture.js';
import type { WorkPhoto } from './photo.js';

/** What one photo's cut is decided by. */
export interface CutJob {
  photo: WorkPhoto;
  /** For each colour how much likelier it is on the object, a logarithm; see `tableIndex`. */
  table: Float32Array;
  /** The same for each pixel of the part from comparison with the ground. */
  ground?: Float32Array;
  /** Largest share of the other photos, 0 … 255, that see object behind a pixel. */
  others?: Uint8Array;
  /** From 0; masks of early rounds are trusted less. */
  round: number;
}

const SCALE = 100;
const SURE = 50;
const COLOR = { weight: 0.5, most: 5 };
const GROUND_WEIGHT = 1;
/**
 * Shares of the other photos up to which a pixel is likely background, from round to round, and from which it is likely
 * object: less so, since outlines of others allow more than there is.
 */
const OTHERS = { from: [0.6, 0.6, 0.75, 0.8], to: 0.95, ground: 5, object: 1.8 };
/** What an edge costs where colours do not change. */
const SMOOTH = 9;
/** Parts of a mask smaller than this share of the largest go; so do holes of this share. */
const LEAST_PART = 0.01;
const LEAST_HOLE = 0.0005;

/** Cuts the object out of a photo's part: 1 where it is. */
export function cutPhoto({ photo, table, ground, others, round }: CutJob): Uint8Array {
  const { partWidth: width, partHeight: height, colors, inBox, seeds } = photo;
  const cut = new GridCut(width, height);
  const count = width * height;
  const from = OTHERS.from[Math.min(round, OTHERS.from.length - 1)];
  for (let i = 0; i < count; i++) {
    let likely: number;
    if (!inBox[i] || seeds[i] === 2) likely = -SURE;
    else if (seeds[i] === 1) likely = SURE;
    else {
      const c = table[tableIndex(colors[i * 3], colors[i * 3 + 1], colors[i * 3 + 2])];
      likely = COLOR.weight * Math.max(-COLOR.most, Math.min(COLOR.most, c));
      if (ground) likely += GROUND_WEIGHT * ground[i];
      if (others) {
        const t = Math.max(0, Math.min(1, (others[i] / 255 - from) / (OTHERS.to - from)));
        likely += -OTHERS.ground + t * (OTHERS.ground + OTHERS.object);
      }
    }
    const cost = Math.round(SCALE * Math.abs(likely));
    cut.setCosts(i, likely > 0 ? cost : 0, likely < 0 ? cost : 0);
  }
  joinNeighbours(cut, photo);
  return tidy(cut.solve(), width);
}

const NEIGHBOURS = [
  [0, 1, 0],
  [2, 0, 1],
  [4, 1, 1],
  [6, 1, -1],
] as const;

/** Edges are cheap where colours change, by the contrast of the photo (Boykov and Jolly 2001). */
function joinNeighbours(cut: GridCut, { partWidth: width, partHeight: height, colors }: WorkPhoto): void {
  const difference = (i: number, j: number): number => {
    const [r, g, b] = [
      colors[i * 3] - colors[j * 3],
      colors[i * 3 + 1] - colors[j * 3 + 1],
      colors[i * 3 + 2] - colors[j * 3 + 2],
    ];
    return r * r + g * g + b * b;
  };
  let [sum, pairs] = [0, 0];
  for (let y = 0; y < height; y++)
    for (let x = 0; x + 1 < width; x++) {
      sum += difference(y * width + x, y * width + x + 1);
      pairs++;
    }
  const beta = 1 / Math.max(1, (2 * sum) / Math.max(1, pairs));
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      for (const [direction, dx, dy] of NEIGHBOURS) {
        const [u, v] = [x + dx, y + dy];
        if (u >= width || v < 0 || v >= height) continue;
        const j = v * width + u;
        const far = dx !== 0 && dy !== 0 ? Math.SQRT1_2 : 1;
        const cost = SMOOTH * far * (0.04 + 0.96 * Math.exp(-beta * difference(i, j)));
        cut.join(i, direction, Math.round(SCALE * cost));
      }
    }
}

/** Takes out crumbs and closes pinholes. */
function tidy(mask: Uint8Array, width: number): Uint8Array {
  const parts = components(mask, width);
  const largest = parts.areas.reduce((most, area) => Math.max(most, area), 0);
  const out = mask.map((v, i) => (v && parts.areas[parts.labels[i] - 1] >= LEAST_PART * largest ? 1 : 0));
  const holes = components(out, width, 0);
  return out.map((v, i) => (v || holes.areas[holes.labels[i] - 1] < LEAST_HOLE * largest ? 1 : 0));
}
