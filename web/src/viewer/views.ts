import type { StageCamera } from './pose.js';

/** A picture of the capture on the stage: where it was taken from, and how well the model comes back there. */
export interface StageView {
  name: string;
  camera: StageCamera;
  /** Addresses at the API: the whole photograph, a small one for the strip, the map of the differences. */
  picture: string;
  thumbnail: string;
  error: string;
  /** Decibel between picture and render. */
  psnr: number;
  /** The rest of what was measured, in words. */
  facts: string;
}

/** A view to go to; another number of times asks for it again. */
export interface Look {
  name: string;
  times: number;
}
