import type { Capture, View } from '../../capture/capture.js';
import { sha256 } from '../../core/digest.js';
import { PlinthError } from '../../core/errors.js';
import { pause } from '../../core/pause.js';
import type { MethodContext } from '../method.js';
import { type PreparedPhoto, preparePhoto } from './preprocess.js';
import type { ImageStack } from './vit.js';

/** Photos that are looked at, at most. */
export const MOST_PHOTOS = 16;
/** Photos are read at this many pixels along the longer side at most: several times what the networks see. */
const READ_SIZE = 2048;

/** A photo as the networks see it. */
export interface SeenPhoto {
  view: View;
  prepared: PreparedPhoto;
  /** Width of the photo as it was read, over that of the view's camera. */
  scale: number;
}

/** Up to `MOST_PHOTOS` of the training views, spread evenly, the first among them. */
export function chosenViews(capture: Capture): View[] {
  const views = capture.views.filter((view) => view.split === 'train');
  if (views.length <= MOST_PHOTOS) return views;
  return Array.from({ length: MOST_PHOTOS }, (_, i) => views[Math.floor((i * views.length) / MOST_PHOTOS)]);
}

/**
 * Reads the photos and cuts each to its object.
 * @throws `METHOD_REQUIREMENTS` where one shows no object
 */
export async function readPhotos(
  capture: Capture,
  side: number,
  { signal, warn }: Pick<MethodContext, 'signal' | 'warn'>,
  onPhoto: (done: number, of: number) => void,
): Promise<SeenPhoto[]> {
  const views = chosenViews(capture);
  const all = capture.views.filter((view) => view.split === 'train').length;
  if (views.length < all) {
    warn({
      code: 'METHOD_PHOTOS_LEFT_OUT',
      message: `The networks look at ${views.length} of the ${all} photos, spread evenly over them.`,
      remedy: 'Give the photos that show the object best from all sides, at most 16.',
    });
  }
  const photos: SeenPhoto[] = [];
  for (const [i, view] of views.entries()) {
    onPhoto(i, views.length);
    const image = await view.loadColor({ maxSize: READ_SIZE });
    await pause(signal);
    const prepared = preparePhoto(image, side);
    if (!prepared) {
      throw new PlinthError('METHOD_REQUIREMENTS', {
        found: `The photo ${view.name} shows no object: nothing of it is opaque`,
        expected: 'the object cut out in every photo',
        remedy: 'Correct its cut-out, or leave the photo out',
        subject: view.source,
      });
    }
    photos.push({ view, prepared, scale: image.width / view.camera.width });
    await pause(signal);
  }
  return photos;
}

/** A digest of what the networks see. */
export async function photosDigest(photos: readonly SeenPhoto[]): Promise<string> {
  const digests = await Promise.all(photos.map(({ prepared }) => sha256(prepared.data)));
  return await sha256(JSON.stringify(digests));
}

/** Colours in 0…1, channel after channel. */
export function imageStack(photos: readonly SeenPhoto[]): ImageStack {
  const { side } = photos[0].prepared;
  const pixels = side * side;
  const data = new Float32Array(photos.length * 3 * pixels);
  photos.forEach(({ prepared }, photo) => {
    for (let i = 0; i < pixels; i++) {
      for (let c = 0; c < 3; c++) data[(photo * 3 + c) * pixels + i] = prepared.data[i * 4 + c] / 255;
    }
  });
  return { count: photos.length, side, data };
}
