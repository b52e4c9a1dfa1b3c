import type { Variant } from './degrade.js';

/** A capture of an object of `OBJECTS`. */
export interface Case {
  object: string;
  /** What makes it hard. */
  kind: string;
  /** Whether the reader was never tuned on it: these are the tests. */
  kept: boolean;
  variant: Variant;
  seed: number;
}

const spoilt = { bend: 0.0008, tone: 0.05, depthWaves: 0.0015, specks: 12, shift: 3 };

const make = (
  kept: boolean,
  seed: number,
  object: string,
  kind: string,
  focal: number,
  more: Partial<Variant> = {},
): Case => ({ object, kind, kept, seed, variant: { name: object, focal, ...spoilt, ...more } });

/** Six views as generative tools deliver them, of objects that a reader may misunderstand. */
export const CASES: readonly Case[] = [
  make(false, 1, 'cage', 'see-through, 6-fold', 1.39),
  make(false, 2, 'stool', 'thin, 3-fold', 1.2),
  make(false, 3, 'wreath', 'self-occluding, 5-fold', 1.39),
  make(false, 4, 'crossing', '2-fold', 1.6),
  make(false, 5, 'bottle', 'round, printed', 1.39),
  make(false, 6, 'pawn', 'round, of one colour', 1.1),
  make(false, 7, 'spring', 'self-occluding', 1.39),
  make(false, 8, 'plate', 'flat', 1.39),
  make(false, 9, 'ball', 'spherical', 1.39),
  make(false, 10, 'mug', 'long lens, hollow', 4),
  make(false, 11, 'car', 'wide lens', 0.7),
  make(false, 12, 'animal', 'without depth', 1.39, { withoutDepth: 'all', shift: 0 }),
  make(false, 13, 'wheel', 'flat, see-through, 7-fold', 1.5),
  make(false, 14, 'pergola', 'see-through, 4-fold', 1.39),
  make(false, 15, 'pretzel', 'self-occluding, nearly 3-fold', 1.39),
  make(true, 21, 'lamp', 'see-through, 4-fold', 1.39),
  make(true, 22, 'fan', 'thin, 3-fold', 1.39),
  make(true, 23, 'knot', 'self-occluding, nearly 3-fold', 1.39),
  make(true, 24, 'propeller', 'thin, 2-fold', 1.3),
  make(true, 25, 'goblet', 'round, painted, hollow', 1.39),
  make(true, 26, 'table', 'thin, 4-fold', 1.0, { encoding: 'nearer' }),
  make(true, 27, 'stairs', 'self-occluding', 1.7),
  make(true, 28, 'frame', 'flat, see-through', 1.39),
  make(true, 29, 'globe', 'spherical', 1.39),
  make(true, 30, 'teapot', 'long lens', 3.5),
  make(true, 31, 'boot', 'wide lens, hollow', 0.65),
  make(true, 32, 'chair', 'without depth', 1.39, { withoutDepth: 'all', shift: 0 }),
  make(true, 33, 'tree', 'thin, self-occluding', 1.2, { encoding: 'disparity' }),
];
