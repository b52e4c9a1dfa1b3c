/** The DT_NEEDED entries of a 64-bit little-endian ELF file (System V ABI, chapter 5). */
export function neededLibraries(elf: Buffer): string[] {
  if (elf.readUInt32BE(0) !== 0x7f454c46 || elf[4] !== 2) return [];
  const headers = Number(elf.readBigUInt64LE(32));
  const size = elf.readUInt16LE(54);
  const count = elf.readUInt16LE(56);
  const segments: { type: number; offset: number; address: number; length: number }[] = [];
  for (let i = 0; i < count; i++) {
    const at = headers + i * size;
    segments.push({
      type: elf.readUInt32LE(at),
      offset: Number(elf.readBigUInt64LE(at + 8)),
      address: Number(elf.readBigUInt64LE(at + 16)),
      length: Number(elf.readBigUInt64LE(at + 32)),
    });
  }
  const dynamic = segments.find((s) => s.type === 2);
  if (!dynamic) return [];
  const offsets: number[] = [];
  let strings = 0;
  for (let at = dynamic.offset; at < dynamic.offset + dynamic.length; at += 16) {
    const tag = Number(elf.readBigInt64LE(at));
    const value = Number(elf.readBigUInt64LE(at + 8));
    if (tag === 0) break;
    if (tag === 1) offsets.push(value);
    if (tag === 5) strings = value;
  }
  const home = segments.find((s) => s.type === 1 && strings >= s.address && strings < s.address + s.length);
  const base = home ? strings - home.address + home.offset : strings;
  return offsets.map((o) => elf.toString('latin1', base + o, elf.indexOf(0, base + o)));
}
