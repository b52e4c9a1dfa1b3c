import type { Camera } from '../../core/camera.js';

/** A view as it was written. */
export interface ConvertedView {
  /** Path within the folder: `images/r_1.png`. */
  image: string;
  mask?: string;
  depth?: string;
  camera: Camera;
  split: 'train' | 'test';
}
