import type { Entry } from './readZip.js';

/** Pictures whose first bytes are looked at. */
const SAMPLES = 8;

/** Whether the first pictures all can be transparent. */
export async function anyTransparency(pictures: readonly Entry[]): Promise<boolean> {
  const found = await Promise.all(
    pictures
      .slice(0, SAMPLES)
      .map(async (p) => hasAlpha(new Uint8Array(await (await p.blob()).slice(0, 40).arrayBuffer()))),
  );
  return found.length > 0 && found.every((f) => f);
}

/** From the header of a PNG (colour type 4 or 6) or WebP (VP8X or VP8L alpha bit). */
export function hasAlpha(head: Uint8Array): boolean {
  const text = String.fromCharCode(...head);
  if (text.startsWith('\x89PNG')) return head[25] === 4 || head[25] === 6;
  if (text.slice(8, 15) === 'WEBPVP8' && text[15] === 'X') return (head[20] & 0x10) !== 0;
  if (text.slice(8, 16) === 'WEBPVP8L') return (head[24] & 0x10) !== 0;
  return false;
}
