import { PlinthError } from '../../core/errors.js';

/** Chunks that carry the pixels of a still WebP. */
const PIXELS = ['ALPH', 'VP8 ', 'VP8L'];

/**
 * Puts still WebP pictures of one size together as an animation that runs for ever. Every frame is whole: encoders that
 * store what changed between lossy frames let their errors pile up.
 * @see https://developers.google.com/speed/webp/docs/riff_container
 * @param milliseconds that each frame is shown
 * @throws `INTERNAL` where a frame is no WebP
 */
export function animateWebp(frames: readonly Buffer[], width: number, height: number, milliseconds: number): Buffer {
  const parts = frames.map((frame) => pixelChunks(frame));
  const extended = Buffer.alloc(10);
  // Bit 1: it moves. Bit 4: it is transparent somewhere.
  extended[0] = 0x02 | (parts.some((part) => part.includes('ALPH', 0, 'latin1')) ? 0x10 : 0);
  extended.writeUIntLE(width - 1, 4, 3);
  extended.writeUIntLE(height - 1, 7, 3);
  // Background colour, and 0 for no end.
  const animation = Buffer.alloc(6);
  const moving = parts.map((part) => {
    const head = Buffer.alloc(16);
    head.writeUIntLE(width - 1, 6, 3);
    head.writeUIntLE(height - 1, 9, 3);
    head.writeUIntLE(milliseconds, 12, 3);
    // Bit 1: over nothing, not over the frame before.
    head[15] = 0x02;
    return chunk('ANMF', Buffer.concat([head, part]));
  });
  const body = Buffer.concat([Buffer.from('WEBP'), chunk('VP8X', extended), chunk('ANIM', animation), ...moving]);
  return chunk('RIFF', body);
}

function chunk(name: string, data: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.write(name, 'latin1');
  head.writeUInt32LE(data.length, 4);
  return Buffer.concat([head, data, Buffer.alloc(data.length % 2)]);
}

function pixelChunks(webp: Buffer): Buffer {
  const found: Buffer[] = [];
  for (let at = 12; at + 8 <= webp.length; ) {
    const bytes = webp.readUInt32LE(at + 4);
    const end = at + 8 + bytes + (bytes % 2);
    if (PIXELS.includes(webp.toString('latin1', at, at + 4))) found.push(webp.subarray(at, end));
    at = end;
  }
  if (found.length > 0) return Buffer.concat(found);
  throw new PlinthError('INTERNAL', { found: 'A frame of an animation is no WebP picture' });
}
