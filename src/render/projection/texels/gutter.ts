import { pause } from '../../../core/pause.js';

const ROWS_PER_TURN = 512;

/**
 * Gives every texel with alpha 0 the colour of (nearly) the nearest one with another alpha, and sets all alphas to 255.
 * Two sweeps of Danielsson's sequential distance transform (1980): exact but for rare ties. A picture without any
 * filled texel becomes grey.
 * @param pixels RGBA, in place
 */
export async function fillGutter(
  pixels: Uint8Array,
  width: number,
  height: number,
  signal?: AbortSignal,
): Promise<void> {
  const words = new Uint32Array(pixels.buffer, pixels.byteOffset, width * height);
  // Offset to the nearest filled texel: x and y as signed 16-bit halves.
  const FAR = (0x3fff << 16) | 0x3fff;
  const offsets = new Int32Array(width * height);
  for (let i = 0; i < offsets.length; i++) offsets[i] = words[i] >>> 24 === 0 ? FAR : 0;
  const tryNeighbour = (i: number, dx: number, dy: number) => {
    const o = offsets[i + dy * width + dx];
    if (o === FAR) return;
    const x = ((o << 16) >> 16) + dx;
    const y = (o >> 16) + dy;
    const own = offsets[i];
    const ox = (own << 16) >> 16;
    const oy = own >> 16;
    if (own === FAR || x * x + y * y < ox * ox + oy * oy) offsets[i] = (y << 16) | (x & 0xffff);
  };
  const sweepRow = (y: number, dy: number) => {
    const row = y * width;
    if (y + dy >= 0 && y + dy < height) {
      for (let x = 0; x < width; x++) {
        if (offsets[row + x] === 0) continue;
        tryNeighbour(row + x, 0, dy);
        if (x > 0) tryNeighbour(row + x, -1, dy);
        if (x < width - 1) tryNeighbour(row + x, 1, dy);
      }
    }
    for (let x = 1; x < width; x++) if (offsets[row + x] !== 0) tryNeighbour(row + x, -1, 0);
    for (let x = width - 2; x >= 0; x--) if (offsets[row + x] !== 0) tryNeighbour(row + x, 1, 0);
  };
  const turn = async (y: number) => {
    if (y % ROWS_PER_TURN !== 0) return;
    await pause(signal);
  };
  for (let y = 0; y < height; y++) {
    sweepRow(y, -1);
    await turn(y);
  }
  for (let y = height - 1; y >= 0; y--) {
    sweepRow(y, 1);
    await turn(y);
  }
  for (let i = 0; i < offsets.length; i++) {
    const o = offsets[i];
    if (o === FAR) words[i] = 0xff808080;
    else if (o !== 0) words[i] = words[i + (o >> 16) * width + ((o << 16) >> 16)];
  }
  for (let i = 0; i < words.length; i++) words[i] |= 0xff000000;
}
