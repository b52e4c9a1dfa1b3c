import sharp from 'sharp';
import type { ColorImage } from '../../core/image.js';
import type { LeftOutPart } from '../capture.js';
import { mapLimited } from '../concurrency.js';
import { LEFT_OUT_REASONS } from '../layout/leftOut.js';
import { escapeXml } from './svg.js';

/** Parts beyond this number are only counted. */
export const MOST_LEFT_OUT = 24;
/** How much of its colour a picture keeps that was left out. */
const FADED = 0.35;
const RED = '#b91c1c';

/** What is drawn in the place of a part that was left out. */
export interface LeftOutTile {
  title: string;
  why: string;
  /** Faded, at most as large as a tile; absent where there is nothing to show. */
  picture?: ColorImage;
}

/** The tiles of what was left out, the last of them a count where there are many. */
export async function leftOutTiles(parts: readonly LeftOutPart[], tile: number): Promise<LeftOutTile[]> {
  const tiles = await mapLimited(
    parts.slice(0, MOST_LEFT_OUT),
    2,
    async ({ name, reason, file, kind }): Promise<LeftOutTile> => ({
      title: name,
      why: LEFT_OUT_REASONS[reason],
      picture: file === undefined || kind === 'cameras' ? undefined : await fadedPicture(file, tile),
    }),
  );
  const rest = parts.length - tiles.length;
  return rest > 0 ? [...tiles, { title: `and ${rest} more`, why: 'left out' }] : tiles;
}

/** A small copy towards white; undefined for files that are no pictures. */
async function fadedPicture(file: string, tile: number): Promise<ColorImage | undefined> {
  try {
    const { data, info } = await sharp(file)
      .resize(tile, tile, { fit: 'inside', withoutEnlargement: true })
      .toColourspace('srgb')
      .flatten({ background: '#ffffff' })
      .ensureAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    const pixels = Uint8ClampedArray.from(data, (v, i) => (i % 4 === 3 ? 255 : 255 + (v - 255) * FADED));
    return { width: info.width, height: info.height, data: pixels };
  } catch {
    return undefined;
  }
}

/** A tile's frame, struck out, with its name above and the reason below, as SVG. */
export function strikeOut({ title, why }: LeftOutTile, x: number, y: number, tile: number, above: number): string {
  const [left, top, right, bottom] = [x + 1, y + above + 1, x + tile - 1, y + above + tile - 1];
  // About what fits at this size of type.
  const most = Math.max(8, Math.floor(tile / 6.4));
  const short = title.length > most ? `…${title.slice(1 - most)}` : title;
  const text = (words: string, at: number, weight: string): string =>
    `<text x="${x + 4}" y="${at}" font-size="12" font-weight="${weight}" fill="${RED}">${escapeXml(words)}</text>`;
  return (
    `<rect x="${left}" y="${top}" width="${right - left}" height="${bottom - top}" fill="none" stroke="${RED}" ` +
    `stroke-width="2" stroke-dasharray="6 4"/>` +
    `<path d="M${left} ${top}L${right} ${bottom}M${left} ${bottom}L${right} ${top}" stroke="${RED}" ` +
    `stroke-opacity="0.35" stroke-width="2"/>` +
    `<rect x="${left + 1}" y="${bottom - 19}" width="${right - left - 2}" height="18" fill="#fff1f1"/>` +
    `${text(short, y + above - 5, 'normal')}${text(why, bottom - 6, 'bold')}`
  );
}
