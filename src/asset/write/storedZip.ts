import { crc32 } from 'node:zlib';

export interface StoredFile {
  name: string;
  data: Uint8Array;
}

/** Header id of the extra field that holds nothing but padding. */
const PADDING_ID = 0x1986;

/**
 * A ZIP archive (APPNOTE 6.3) of uncompressed files whose data begin at multiples of `alignment` bytes, so that they
 * can be used straight from a memory map, as USDZ demands. Dates are the format's zero, 1980-01-01, so that the same
 * files give the same bytes.
 */
export function storedZip(files: readonly StoredFile[], alignment = 64): Uint8Array {
  const encoder = new TextEncoder();
  const local: Uint8Array[] = [];
  const central: Uint8Array[] = [];
  let offset = 0;
  for (const { name, data } of files) {
    const encoded = encoder.encode(name);
    const dataAt = offset + 30 + encoded.length;
    // An extra field takes at least its own header of four bytes.
    const extra = dataAt % alignment === 0 ? 0 : alignment - (dataAt % alignment);
    const padding = extra > 0 && extra < 4 ? extra + alignment : extra;
    const common = (view: DataView, at: number) => {
      view.setUint16(at, 10, true); // version needed: 1.0
      view.setUint16(at + 2, 0x0800, true); // flags: UTF-8 names, nothing else
      view.setUint16(at + 4, 0, true); // method: stored
      view.setUint16(at + 6, 0, true); // time
      view.setUint16(at + 8, 0x0021, true); // date
      view.setUint32(at + 10, crc32(data), true);
      view.setUint32(at + 14, data.length, true);
      view.setUint32(at + 18, data.length, true);
      view.setUint16(at + 22, encoded.length, true);
    };
    const header = new Uint8Array(30 + encoded.length + padding);
    const view = new DataView(header.buffer);
    view.setUint32(0, 0x04034b50, true);
    common(view, 4);
    view.setUint16(28, padding, true);
    header.set(encoded, 30);
    if (padding > 0) {
      view.setUint16(30 + encoded.length, PADDING_ID, true);
      view.setUint16(32 + encoded.length, padding - 4, true);
    }
    local.push(header, data);

    const entry = new Uint8Array(46 + encoded.length);
    const entryView = new DataView(entry.buffer);
    entryView.setUint32(0, 0x02014b50, true);
    entryView.setUint16(4, 10, true);
    common(entryView, 6);
    entryView.setUint32(42, offset, true);
    entry.set(encoded, 46);
    central.push(entry);
    offset += header.length + data.length;
  }
  const centralSize = central.reduce((sum, e) => sum + e.length, 0);
  const end = new Uint8Array(22);
  const view = new DataView(end.buffer);
  view.setUint32(0, 0x06054b50, true);
  view.setUint16(8, files.length, true);
  view.setUint16(10, files.length, true);
  view.setUint32(12, centralSize, true);
  view.setUint32(16, offset, true);
  const out = new Uint8Array(offset + centralSize + end.length);
  let at = 0;
  for (const part of [...local, ...central, end]) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
