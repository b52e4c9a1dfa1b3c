import type { FloatImage } from '../../core/image.js';

/** A map of floats as a NumPy file, version 1.0 (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html): little-endian, row by row. */
export function encodeNpy({ width, height, data }: FloatImage): Buffer {
  const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${height}, ${width}), }`;
  // Magic, version and length take 10 bytes; the whole ends at a multiple of 64 with a line break.
  const padded = `${header}${' '.repeat(63 - ((10 + header.length) % 64))}\n`;
  const out = Buffer.alloc(10 + padded.length + 4 * data.length);
  out.write('\x93NUMPY\x01\x00', 0, 'latin1');
  out.writeUInt16LE(padded.length, 8);
  out.write(padded, 10, 'latin1');
  for (let i = 0, at = 10 + padded.length; i < data.length; i++, at += 4) out.writeFloatLE(data[i], at);
  return out;
}
