import type { PhotoFeatures } from '../features/extractPhoto.js';
import { LEAST_POINTS, type MapperPair } from '../mapper/map.js';
import type { Scene } from '../mapper/scene.js';
import type { Photo } from '../read/readPhotos.js';

export type PhotoCode =
  | 'PHOTO_DUPLICATE'
  | 'PHOTO_BLURRED'
  | 'PHOTO_TEXTURELESS'
  | 'PHOTO_FEW_MATCHES'
  | 'PHOTO_OTHER_MODEL';

/** What became of one photo. JSON-serialisable. */
export interface PhotoVerdict {
  photo: string;
  registered: boolean;
  /** Points that it sees. */
  points: number;
  features: number;
  /** 0 and up; see `sharpness`. */
  sharpness: number;
  /** Root mean square distance in pixels of its points. */
  error?: number;
  /** Why it has no camera, or what is wrong with it though it has one. */
  code?: PhotoCode;
  message?: string;
}

/** A photo is blurred below this share of the median sharpness of the others. */
const BLURRED = 0.6;
const FEW_FEATURES = 300;

/** Says for every photo whether it has a camera, and why not. */
export function diagnosePhotos(
  photos: readonly Photo[],
  features: readonly PhotoFeatures[],
  scene: Scene,
  pairs: readonly MapperPair[],
): PhotoVerdict[] {
  const sorted = features.map((f) => f.sharpness).sort((a, b) => a - b);
  const usual = sorted[sorted.length >> 1];
  return photos.map((photo, i): PhotoVerdict => {
    const registered = scene.poses[i] !== undefined;
    const { count, sharpness } = features[i];
    const verdict: PhotoVerdict = {
      photo: photo.name,
      registered,
      points: registered ? scene.pointCount(i) : 0,
      features: count,
      sharpness: Math.round(sharpness * 1000) / 1000,
      error: registered ? scene.error(i).rms : undefined,
    };
    const say = (code: PhotoCode, message: string): PhotoVerdict => ({ ...verdict, code, message });
    const blurred = sharpness < BLURRED * usual;
    const share = `${((100 * sharpness) / usual).toFixed(0)} % as sharp as the others`;
    if (registered) return blurred ? say('PHOTO_BLURRED', `It is only ${share}`) : verdict;
    if (photo.duplicateOf !== undefined) return say('PHOTO_DUPLICATE', `It is the same file as ${photo.duplicateOf}`);
    // Nothing at all to measure sharpness by is no blur.
    if (blurred && sharpness > 0) return say('PHOTO_BLURRED', `It is only ${share}`);
    if (count < FEW_FEATURES) return say('PHOTO_TEXTURELESS', `It has only ${count} features`);
    return { ...verdict, ...connection(i, photos, scene, pairs) };
  });
}

/** How a photo without a camera hangs together with the others. */
function connection(
  i: number,
  photos: readonly Photo[],
  scene: Scene,
  pairs: readonly MapperPair[],
): { code: PhotoCode; message: string } {
  const partners = pairs
    .flatMap(({ a, b, ratios }) => (a === i || b === i ? [{ other: a === i ? b : a, count: ratios.length }] : []))
    .sort((p, q) => q.count - p.count || p.other - q.other);
  const known = partners.find(({ other }) => scene.poses[other]);
  const [best] = partners;
  if (best && !scene.poses[best.other] && best.count >= LEAST_POINTS && best.count > 2 * (known?.count ?? 0)) {
    return {
      code: 'PHOTO_OTHER_MODEL',
      message: `It shares ${best.count} points with ${photos[best.other].name}, but both too few with the rest`,
    };
  }
  const most = known ? `${known.count} points with ${photos[known.other].name}` : 'no points with any other photo';
  return { code: 'PHOTO_FEW_MATCHES', message: `It shares ${most}, which is too little to place it` };
}
