import { KernelMemory } from '../kernel.js';
import { type Candidate, selectSpread } from './select.js';

/** Key points of one photo with their descriptors. */
export interface Features {
  count: number;
  /** x, y in pixels of the full photo as stored, centre of the first pixel at (0.5, 0.5). */
  points: Float32Array;
  /** Standard deviation of the Gaussian at which the point was found, pixels of the full photo. */
  sigmas: Float32Array;
  /** RootSIFT, 128 bytes a point, of length about 512. */
  descriptors: Uint8Array;
}

export interface SiftOptions {
  /** Most points kept. Default 8192. */
  most?: number;
  /** Least contrast of a point, of a picture from 0 to 1. Default 0.0067, as in COLMAP. */
  contrast?: number;
  /** Begin with the picture at twice its size, for more and smaller points. Default false. */
  doubled?: boolean;
}

/** A grey picture with the factor that leads from its pixels to those of the full photo. */
export interface GreyPicture {
  width: number;
  height: number;
  /** 0 … 255, row by row. */
  data: Uint8Array;
  scaleX: number;
  scaleY: number;
}

/** Standard deviation of the first level of every octave, and of the picture as it comes. */
const FIRST_SIGMA = 1.6;
const CAMERA_SIGMA = 0.5;
const INTERVALS = 3;
const LEVELS = INTERVALS + 3;
/** Largest ratio of principal curvatures of a point that is no edge. */
const EDGE = 10;
/** Floats that `findExtrema` writes for a point. */
const RECORD = 5;
const SMALLEST_OCTAVE = 24;

interface Octave {
  at: number;
  width: number;
  height: number;
  /** Pixels of the picture per pixel of the octave. */
  step: number;
}

/**
 * SIFT key points and RootSIFT descriptors (Lowe 2004; Arandjelović and Zisserman 2012) by kernels in WebAssembly: the
 * same bits on every machine. One instance works on one picture at a time and keeps its memory.
 */
export class Sift {
  private readonly memory = new KernelMemory();
  private readonly pyramid = this.memory.load<'blurRows' | 'blurColumns' | 'halve' | 'double' | 'findExtrema'>(
    new URL('./pyramid.wasm', import.meta.url),
  );
  private readonly points = this.memory.load<'orientations' | 'describe'>(new URL('./describe.wasm', import.meta.url));

  /** Features of a picture, in the order of octave, level, row, column. */
  extract(picture: GreyPicture, options: SiftOptions = {}): Features {
    const { most = 8192, contrast = 0.0067, doubled = false } = options;
    const { memory } = this;
    memory.clear();
    const room = Math.max(4096, Math.ceil((picture.width * picture.height) / 16));
    const found = memory.reserve(room * RECORD * 4);
    const candidates: Candidate[] = [];
    const octaves = this.buildOctaves(picture, doubled, (octave, index) => {
      const count = this.pyramid.findExtrema(octave.at, octave.width, octave.height, contrast, EDGE, found, room);
      const records = memory.floats(found, count * RECORD);
      for (let i = 0; i < count; i++) {
        const [x, y, level, strength] = records.subarray(i * RECORD, i * RECORD + 4);
        candidates.push({ octave: index, x, y, level, strength, px: x * octave.step, py: y * octave.step });
      }
    });
    const kept = selectSpread(candidates, picture.width, picture.height, most);
    return this.describe(kept, octaves, picture, most);
  }

