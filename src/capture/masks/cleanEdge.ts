import type { ColorImage } from '../../core/image.js';

const REACH = 3;

/**
 * Puts a mask into a picture's alpha and gives the pixels along the outline, which are mixed with the background, the
 * mean colour of the object's pixels next to them: straight alpha means the object's own colour, and a texture must not
 * catch the background's. Changes `image`.
 */
export function applySoftMask(image: ColorImage, mask: Uint8Array): void {
  const { width, height, data } = image;
  for (let i = 0; i < mask.length; i++) data[i * 4 + 3] = mask[i];
  const edge: number[] = [];
  for (let i = 0; i < mask.length; i++) if (mask[i] > 0 && mask[i] < 250) edge.push(i);
  const colors = new Uint8Array(edge.length * 3);
  edge.forEach((i, n) => {
    const x = i % width;
    const y = (i - x) / width;
    let r = 0;
    let g = 0;
    let b = 0;
    let count = 0;
    for (let v = Math.max(0, y - REACH); v <= Math.min(height - 1, y + REACH); v++)
      for (let u = Math.max(0, x - REACH); u <= Math.min(width - 1, x + REACH); u++) {
        const j = v * width + u;
        if (mask[j] < 250) continue;
        r += data[j * 4];
        g += data[j * 4 + 1];
        b += data[j * 4 + 2];
        count++;
      }
    colors[n * 3] = count > 0 ? r / count : data[i * 4];
    colors[n * 3 + 1] = count > 0 ? g / count : data[i * 4 + 1];
    colors[n * 3 + 2] = count > 0 ? b / count : data[i * 4 + 2];
  });
  edge.forEach((i, n) => {
    for (let k = 0; k < 3; k++) data[i * 4 + k] = colors[n * 3 + k];
  });
}
