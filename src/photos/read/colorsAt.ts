import sharp from 'sharp';

/** Longer side at which colours are taken: a point is many pixels wide. */
const SIZE = 800;

/** Colours (sRGB, three bytes each) of a photo as stored, at places given in its pixels (x, y interleaved). */
export async function colorsAt(
  photo: { file: string; width: number; height: number },
  places: ArrayLike<number>,
): Promise<Uint8Array> {
  const { data, info } = await sharp(photo.file, { limitInputPixels: false })
    .resize(SIZE, SIZE, { fit: 'inside', withoutEnlargement: true })
    .toColourspace('srgb')
    .removeAlpha()
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  const count = places.length / 2;
  const out = new Uint8Array(count * 3);
  for (let i = 0; i < count; i++) {
    const x = Math.min(info.width - 1, Math.max(0, Math.floor((places[i * 2] * info.width) / photo.width)));
    const y = Math.min(info.height - 1, Math.max(0, Math.floor((places[i * 2 + 1] * info.height) / photo.height)));
    const at = (y * info.width + x) * info.channels;
    for (let c = 0; c < 3; c++) out[i * 3 + c] = data[at + (info.channels === 3 ? c : 0)];
  }
  return out;
}
