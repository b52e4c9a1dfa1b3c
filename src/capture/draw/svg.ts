import sharp from 'sharp';
import type { ColorImage } from '../../core/image.js';

export const escapeXml = (text: string): string => text.replace(/[<>&"']/g, (c) => `&#${c.charCodeAt(0)};`);

/** Draws an SVG body at the given size over a picture (or transparent ground). */
export async function drawSvg(width: number, height: number, body: string, ground?: ColorImage): Promise<ColorImage> {
  const svg = Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ` +
      `${height}" font-family="sans-serif">${body}</svg>`,
  );
  const base = ground
    ? sharp(ground.data, { raw: { width, height, channels: 4 } })
    : sharp({ create: { width, height, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } } });
  const data = await base
    .composite([{ input: svg }])
    .ensureAlpha()
    .raw()
    .toBuffer();
  return { width, height, data: new Uint8ClampedArray(data.buffer, data.byteOffset, data.length) };
}
