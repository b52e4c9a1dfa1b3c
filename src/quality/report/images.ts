import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp, { type Region } from 'sharp';
import { animateWebp } from '../../asset/previews/animatedWebp.js';
import { throwIfCancelled } from '../../core/errors.js';
import type { QualityData } from '../schema.js';

/** An image as it stands in the report. */
export interface InlineImage {
  /** `data:` URI. */
  source: string;
  width: number;
  height: number;
}

export interface ReportImages {
  /** By the name of the view; absent where the files are. */
  views: Map<string, { input: InlineImage; render: InlineImage; error: InlineImage }>;
  /** Moving picture and still of the asset, and all previews on one sheet, where the result has previews. */
  turntable?: InlineImage;
  still?: InlineImage;
  sheet?: InlineImage;
  /** The asset under other lights, where it can be lit anew. */
  relit?: InlineImage;
}

/** All images together stay below this, in characters of the document. */
export const IMAGE_BUDGET = 4_600_000;
const PARALLEL = 4;
/** Quality of WebP to begin with, and the least longer side of a view's images. */
const BEST_QUALITY = 82;
const LEAST_SIZE = 48;
/** From more views on, some are made first to tell the size of all; part of the room is kept in hand. */
const MANY = 100;
const SAMPLE = 16;
const SAFETY = 0.92;

/** Longer side for a given number of views: three images of 60 views at 280 pixels take about 3 MB. */
const startSize = (views: number): number => (views <= 8 ? 560 : views <= 24 ? 380 : views <= 60 ? 280 : 200);

/**
 * Reads the images of a result folder as moderate WebP. Where they exceed the budget, those of the views are made
 * smaller and coarser.
 */
export async function loadReportImages(folder: string, data: QualityData, signal?: AbortSignal): Promise<ReportImages> {
  const previews = await loadPreviews(folder);
  const rest = IMAGE_BUDGET - Object.values(previews).reduce((n, image) => n + (image?.source.length ?? 0), 0);
  const shown = data.views.filter((v) => v.images);
  let quality = BEST_QUALITY;
  let size = startSize(shown.length);
  if (shown.length > MANY) {
    // What some of many views take tells what all will take: they are made once, not again and again.
    const some = Array.from({ length: SAMPLE }, (_, i) => shown[Math.floor(((i + 0.5) * shown.length) / SAMPLE)]);
    const expected = (lengthOf(await loadViews(folder, some, size, quality, signal)) * shown.length) / SAMPLE;
    if (expected > rest) size = Math.max(LEAST_SIZE, Math.floor(size * SAFETY * Math.sqrt(rest / expected)));
  }
  for (; ; quality = Math.max(40, quality - 10)) {
    const views = await loadViews(folder, shown, size, quality, signal);
    const total = lengthOf(views);
    if (total <= rest || size <= LEAST_SIZE) return { ...previews, views };
    size = Math.max(LEAST_SIZE, Math.floor(size * Math.min(0.85, Math.sqrt(rest / total))));
  }
}

/** Characters of all images. */
function lengthOf(views: ReportImages['views']): number {
  let total = 0;
  for (const { input, render, error } of views.values()) {
    total += input.source.length + render.source.length + error.source.length;
  }
  return total;
}

