import exifr from 'exifr';

/** What EXIF says about camera and lens of a picture. */
export interface ExifCamera {
  make?: string;
  model?: string;
  lensModel?: string;
  /** Millimetres. */
  focalLength?: number;
  /** Focal length in pixels of the picture, where EXIF gives the 35 mm equivalent. */
  focalPixels?: number;
}

/**
 * Diagonal of 35-mm film in millimetres: equivalent focal lengths are those of the same angle of view across it, not
 * across its width (CIPA DCG-001, "35 mm film equivalent focal length"). For 4:3 pictures the two differ by 4 %.
 */
const FILM_DIAGONAL = Math.hypot(36, 24);
const WANTED = [
  'Make',
  'Model',
  'LensModel',
  'FocalLength',
  'FocalLengthIn35mmFormat',
  'ExifImageWidth',
  'ExifImageHeight',
];

/**
 * Reads what EXIF says; nothing where there is none or it is damaged. A stated picture size of another shape than the
 * picture's own shows that it was cropped: the focal length in pixels is then that of the whole picture. One of the
 * same shape shows that it was scaled.
 */
export async function readExif(file: string, width: number, height: number): Promise<ExifCamera> {
  let data: Record<string, unknown> | undefined;
  try {
    data = await exifr.parse(file, WANTED);
  } catch {
    return {};
  }
  const numeric = (value: unknown): number | undefined =>
    typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : undefined;
  const text = (value: unknown): string | undefined =>
    typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
  const equivalent = numeric(data?.FocalLengthIn35mmFormat);
  const size = { width: numeric(data?.ExifImageWidth), height: numeric(data?.ExifImageHeight) };
  return {
    make: text(data?.Make),
    model: text(data?.Model),
    lensModel: text(data?.LensModel),
    focalLength: numeric(data?.FocalLength),
    focalPixels: equivalent && (equivalent / FILM_DIAGONAL) * sensorDiagonal(width, height, size),
  };
}

/** Diagonal of the whole picture as the camera took it, in pixels of the one at hand. */
export function sensorDiagonal(width: number, height: number, stated: { width?: number; height?: number }): number {
  const whole = Math.hypot(width, height);
  if (!stated.width || !stated.height) return whole;
  const shape = (w: number, h: number): number => Math.max(w, h) / Math.min(w, h);
  const same = Math.abs(shape(width, height) / shape(stated.width, stated.height) - 1) < 0.01;
  const larger = Math.max(stated.width, stated.height) >= Math.max(width, height);
  return same || !larger ? whole : Math.hypot(stated.width, stated.height);
}
