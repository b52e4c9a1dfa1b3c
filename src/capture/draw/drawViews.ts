import type { ColorImage, FloatImage } from '../../core/image.js';
import type { Capture, View } from '../capture.js';
import { mapLimited } from '../concurrency.js';
import { leftOutTiles, strikeOut } from './leftOutTiles.js';
import { drawSvg, escapeXml } from './svg.js';

export interface DrawViewsOptions {
  /** Longer side of one picture in pixels, 32…2048. Default: 256. */
  tile?: number;
  /** Views beyond this number are left out, evenly. Default: 60. */
  most?: number;
}

const LABEL = 18;
const GAP = 6;
const OUTLINE = [255, 0, 170] as const;

/**
 * A contact sheet of the views: each picture over a chequered ground with the mask's outline in magenta, and beside it,
 * where there is depth, the depth map (near yellow, far blue; the same range in all views) with the same outline, so
 * that a shift between the two shows. What was left out comes last: struck out in red, faded where there is a picture
 * to show, with the reason.
 */
export async function drawViews(capture: Capture, options: DrawViewsOptions = {}): Promise<ColorImage> {
  const tile = options.tile ?? 256;
  const most = options.most ?? 60;
  const step = Math.max(1, capture.views.length / most);
  const views = capture.views.filter((_, i) => Math.floor(i / step) !== Math.floor((i - 1) / step));
  const hasDepth = views.some((view) => view.depth);
  const loaded = await mapLimited(views, 2, async (view) => ({
    view,
    color: await view.loadColor({ maxSize: tile }),
    depth: await view.depth?.load({ maxSize: tile }),
  }));
  const range = depthRange(loaded.flatMap(({ depth }) => (depth ? [depth] : [])));
  const cellWidth = (hasDepth ? 2 * tile : tile) + GAP;
  const cellHeight = tile + LABEL + GAP;
  const left = await leftOutTiles(capture.leftOut ?? [], tile);
  const cells = views.length + left.length;
  const columns = Math.max(1, Math.round(Math.sqrt((cells * cellHeight) / cellWidth)));
  const rows = Math.ceil(cells / columns);
  const sheet = blank(columns * cellWidth + GAP, rows * cellHeight + GAP);
  const labels: string[] = [];
  const place = (i: number): [x: number, y: number] => [
    GAP + (i % columns) * cellWidth,
    GAP + Math.floor(i / columns) * cellHeight,
  ];
  loaded.forEach(({ view, color, depth }, i) => {
    const [x, y] = place(i);
    const outline = capture.masks === 'none' ? undefined : edgeOf(color);
    paintColor(sheet, color, x, y + LABEL, outline);
    if (depth) paintDepth(sheet, depth, range, x + tile, y + LABEL, outline, color);
    labels.push(label(view, x, y));
  });
  left.forEach((part, i) => {
    const [x, y] = place(loaded.length + i);
    if (part.picture) paintColor(sheet, part.picture, x, y + LABEL);
    labels.push(strikeOut(part, x, y, tile, LABEL));
  });
  return drawSvg(sheet.width, sheet.height, labels.join(''), sheet);
}

function label(view: View, x: number, y: number): string {
  const { width, height } = view.camera;
  const text = `${view.name}${view.split === 'test' ? ' (test)' : ''} ${width}×${height}`;
  return `<text x="${x + 2}" y="${y + LABEL - 5}" font-size="12" fill="#111827">${escapeXml(text)}</text>`;
}

function blank(width: number, height: number): ColorImage {
  return { width, height, data: new Uint8ClampedArray(width * height * 4).fill(255) };
}

/** Pixels of the mask that have a neighbour outside it. */
function edgeOf(image: ColorImage): Uint8Array {
  const { width, height, data } = image;
  const edge = new Uint8Array(width * height);
  const inside = (x: number, y: number): boolean =>
    x >= 0 && y >= 0 && x < width && y < height && data[(y * width + x) * 4 + 3] > 127;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      if (!inside(x, y)) continue;
      if (!inside(x - 1, y) || !inside(x + 1, y) || !inside(x, y - 1) || !inside(x, y + 1)) edge[y * width + x] = 1;
    }
  return edge;
}

function paintColor(sheet: ColorImage, image: ColorImage, left: number, top: number, edge?: Uint8Array): void {
  for (let y = 0; y < image.height; y++)
    for (let x = 0; x < image.width; x++) {
      const i = y * image.width + x;
      const o = ((top + y) * sheet.width + left + x) * 4;
      const a = image.data[i * 4 + 3] / 255;
      const ground = ((x >> 3) + (y >> 3)) & 1 ? 225 : 245;
      for (let c = 0; c < 3; c++) {
        sheet.data[o + c] = edge?.[i] ? OUTLINE[c] : image.data[i * 4 + c] * a + ground * (1 - a);
      }
    }
}

function paintDepth(
  sheet: ColorImage,
  depth: FloatImage,
  range: [number, number],
  left: number,
  top: number,
  edge: Uint8Array | undefined,
  color: ColorImage,
): void {
  for (let y = 0; y < depth.height; y++)
    for (let x = 0; x < depth.width; x++) {
      const value = depth.data[y * depth.width + x];
      const o = ((top + y) * sheet.width + left + x) * 4;
      const u = Math.min(color.width - 1, Math.floor(((x + 0.5) * color.width) / depth.width));
      const v = Math.min(color.height - 1, Math.floor(((y + 0.5) * color.height) / depth.height));
      const tint = edge?.[v * color.width + u] ? OUTLINE : value > 0 ? tintOf(value, range) : [235, 235, 235];
      for (let c = 0; c < 3; c++) sheet.data[o + c] = tint[c];
    }
}

/** 1st and 99th percentile of all samples. */
function depthRange(maps: readonly FloatImage[]): [number, number] {
  const values = Float32Array.from(
    maps.flatMap((map) => Array.from(map.data.filter((v, i) => v > 0 && i % 7 === 0))),
  ).sort();
  if (values.length === 0) return [0, 1];
  return [values[Math.floor(0.01 * values.length)], values[Math.floor(0.99 * (values.length - 1))]];
}

/** Yellow, orange, violet, dark blue: of falling lightness, so that it reads without colour too. */
const STOPS = [
  [252, 231, 90],
  [240, 130, 60],
  [150, 50, 130],
  [25, 20, 85],
];

function tintOf(value: number, [near, far]: [number, number]): number[] {
  const t = Math.min(1, Math.max(0, (value - near) / Math.max(1e-9, far - near))) * (STOPS.length - 1);
  const i = Math.min(STOPS.length - 2, Math.floor(t));
  return STOPS[i].map((from, c) => from + (STOPS[i + 1][c] - from) * (t - i));
}
