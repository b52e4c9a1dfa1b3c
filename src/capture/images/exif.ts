import exifr from 'exifr';

export interface ExifCamera {
  make?: string;
  model?: string;
  /** Millimetres. */
  focalLength?: number;
  /** Focal length in pixels of the picture's longer side, where EXIF gives the 35 mm equivalent (36 mm wide film). */
  focalPixels?: number;
}

/** What the EXIF data of a picture say about its camera; nothing where there are none or they are damaged. */
export async function readExif(file: string, longerSide: number): Promise<ExifCamera> {
  const wanted = ['Make', 'Model', 'FocalLength', 'FocalLengthIn35mmFormat'];
  let data: Record<string, unknown> | undefined;
  try {
    data = await exifr.parse(file, wanted);
  } catch {
    return {};
  }
  const numeric = (value: unknown): number | undefined =>
    typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : undefined;
  const text = (value: unknown): string | undefined => (typeof value === 'string' ? value.trim() : undefined);
  const equivalent = numeric(data?.FocalLengthIn35mmFormat);
  return {
    make: text(data?.Make),
    model: text(data?.Model),
    focalLength: numeric(data?.FocalLength),
    focalPixels: equivalent && (equivalent / 36) * longerSide,
  };
}
