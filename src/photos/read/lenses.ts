import type { PhotoLens } from '../mapper/lensModel.js';
import type { Photo } from './readPhotos.js';

/** Photos that share a lens. */
export interface LensGroup {
  lens: PhotoLens;
  /** Words for people: "NIKON D3200, 40 mm". */
  title: string;
  /** Indices of photos. */
  photos: number[];
}

/** A calibrated lens: pixels of the photos as stored. */
export type KnownLens = Pick<PhotoLens, 'f' | 'cx' | 'cy' | 'k1' | 'k2'>;

/**
 * Focal length over the longer side where nothing is known: a phone's main camera has about 0.75, a kit lens 1 to 3.
 */
const GUESS = 1.2;

/**
 * Groups photos by lens: camera, lens name, focal length and size of the stored picture. A picture that is stored
 * turned by 90° has a lens of its own, since its pixels are those of another frame.
 *
 * @param focal focal length in pixels that the user states, for all photos
 * @param known a calibrated lens, for all photos: it is not changed
 */
export function groupLenses(photos: readonly Photo[], focal?: number, known?: KnownLens): LensGroup[] {
  const groups = new Map<string, LensGroup>();
  photos.forEach((photo, i) => {
    const { width, height, make, model, lensModel, focalLength, focalPixels } = photo;
    const key = JSON.stringify([make, model, lensModel, focalLength, focalPixels, width, height]);
    const found = groups.get(key);
    if (found) {
      found.photos.push(i);
      return;
    }
    const stated = focal ?? focalPixels;
    const name = [make && model?.startsWith(make) ? undefined : make, model].filter(Boolean).join(' ');
    groups.set(key, {
      title: [name || 'unknown camera', focalLength && `${focalLength} mm`, `${width} × ${height}`]
        .filter(Boolean)
        .join(', '),
      photos: [i],
      lens: {
        width,
        height,
        f: stated ?? GUESS * Math.max(width, height),
        cx: width / 2,
        cy: height / 2,
        k1: 0,
        k2: 0,
        stated,
        ...(known && { ...known, stated: known.f, fixed: true }),
      },
    });
  });
  return [...groups.values()];
}
