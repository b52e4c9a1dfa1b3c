import { crc32, deflateRawSync } from 'node:zlib';

export interface ZipEntry {
  name: string | Buffer;
  data?: Uint8Array;
  /** Says another unpacked size than is true. */
  declaredSize?: number;
  encrypted?: boolean;
  /** Unix mode, for links. */
  mode?: number;
  store?: boolean;
  /** Takes the data of the entry with this index instead of its own. */
  overlaps?: number;
}

/** Writes zip archives byte by byte, dishonest ones too. */
export function zip(entries: readonly ZipEntry[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  const offsets: number[] = [];
  let offset = 0;
  entries.forEach((entry, index) => {
    const source = entry.overlaps === undefined ? entry : entries[entry.overlaps];
    const data = source.data ?? new Uint8Array();
    const packed = source.store ? Buffer.from(data) : deflateRawSync(data);
    const name = Buffer.from(entry.name);
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    // Bit 11: names are UTF-8.
    fields.writeUInt16LE((typeof entry.name === 'string' ? 0x800 : 0) | (entry.encrypted ? 1 : 0), 2);
    fields.writeUInt16LE(source.store ? 0 : 8, 4);
    fields.writeUInt32LE(crc32(data), 10);
    fields.writeUInt32LE(packed.length, 14);
    fields.writeUInt32LE(entry.declaredSize ?? data.length, 18);
    fields.writeUInt16LE(name.length, 22);
    if (entry.overlaps === undefined) {
      offsets[index] = offset;
      const local = Buffer.concat([Buffer.from([0x50, 0x4b, 3, 4]), fields, name, packed]);
      parts.push(local);
      offset += local.length;
    } else {
      offsets[index] = offsets[entry.overlaps];
    }
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(((entry.mode ?? 0) << 16) >>> 0, 6);
    tail.writeUInt32LE(offsets[index], 10);
    directory.push(Buffer.from([0x50, 0x4b, 1, 2, 20, 3]), fields, tail, name);
  });
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length & 0xffff, 8);
  end.writeUInt16LE(entries.length & 0xffff, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, central, end]);
}

/** Names in the central directory of a zip, in its order. */
export function zipNames(archive: Buffer): string[] {
  const end = archive.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]));
  const names: string[] = [];
  let at = archive.readUInt32LE(end + 16);
  for (let left = archive.readUInt16LE(end + 10); left > 0; left--) {
    const [name, extra, comment] = [28, 30, 32].map((field) => archive.readUInt16LE(at + field));
    names.push(archive.toString('utf8', at + 46, at + 46 + name));
    at += 46 + name + extra + comment;
  }
  return names;
}
