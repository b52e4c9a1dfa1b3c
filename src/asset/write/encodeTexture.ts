import sharp from 'sharp';
import type { ColorImage } from '../../core/image.js';

export type TextureFormat = 'png' | 'webp';

export type TextureEncoder = (
  image: ColorImage,
  format: TextureFormat,
  content: 'color' | 'data',
) => Promise<Uint8Array>;

/**
 * Encodes a texture without its alpha channel, which is opaque in every asset. PNG is lossless. WebP is near-lossless
 * to the eye at a tenth of the size (quality 90, full-resolution chroma unavailable in WebP); linear data (roughness,
 * normals) is stored lossless there, for chroma subsampling would mix channels that have nothing to do with each other.
 */
export async function encodeTexture(
  image: ColorImage,
  format: TextureFormat,
  content: 'color' | 'data',
): Promise<Uint8Array> {
  const { data, width, height } = image;
  const raw = sharp(Buffer.from(data.buffer, data.byteOffset, data.byteLength), {
    raw: { width, height, channels: 4 },
  }).removeAlpha();
  const encoded =
    format === 'png'
      ? raw.png({ compressionLevel: 6, palette: false })
      : raw.webp(
          content === 'color' ? { quality: 90, effort: 4, smartSubsample: true } : { lossless: true, effort: 2 },
        );
  return new Uint8Array(await encoded.toBuffer());
}

/** An encoder that does the same work only once, for writing one asset in several formats. */
export function sharedEncoder(): TextureEncoder {
  const done = new Map<ColorImage, Map<string, Promise<Uint8Array>>>();
  return (image, format, content) => {
    let ofImage = done.get(image);
    if (!ofImage) {
      ofImage = new Map();
      done.set(image, ofImage);
    }
    // PNG is lossless whatever it holds.
    const key = format === 'png' ? format : `${format} ${content}`;
    let encoded = ofImage.get(key);
    if (!encoded) {
      encoded = encodeTexture(image, format, content);
      ofImage.set(key, encoded);
    }
    return encoded;
  };
}
