import type { Mat4 } from '../../core/math.js';
import type { FileAccess } from '../layout/access.js';
import { invalidMetadata, metadataText } from '../layout/metadata.js';
import { fileName } from '../layout/names.js';
import type { StatedCapture, StatedView } from './stated.js';
import { counted } from './warnings.js';

/** What a reader of an exported file is given. */
export interface ExportSource extends FileAccess {
  /** Folder of the capture. */
  root: string;
  /** The file (or, where there is one per picture, the folder of files) that states the cameras. */
  file: string;
}

/** Reads what a file of another program states of its cameras. */
export type ReadExport = (source: ExportSource) => Promise<Omit<StatedCapture, 'format'>>;

/** The text of a metadata file. */
export async function textOf({ list, read }: FileAccess, path: string): Promise<string> {
  return metadataText(list.locate(path), await read(path));
}

/** A number of a metadata file; throws `CAPTURE_METADATA_INVALID` where it is none. */
export function numberOf(value: unknown, what: string, file: string): number {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof number === 'number' && !Number.isNaN(number)) return number;
  throw invalidMetadata(file, `${what} is ${JSON.stringify(value) ?? 'missing'}`, 'a number');
}

/** Numbers of a metadata file, as many as expected. */
export function numbersOf(values: unknown, count: number, what: string, file: string): number[] {
  if (Array.isArray(values) && values.length >= count) return values.map((value) => numberOf(value, what, file));
  throw invalidMetadata(
    file,
    `${what} has ${Array.isArray(values) ? values.length : 'no'} numbers`,
    `${count} numbers`,
  );
}

/** Camera-to-world matrix of a rotation in rows (camera axes in columns) and a position. */
export const poseOf = (r: readonly number[], centre: readonly number[]): Mat4 => [
  ...[r[0], r[3], r[6], 0],
  ...[r[1], r[4], r[7], 0],
  ...[r[2], r[5], r[8], 0],
  ...[centre[0], centre[1], centre[2], 1],
];

/** What is to be said of pictures that a program knows but gives no camera. */
export function notSolved(
  names: readonly string[],
  file: string,
): Required<Pick<StatedCapture, 'warnings' | 'leftOut'>> {
  if (names.length === 0) return { warnings: [], leftOut: [] };
  const warning = {
    code: 'CAPTURE_VIEWS_UNSOLVED',
    message:
      `${fileName(file)} has no camera for ${names.length} of its pictures: ${counted(names, 3)}. They were left ` +
      'out.',
    subject: names[0],
    remedy: 'Align them in the program that wrote the file, if they are meant to be used.',
  };
  return { warnings: [warning], leftOut: names.map((name) => ({ kind: 'picture', name, reason: 'not-solved' })) };
}

/** The error for an export that states no cameras: the program wrote it before it had solved them. */
export function noExportedCameras(file: string, program: string, found = 'it states no cameras'): Error {
  return invalidMetadata(file, found, `the cameras that ${program} solved`);
}

/** Throws where an export has no view with a camera. */
export function demandViews(views: readonly StatedView[], file: string, program: string): void {
  if (views.length === 0) throw noExportedCameras(file, program);
}
