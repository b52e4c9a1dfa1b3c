import { colorsAt } from '../read/colorsAt.js';
import { decodeGrey } from '../read/decodeGrey.js';
import { sharpness } from '../read/sharpness.js';
import { type Features, Sift } from './sift.js';

/** What a thread is given to find the features of a photo. */
export interface FeatureJob {
  photo: { file: string; width: number; height: number };
  /** Longer side in pixels at which features are sought. */
  longerSide: number;
  most: number;
}

export interface PhotoFeatures extends Features {
  /** See `sharpness`. */
  sharpness: number;
  /** Indices of features, those of the largest scale first. */
  bySize: Uint32Array;
  /** Red, green, blue of the photo at every feature, sRGB. */
  colors: Uint8Array;
}

/** Below this many features the picture is searched again, at twice its size and with less contrast. */
const FEW = 2000;

/** Finds features of photos, one at a time. Large arrays are shared between threads, not copied. */
export class FeatureWork {
  private readonly sift = new Sift();

  async run({ photo, longerSide, most }: FeatureJob): Promise<PhotoFeatures> {
    const picture = await decodeGrey(photo, longerSide);
    let found = this.sift.extract(picture, { most });
    if (found.count < FEW) {
      const doubled = Math.max(picture.width, picture.height) <= longerSide / 2;
      found = this.sift.extract(picture, { most, contrast: 0.003, doubled });
    }
    const { count, points, sigmas, descriptors } = found;
    const bySize = Uint32Array.from({ length: count }, (_, i) => i).sort((a, b) => sigmas[b] - sigmas[a] || a - b);
    return {
      count,
      points: new Float32Array(shared(points)),
      sigmas: new Float32Array(shared(sigmas)),
      descriptors: new Uint8Array(shared(descriptors)),
      bySize: new Uint32Array(shared(bySize)),
      colors: new Uint8Array(shared(await colorsAt(photo, points))),
      sharpness: sharpness(picture),
    };
  }
}

/** A copy of an array's bytes that threads share. */
function shared(array: { buffer: ArrayBufferLike; byteOffset: number; byteLength: number }): SharedArrayBuffer {
  const copy = new SharedArrayBuffer(array.byteLength);
  new Uint8Array(copy).set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
  return copy;
}