async function loadViews(
  folder: string,
  shown: readonly QualityData['views'][number][],
  size: number,
  quality: number,
  signal?: AbortSignal,
): Promise<ReportImages['views']> {
  const loaded: ReportImages['views'] = new Map();
  const queue = [...shown];
  const work = async () => {
    for (let view = queue.shift(); view; view = queue.shift()) {
      throwIfCancelled(signal);
      const { input: picture, render: drawn, error: map } = view.images!;
      const [first, second] = await Promise.all([picture, drawn].map((path) => decode(join(folder, path))));
      const crop = first && second && objectBox([first, second]);
      const [input, render, error] = await Promise.all(
        [first, second, join(folder, map)].map((source) => source && inline(source, { size, quality, crop })),
      );
      if (input && render && error) loaded.set(view.name, { input, render, error });
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
  // In the order of the views, whichever was read first.
  return new Map(shown.flatMap((v) => (loaded.has(v.name) ? [[v.name, loaded.get(v.name)!]] : [])));
}

async function loadPreviews(folder: string): Promise<Omit<ReportImages, 'views'>> {
  const previews = join(folder, 'previews');
  let names: string[];
  try {
    names = (await readdir(previews)).sort();
  } catch {
    return {};
  }
  const find = (pattern: RegExp) => names.find((name) => pattern.test(name));
  const load = (name: string | undefined, size: number) =>
    name === undefined ? undefined : inline(join(previews, name), { size, quality: 80 });
  return {
    turntable: await moving(previews, find(/^turntable.*\.webp$/i), 340),
    still: await load(find(/^textured.*\.png$/i), 512),
    sheet: await load(find(/^contact.*\.(png|webp|jpe?g)$/i), 1040),
    relit: await load(find(/^relit.*\.(png|webp|jpe?g)$/i), 1040),
  };
}

interface InlineOptions {
  /** Longer side in pixels, at most. */
  size: number;
  /** WebP quality, 0…100. */
  quality: number;
  crop?: Region;
}

/** Straight alpha, 4 channels. */
interface Decoded {
  data: Buffer;
  width: number;
  height: number;
}

/** `undefined` where the file is missing or no image. */
async function decode(path: string): Promise<Decoded | undefined> {
  try {
    const { data, info } = await sharp(path).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
    return { data, width: info.width, height: info.height };
  } catch {
    return undefined;
  }
}

/** `undefined` where the file is missing or no image: a report with a gap is better than none. */
async function inline(
  source: string | Decoded,
  { size, quality, crop }: InlineOptions,
): Promise<InlineImage | undefined> {
  try {
    const image =
      typeof source === 'string'
        ? sharp(await readFile(source))
        : sharp(source.data, { raw: { width: source.width, height: source.height, channels: 4 } });
    if (crop) image.extract(crop);
    const { data, info } = await image
      .resize({ width: size, height: size, fit: 'inside', withoutEnlargement: true })
      .webp({ quality, alphaQuality: 80, effort: 3 })
      .toBuffer({ resolveWithObject: true });
    return {
      source: `data:image/webp;base64,${data.toString('base64')}`,
      width: info.width,
      height: info.height,
    };
  } catch {
    return undefined;
  }
}

const MOVING_QUALITY = 70;

/** A moving picture made smaller, frame by frame, each whole in itself; `undefined` where it is missing or none. */
async function moving(folder: string, name: string | undefined, size: number): Promise<InlineImage | undefined> {
  if (name === undefined) return undefined;
  try {
    const bytes = await readFile(join(folder, name));
    const { pages = 1, delay = [] } = await sharp(bytes).metadata();
    const frames: Buffer[] = [];
    let [width, height] = [0, 0];
    for (let page = 0; page < pages; page++) {
      const { data, info } = await sharp(bytes, { page })
        .resize({ width: size, withoutEnlargement: true })
        .webp({ quality: MOVING_QUALITY, effort: 3, smartSubsample: true })
        .toBuffer({ resolveWithObject: true });
      [width, height] = [info.width, info.height];
      frames.push(data);
    }
    const data = animateWebp(frames, width, height, delay[0] ?? 80);
    return { source: `data:image/webp;base64,${data.toString('base64')}`, width, height };
  } catch {
    return undefined;
  }
}

const CROP_MARGIN = 0.05;

/**
 * The part of the frame, of the frame's shape, that holds everything opaque in either image; `undefined` where that is
 * most of the frame.
 */
function objectBox(images: readonly Decoded[]): Region | undefined {
  const box = { x0: Infinity, x1: -1, y0: Infinity, y1: -1 };
  const { width, height } = images[0];
  for (const { data, ...image } of images) {
    for (let y = 0, i = 3; y < image.height; y++)
      for (let x = 0; x < image.width; x++, i += 4) {
        if (data[i] < 16) continue;
        if (x < box.x0) box.x0 = x;
        if (x > box.x1) box.x1 = x;
        if (y < box.y0) box.y0 = y;
        if (y > box.y1) box.y1 = y;
      }
  }
  if (box.x1 < 0) return undefined;
  const share = Math.max((box.x1 + 1 - box.x0) / width, (box.y1 + 1 - box.y0) / height) * (1 + 2 * CROP_MARGIN);
  if (share > 0.9) return undefined;
  const [w, h] = [Math.round(width * share), Math.round(height * share)];
  const at = (low: number, high: number, side: number, frame: number) =>
    Math.max(0, Math.min(frame - side, Math.round((low + high + 1 - side) / 2)));
  return { left: at(box.x0, box.x1, w, width), top: at(box.y0, box.y1, h, height), width: w, height: h };
}
