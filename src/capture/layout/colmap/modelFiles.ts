import { invalidMetadata } from '../metadata.js';
import { ByteReader } from './byteReader.js';
import { type ColmapCamera, colmapModelOf } from './cameraModels.js';

export interface ColmapImage {
  id: number;
  /** World-to-camera unit quaternion w, x, y, z. */
  rotation: [number, number, number, number];
  translation: [number, number, number];
  cameraId: number;
  /** Path below the image folder. */
  name: string;
}

/** Points with a larger reprojection error (pixels) or fewer observations are left out. */
const MAX_POINT_ERROR = 2;
const MIN_TRACK = 3;

const isBinary = (file: string): boolean => file.endsWith('.bin');

/** The cameras of `cameras.bin` or `cameras.txt` (https://colmap.github.io/format.html). */
export const parseCameras = (data: Uint8Array, file: string): ColmapCamera[] =>
  isBinary(file) ? binaryCameras(data, file) : textCameras(data, file);

/** The images of `images.bin` or `images.txt`, sorted by name, so that both give the same order. */
export function parseImages(data: Uint8Array, file: string): ColmapImage[] {
  const images = isBinary(file) ? binaryImages(data, file) : textImages(data, file);
  if (images.length === 0) throw invalidMetadata(file, 'it has no images', 'at least two registered images');
  return images.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** The well-observed points of `points3D.bin` or `points3D.txt`: x y z interleaved, in COLMAP's frame. */
export const parsePoints = (data: Uint8Array, file: string): Float64Array =>
  isBinary(file) ? binaryPoints(data, file) : textPoints(data, file);

function binaryCameras(data: Uint8Array, file: string): ColmapCamera[] {
  const reader = new ByteReader(data, file);
  return Array.from({ length: reader.count(24) }, () => {
    const id = reader.uint32();
    const model = colmapModelOf(reader.int32(), id, file);
    const width = reader.count(0);
    const height = reader.count(0);
    return { id, model: model.name, width, height, parameters: reader.doubles(model.parameters) };
  });
}

function binaryImages(data: Uint8Array, file: string): ColmapImage[] {
  const reader = new ByteReader(data, file);
  return Array.from({ length: reader.count(73) }, () => {
    const id = reader.uint32();
    const [w, x, y, z, tx, ty, tz] = reader.doubles(7);
    const cameraId = reader.uint32();
    const name = reader.text();
    reader.skip(24 * reader.count(24));
    return { id, rotation: [w, x, y, z], translation: [tx, ty, tz], cameraId, name };
  });
}

function binaryPoints(data: Uint8Array, file: string): Float64Array {
  const reader = new ByteReader(data, file);
  const points: number[] = [];
  const count = reader.count(51);
  for (let i = 0; i < count; i++) {
    reader.skip(8);
    const position = reader.doubles(3);
    reader.skip(3);
    const error = reader.double();
    const track = reader.count(8);
    reader.skip(8 * track);
    if (error <= MAX_POINT_ERROR && track >= MIN_TRACK) points.push(...position);
  }
  return Float64Array.from(points);
}

/** Lines without comments, with their number for messages. Empty lines stay: an image without points has one. */
function lines(data: Uint8Array): { text: string; line: number }[] {
  return new TextDecoder('utf-8')
    .decode(data)
    .split(/\r?\n/)
    .map((text, i) => ({ text: text.trim(), line: i + 1 }))
    .filter(({ text }) => !text.startsWith('#'));
}

function numbers(words: readonly string[], file: string, line: number): number[] {
  return words.map((word) => {
    const value = /^[+-]?nan$/i.test(word)
      ? Number.NaN
      : /^[+-]?inf/i.test(word)
        ? Number.POSITIVE_INFINITY
        : Number(word);
    if (Number.isNaN(value) && !/nan/i.test(word))
      throw invalidMetadata(file, `${JSON.stringify(word)} in line ${line} is not a number`, 'a number');
    return value;
  });
}

function textCameras(data: Uint8Array, file: string): ColmapCamera[] {
  return lines(data)
    .filter(({ text }) => text !== '')
    .map(({ text, line }) => {
      const [id, model, ...rest] = text.split(/\s+/);
      const [number, width, height, ...parameters] = numbers([id, ...rest], file, line);
      if (height === undefined)
        throw invalidMetadata(file, `line ${line} is cut short`, 'CAMERA_ID MODEL WIDTH HEIGHT PARAMS');
      return { id: number, model, width, height, parameters };
    });
}

/** Whether a line lists an image's points: X Y POINT3D_ID, as often as it saw one. */
function listsPoints(text: string): boolean {
  if (text === '') return true;
  const words = text.split(/\s+/);
  return words.length % 3 === 0 && words.every((word) => !Number.isNaN(Number(word)));
}

/**
 * The line after an image's lists its points and is empty where there are none. Files written by hand leave it out, so
 * what follows is looked at: taken for points unseen, it would be every second image.
 */
function textImages(data: Uint8Array, file: string): ColmapImage[] {
  const rows = lines(data);
  const images: ColmapImage[] = [];
  for (let i = 0; i < rows.length; i++) {
    const { text, line } = rows[i];
    if (text === '') continue;
    const words = text.split(/\s+/);
    if (words.length < 10)
      throw invalidMetadata(file, `line ${line} is cut short`, 'IMAGE_ID QW QX QY QZ TX TY TZ CAMERA_ID NAME');
    const [id, w, x, y, z, tx, ty, tz, cameraId] = numbers(words.slice(0, 9), file, line);
    // Names may contain blanks.
    images.push({ id, rotation: [w, x, y, z], translation: [tx, ty, tz], cameraId, name: words.slice(9).join(' ') });
    if (i + 1 < rows.length && listsPoints(rows[i + 1].text)) i++;
  }
  return images;
}

function textPoints(data: Uint8Array, file: string): Float64Array {
  const points: number[] = [];
  for (const { text, line } of lines(data)) {
    if (text === '') continue;
    const words = text.split(/\s+/);
    const [, x, y, z, , , , error] = numbers(words.slice(0, 8), file, line);
    if (error === undefined)
      throw invalidMetadata(file, `line ${line} is cut short`, 'POINT3D_ID X Y Z R G B ERROR TRACK');
    if (error <= MAX_POINT_ERROR && (words.length - 8) / 2 >= MIN_TRACK) points.push(x, y, z);
  }
  return Float64Array.from(points);
}
