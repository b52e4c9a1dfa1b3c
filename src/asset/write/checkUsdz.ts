import { posix } from 'node:path';
import { crc32 } from 'node:zlib';

/** File types that a USDZ package may hold (USDZ File Format Specification, "File Types"). */
const LAYERS = ['usda', 'usdc', 'usd'];
const ALLOWED = [...LAYERS, 'png', 'jpg', 'jpeg', 'exr', 'avif', 'm4a', 'mp3', 'wav'];

/**
 * Checks a file against the rules of the USDZ File Format Specification 1.3: a ZIP archive without compression and
 * encryption, contiguous from its first byte; every file's data at a multiple of 64 bytes; allowed file types only; a
 * USD layer first; and, in text layers, a default prim, an up axis, and asset paths that stay within the package and
 * exist in it.
 *
 * @returns what is wrong, one sentence each; empty = nothing.
 */
export function checkUsdz(bytes: Uint8Array): string[] {
  const problems: string[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let end = bytes.length - 22;
  while (end >= 0 && view.getUint32(end, true) !== 0x06054b50) end--;
  if (end < 0) return ['The file is no ZIP archive: there is no end of central directory record.'];
  const count = view.getUint16(end + 10, true);
  const centralSize = view.getUint32(end + 12, true);
  const centralAt = view.getUint32(end + 16, true);
  if (view.getUint16(end + 4, true) !== 0 || view.getUint16(end + 8, true) !== count)
    problems.push('The archive is split over several disks.');
  if (centralAt + centralSize !== end) problems.push('The central directory is not where the archive says.');
  if (count === 0) return [...problems, 'The archive is empty.'];

  const files = new Map<string, Uint8Array>();
  const names: string[] = [];
  let at = centralAt;
  let expected = 0;
  for (let i = 0; i < count; i++) {
    if (at + 46 > end || view.getUint32(at, true) !== 0x02014b50) {
      problems.push(`Entry ${i + 1} of the central directory is damaged.`);
      break;
    }
    const nameLength = view.getUint16(at + 28, true);
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength));
    const data = checkEntry(bytes, view, at, name, expected, problems);
    if (data) {
      expected = data.byteOffset - bytes.byteOffset + data.length;
      if (files.has(name)) problems.push(`${name}: there are two files of this name.`);
      files.set(name, data);
    }
    names.push(name);
    at += 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  const [first] = names;
  if (first !== undefined && !LAYERS.includes(extension(first)))
    problems.push(`${first}: the first file must be a USD layer (${LAYERS.join(', ')}).`);
  for (const [name, data] of files)
    if (LAYERS.includes(extension(name))) checkLayer(name, data, files, name === first, problems);
  return problems;
}

function checkEntry(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  name: string,
  expected: number,
  problems: string[],
): Uint8Array | undefined {
  const flags = view.getUint16(at + 8, true);
  const method = view.getUint16(at + 10, true);
  const crc = view.getUint32(at + 16, true);
  const compressed = view.getUint32(at + 20, true);
  const size = view.getUint32(at + 24, true);
  const local = view.getUint32(at + 42, true);
  if (name.startsWith('/') || name.includes('\\') || name.split('/').includes('..'))
    problems.push(`${name}: the name leaves the package.`);
  if (!ALLOWED.includes(extension(name))) problems.push(`${name}: this file type is not allowed in a package.`);
  if (method !== 0 || compressed !== size) problems.push(`${name}: the file is compressed.`);
  if (flags & 0x0001) problems.push(`${name}: the file is encrypted.`);
  if (flags & 0x0008) problems.push(`${name}: the size stands after the data instead of before it.`);
  if (local + 30 > bytes.length || view.getUint32(local, true) !== 0x04034b50) {
    problems.push(`${name}: there is no local header where the central directory says.`);
    return undefined;
  }
  if (local !== expected) problems.push(`${name}: there are bytes between files that belong to none.`);
  const localName = new TextDecoder().decode(bytes.subarray(local + 30, local + 30 + view.getUint16(local + 26, true)));
  if (localName !== name) problems.push(`${name}: the local header has the name ${localName}.`);
  if (view.getUint16(local + 8, true) !== method || view.getUint32(local + 22, true) !== size)
    problems.push(`${name}: local header and central directory disagree.`);
  const dataAt = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
  if (dataAt % 64 !== 0) problems.push(`${name}: the data begin at byte ${dataAt}, which is no multiple of 64.`);
  if (dataAt + compressed > bytes.length) {
    problems.push(`${name}: the data end beyond the file.`);
    return undefined;
  }
  const data = bytes.subarray(dataAt, dataAt + compressed);
  if (method === 0 && crc32(data) !== crc) problems.push(`${name}: the checksum is wrong.`);
  checkMagic(name, data, problems);
  return data;
}

/** Files must be what their names say. */
function checkMagic(name: string, data: Uint8Array, problems: string[]): void {
  const head = Buffer.from(data.buffer, data.byteOffset, Math.min(16, data.length)).toString('latin1');
  const expected: Record<string, (h: string) => boolean> = {
    png: (h) => h.startsWith('\x89PNG\r\n\x1a\n'),
    jpg: (h) => h.startsWith('\xff\xd8\xff'),
    jpeg: (h) => h.startsWith('\xff\xd8\xff'),
    exr: (h) => h.startsWith('v/1\x01'),
    avif: (h) => h.slice(4, 8) === 'ftyp',
    usda: (h) => h.startsWith('#usda '),
    usdc: (h) => h.startsWith('PXR-USDC'),
    usd: (h) => h.startsWith('#usda ') || h.startsWith('PXR-USDC'),
  };
  if (expected[extension(name)]?.(head) === false)
    problems.push(`${name}: the contents are not of the type that the name says.`);
}

function checkLayer(
  name: string,
  data: Uint8Array,
  files: ReadonlyMap<string, Uint8Array>,
  isRoot: boolean,
  problems: string[],
): void {
  if (!new TextDecoder().decode(data.subarray(0, 6)).startsWith('#usda')) return;
  const text = new TextDecoder().decode(data);
  const metadata = /^#usda [\d.]+\s*\(([\s\S]*?)\n\)/.exec(text)?.[1] ?? '';
  if (isRoot) {
    const prim = /defaultPrim\s*=\s*"([^"]*)"/.exec(metadata)?.[1];
    if (prim === undefined) problems.push(`${name}: there is no default prim.`);
    else if (!new RegExp(`^def (\\w+ )?"${prim}"`, 'm').test(text))
      problems.push(`${name}: the default prim "${prim}" is not defined.`);
    if (!/upAxis\s*=\s*"[YZ]"/.test(metadata)) problems.push(`${name}: there is no up axis.`);
    if (!/metersPerUnit\s*=/.test(metadata)) problems.push(`${name}: the unit of length is not given.`);
  }
  for (const [, path] of text.matchAll(/@([^@\n]+)@/g)) {
    if (posix.isAbsolute(path) || /^[a-z]+:/i.test(path)) {
      problems.push(`${name}: the asset path ${path} leaves the package.`);
      continue;
    }
    // Relative paths are anchored at the layer; what does not begin with a dot may also be meant from the package's
    // root.
    const anchored = posix.normalize(posix.join(posix.dirname(name), path));
    if (!files.has(anchored) && !files.has(posix.normalize(path)))
      problems.push(`${name}: the asset path ${path} names no file of the package.`);
  }
}

const extension = (name: string): string => /\.([^./]+)$/.exec(name)?.[1].toLowerCase() ?? '';
