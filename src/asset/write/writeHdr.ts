import { writeFile } from 'node:fs/promises';
import type { HdrImage } from '../../core/image.js';

/**
 * Encodes linear RGB as Radiance RGBE (`.hdr`; Ward 1991), rows from top to bottom, run-length encoded per channel.
 * Values keep a relative precision of 1/256 of the largest channel; negative and non-finite values become 0.
 */
export function encodeHdr(image: HdrImage): Uint8Array {
  const { width, height, data } = image;
  const header = new TextEncoder().encode(`#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y ${height} +X ${width}\n`);
  const parts: Uint8Array[] = [header];
  // Run-length encoding is defined for these widths only; others are stored flat.
  const runs = width >= 8 && width <= 32767;
  for (let y = 0; y < height; y++) {
    const rgbe = new Uint8Array(width * 4);
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * 3;
      encodeTexel(data[at], data[at + 1], data[at + 2], rgbe, x * 4);
    }
    if (!runs) {
      parts.push(rgbe);
      continue;
    }
    const line: number[] = [2, 2, width >> 8, width & 255];
    for (let k = 0; k < 4; k++) encodeRuns(rgbe, k, width, line);
    parts.push(Uint8Array.from(line));
  }
  return new Uint8Array(Buffer.concat(parts));
}

/** Writes `encodeHdr` to a file. */
export async function writeHdr(image: HdrImage, path: string): Promise<void> {
  await writeFile(path, encodeHdr(image));
}

function encodeTexel(r: number, g: number, b: number, out: Uint8Array, at: number): void {
  const clean = [r, g, b].map((v) => (Number.isFinite(v) && v > 0 ? v : 0));
  const largest = Math.max(...clean);
  if (largest < 1e-32) return;
  // largest = fraction · 2^exponent with a fraction in 0.5…1.
  let exponent = Math.floor(Math.log2(largest)) + 1;
  if (largest / 2 ** exponent >= 1) exponent++;
  let scale = 256 / 2 ** exponent;
  if (Math.round(largest * scale) > 255) {
    exponent++;
    scale /= 2;
  }
  for (let k = 0; k < 3; k++) out[at + k] = Math.round(clean[k] * scale);
  out[at + 3] = exponent + 128;
}

/** One channel of a line: runs of four or more equal bytes as (128 + length, byte), the rest as (length, bytes…). */
function encodeRuns(rgbe: Uint8Array, k: number, width: number, out: number[]): void {
  const runAt = (x: number): number => {
    let n = 1;
    while (n < 127 && x + n < width && rgbe[(x + n) * 4 + k] === rgbe[x * 4 + k]) n++;
    return n;
  };
  let x = 0;
  while (x < width) {
    const run = runAt(x);
    if (run >= 4) {
      out.push(128 + run, rgbe[x * 4 + k]);
      x += run;
      continue;
    }
    const from = x;
    while (x < width && x - from < 128) {
      const next = runAt(x);
      if (next >= 4) break;
      x += Math.min(next, 128 - (x - from));
    }
    out.push(x - from);
    for (let i = from; i < x; i++) out.push(rgbe[i * 4 + k]);
  }
}
