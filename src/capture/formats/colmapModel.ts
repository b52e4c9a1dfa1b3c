import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { COLMAP_MODELS, type ColmapCamera } from './colmapCameras.js';
import { invalidMetadata, readMetadata } from './metadata.js';

export interface ColmapImage {
  id: number;
  /** World-to-camera unit quaternion w, x, y, z. */
  rotation: [number, number, number, number];
  translation: [number, number, number];
  cameraId: number;
  /** Path below the image folder. */
  name: string;
}

export interface ColmapModel {
  cameras: Map<number, ColmapCamera>;
  /** Sorted by name, so that text and binary files give the same order. */
  images: ColmapImage[];
  /** x y z interleaved, in COLMAP's frame. */
  points?: Float32Array;
}

/** Points with a larger reprojection error (pixels) or fewer observations are left out. */
const MAX_POINT_ERROR = 2;
const MIN_TRACK = 3;

/** Reads a model's cameras, images and points, binary where there is such a file, else text. */
export async function readColmapModel(folder: string): Promise<ColmapModel> {
  const names = await readdir(folder);
  const binary = names.includes('cameras.bin') && names.includes('images.bin');
  const ending = binary ? 'bin' : 'txt';
  const file = (name: string): string => join(folder, `${name}.${ending}`);
  const cameras = new Map<number, ColmapCamera>();
  const read = async (name: string): Promise<Buffer> => readMetadata(file(name));
  for (const camera of (binary ? binaryCameras : textCameras)(await read('cameras'), file('cameras'))) {
    cameras.set(camera.id, camera);
  }
  const images = (binary ? binaryImages : textImages)(await read('images'), file('images'));
  if (images.length === 0) throw invalidMetadata(file('images'), 'it has no images', 'at least two registered images');
  images.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const hasPoints = names.includes(`points3D.${ending}`);
  const points = hasPoints ? (binary ? binaryPoints : textPoints)(await read('points3D'), file('points3D')) : undefined;
  return { cameras, images, points };
}

/** Little-endian reader that turns the end of the file into a coded error. */
class Reader {
  private offset = 0;
  constructor(
    private readonly data: Buffer,
    private readonly file: string,
  ) {}

  private take(bytes: number): number {
    const at = this.offset;
    if (at + bytes > this.data.length)
      throw invalidMetadata(
        this.file,
        `it ends after ${this.data.length} bytes, in the middle of an entry`,
        'a complete file',
      );
    this.offset += bytes;
    return at;
  }
  uint32 = (): number => this.data.readUInt32LE(this.take(4));
  int32 = (): number => this.data.readInt32LE(this.take(4));
  double = (): number => this.data.readDoubleLE(this.take(8));
  doubles = (count: number): number[] => Array.from({ length: count }, this.double);
  skip = (bytes: number): void => void this.take(bytes);

  /** A count of things that take at least `size` bytes each: never more than the file can hold. */
  count(size: number): number {
    const count = Number(this.data.readBigUInt64LE(this.take(8)));
    if (count * size > this.data.length - this.offset) {
      throw invalidMetadata(
        this.file,
        `it announces ${count} entries but has only ${this.data.length} bytes`,
        'a complete file',
      );
    }
    return count;
  }

  /** A text that ends with a zero byte. */
  text(): string {
    const end = this.data.indexOf(0, this.offset);
    if (end < 0) throw invalidMetadata(this.file, 'a name does not end', 'a complete file');
    const text = this.data.toString('utf8', this.offset, end);
    this.offset = end + 1;
    return text;
  }
}

function binaryCameras(data: Buffer, file: string): ColmapCamera[] {
  const reader = new Reader(data, file);
  const models = new Map(Object.entries(COLMAP_MODELS).map(([name, model]) => [model.id, { name, ...model }]));
  return Array.from({ length: reader.count(24) }, () => {
    const id = reader.uint32();
    const number = reader.int32();
    const width = reader.count(0);
    const height = reader.count(0);
    const model = models.get(number);
    if (!model)
      throw invalidMetadata(file, `camera ${id} has the model number ${number}`, `one of 0 to ${models.size - 1}`);
    return { id, model: model.name, width, height, parameters: reader.doubles(model.parameters) };
  });
}

function binaryImages(data: Buffer, file: string): ColmapImage[] {
  const reader = new Reader(data, file);
  return Array.from({ length: reader.count(73) }, () => {
    const id = reader.uint32();
    const [w, x, y, z, tx, ty, tz] = reader.doubles(7);
    const cameraId = reader.uint32();
    const name = reader.text();
    reader.skip(24 * reader.count(24));
    return { id, rotation: [w, x, y, z], translation: [tx, ty, tz], cameraId, name };
  });
}

function binaryPoints(data: Buffer, file: string): Float32Array {
  const reader = new Reader(data, file);
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
  return Float32Array.from(points);
}

/** Lines without comments, with their number for messages. Empty lines stay: an image without points has one. */
function lines(data: Buffer): { text: string; line: number }[] {
  return data
    .toString('utf8')
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

function textCameras(data: Buffer, file: string): ColmapCamera[] {
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

function textImages(data: Buffer, file: string): ColmapImage[] {
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
    // The next line lists the image's points, and may be empty.
    i++;
  }
  return images;
}

function textPoints(data: Buffer, file: string): Float32Array {
  const points: number[] = [];
  for (const { text, line } of lines(data)) {
    if (text === '') continue;
    const words = text.split(/\s+/);
    const [, x, y, z, , , , error] = numbers(words.slice(0, 8), file, line);
    if (error === undefined)
      throw invalidMetadata(file, `line ${line} is cut short`, 'POINT3D_ID X Y Z R G B ERROR TRACK');
    if (error <= MAX_POINT_ERROR && (words.length - 8) / 2 >= MIN_TRACK) points.push(x, y, z);
  }
  return Float32Array.from(points);
}