  /**
   * Builds the octaves one after the other and has each searched when its levels are there. Of the first one only
   * levels 1 to 3 stay, which the descriptors need: the smaller octaves take the place of its last two.
   */
  private buildOctaves(
    picture: GreyPicture,
    doubled: boolean,
    search: (octave: Octave, index: number) => void,
  ): Octave[] {
    const { memory, pyramid } = this;
    const factor = doubled ? 2 : 1;
    const [width, height] = [picture.width * factor, picture.height * factor];
    const plane = width * height * 4;
    const scratch = memory.reserve(plane);
    const row = memory.reserve((width + 128) * 4);
    const weights = memory.reserve(256);
    const octaves: Octave[] = [];
    let [w, h, step] = [width, height, doubled ? 0.5 : 1];
    let next = memory.reserve(plane * LEVELS);
    do {
      octaves.push({ at: next, width: w, height: h, step });
      next = octaves.length === 1 ? next + plane * (INTERVALS + 1) : next + w * h * 4 * LEVELS;
      next = (next + 15) & ~15;
      w >>= 1;
      h >>= 1;
      step *= 2;
    } while (Math.min(w, h) >= SMALLEST_OCTAVE);

    const blur = (from: number, to: number, octave: Octave, sigma: number): void => {
      const kernel = gaussian(sigma);
      memory.floats(weights, kernel.length).set(kernel);
      const radius = kernel.length - 1;
      pyramid.blurRows(from, scratch, octave.width, octave.height, weights, radius, row);
      pyramid.blurColumns(scratch, to, octave.width, octave.height, weights, radius);
    };

    const [first] = octaves;
    const size = picture.width * picture.height;
    const start = doubled ? first.at + plane : first.at;
    const grey = memory.floats(start, size);
    for (let i = 0; i < size; i++) grey[i] = picture.data[i] / 255;
    if (doubled) pyramid.double(start, first.at, picture.width, picture.height);
    const had = CAMERA_SIGMA * factor;
    blur(first.at, first.at, first, Math.sqrt(FIRST_SIGMA ** 2 - had ** 2));
    octaves.forEach((octave, index) => {
      const bytes = octave.width * octave.height * 4;
      const before = octaves[index - 1];
      if (before) {
        const level = before.at + before.width * before.height * 4 * INTERVALS;
        pyramid.halve(level, octave.at, before.width, before.height);
      }
      for (let level = 1; level < LEVELS; level++) {
        const [from, to] = [level - 1, level].map((l) => FIRST_SIGMA * 2 ** (l / INTERVALS));
        blur(octave.at + (level - 1) * bytes, octave.at + level * bytes, octave, Math.sqrt(to ** 2 - from ** 2));
      }
      search(octave, index);
    });
    return octaves;
  }

  private describe(
    kept: readonly Candidate[],
    octaves: readonly Octave[],
    picture: GreyPicture,
    most: number,
  ): Features {
    const { memory } = this;
    const bins = memory.reserve(512);
    const angles = memory.reserve(16);
    const descriptor = memory.reserve(128);
    const points: number[] = [];
    const sigmas: number[] = [];
    const descriptors = new Uint8Array(2 * most * 128);
    for (const { octave: index, x, y, level, px, py } of kept) {
      const octave = octaves[index];
      const sigma = FIRST_SIGMA * 2 ** (level / INTERVALS);
      const { at, width, height, step } = octave;
      const nearest = Math.min(INTERVALS, Math.max(1, Math.round(level)));
      const plane = at + nearest * width * height * 4;
      const count = this.points.orientations(plane, width, height, x, y, sigma, bins, angles, 2);
      const turns = Array.from(memory.floats(angles, count));
      for (const theta of turns) {
        this.points.describe(plane, width, height, x, y, sigma, theta, bins, descriptor);
        descriptors.set(memory.bytes(descriptor, 128), sigmas.length * 128);
        points.push((px + 0.5) * picture.scaleX, (py + 0.5) * picture.scaleY);
        sigmas.push(sigma * step * picture.scaleX);
      }
    }
    const count = sigmas.length;
    return {
      count,
      points: Float32Array.from(points),
      sigmas: Float32Array.from(sigmas),
      descriptors: descriptors.slice(0, count * 128),
    };
  }
}

/** Half a Gaussian kernel: the middle first, weights of the whole summing to 1. */
function gaussian(sigma: number): Float32Array {
  const radius = Math.ceil(4 * sigma);
  const half = Float64Array.from({ length: radius + 1 }, (_, i) => Math.exp((-i * i) / (2 * sigma * sigma)));
  const sum = half.reduce((s, v, i) => s + (i === 0 ? v : 2 * v), 0);
  return Float32Array.from(half, (v) => v / sum);
}
