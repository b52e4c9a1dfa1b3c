/** Bytes in which the size of a picture is found, photos with large EXIF data included. */
export const SIZE_BYTES = 256 * 1024;

/**
 * Size of the stored pixels from a file's first bytes; undefined for what is no PNG, JPEG or WebP, or states none
 * there.
 */
export function pictureSize(head: Uint8Array): { width: number; height: number } | undefined {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (head.length >= 24 && view.getUint32(0) === 0x89504e47) return sizeOf(view.getUint32(16), view.getUint32(20));
  if (head.length >= 4 && view.getUint16(0) === 0xffd8) return jpegSize(view);
  if (head.length >= 30 && view.getUint32(0) === 0x52494646 && view.getUint32(8) === 0x57454250) return webpSize(view);
  return undefined;
}

const sizeOf = (width: number, height: number) => (width > 0 && height > 0 ? { width, height } : undefined);

/** Goes through the segments (ITU T.81, B.1) to the frame header. */
function jpegSize(view: DataView): { width: number; height: number } | undefined {
  for (let at = 2; at + 9 <= view.byteLength; ) {
    if (view.getUint8(at) !== 0xff) return undefined;
    const marker = view.getUint8(at + 1);
    // SOF0…SOF15 without DHT, JPG and DAC.
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      return sizeOf(view.getUint16(at + 7), view.getUint16(at + 5));
    }
    at += marker === 0xff ? 1 : 2 + view.getUint16(at + 2);
  }
  return undefined;
}

function webpSize(view: DataView): { width: number; height: number } | undefined {
  const kind = view.getUint32(12);
  const uint24 = (at: number): number => view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
  if (kind === 0x56503858) return sizeOf(uint24(24) + 1, uint24(27) + 1);
  if (kind === 0x56503820) return sizeOf(view.getUint16(26, true) & 0x3fff, view.getUint16(28, true) & 0x3fff);
  if (kind !== 0x5650384c) return undefined;
  const bits = view.getUint32(21, true);
  return sizeOf((bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1);
}
