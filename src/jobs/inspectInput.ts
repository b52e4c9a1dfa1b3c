import { mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { unpackArchive } from '../capture/files/archive.js';
import { folderAccess, listFolder } from '../capture/files/captureFolder.js';
import { lookIntoArchive, type RemoteArchive } from '../capture/files/remoteArchive.js';
import { readImageHeader } from '../capture/images/header.js';
import { findLayouts, type Layout } from '../capture/layout/detect.js';
import { FEWEST_PHOTOS } from '../capture/layout/photos.js';
import { unreadPictures } from '../capture/layout/unreadPictures.js';
import { noCameras } from '../capture/noCameras.js';
import { resolveReadOptions } from '../capture/options.js';
import { PlinthError } from '../core/errors.js';
import type { JobInput } from './jobRecord.js';
import type { DiskBudget, Reservation } from './storage/diskBudget.js';

export interface InspectLimits {
  unpackedBytes: number;
  files: number;
  /** Pixels of one picture. */
  pixels: number;
  /** Photos without cameras below which an upload is refused. Default: as many as cameras can be found of. */
  fewestPhotos?: number;
  signal?: AbortSignal;
  /** Where room is taken before an archive is unpacked. */
  disk: DiskBudget;
}

/** First bytes of the picture formats that captures are made of. */
const SIGNATURES: [RegExp, (head: Buffer) => boolean][] = [
  [/\.png$/i, (b) => b.subarray(0, 8).equals(Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]))],
  [/\.jpe?g$/i, (b) => b[0] === 0xff && b[1] === 0xd8],
  [/\.webp$/i, (b) => b.toString('latin1', 0, 4) === 'RIFF' && b.toString('latin1', 8, 12) === 'WEBP'],
  [/\.exr$/i, (b) => b.readUInt32LE(0) === 20000630],
];

/**
 * Looks at an upload before it is accepted: a zip is unpacked within the limits into a folder that is removed again,
 * the layout must be one that a reader knows, and pictures must begin like pictures and be no larger than allowed.
 * Everything deeper is the reader's work when the job runs.
 * @throws `ARCHIVE_…`, `CAPTURE_UNRECOGNISED`, `CAPTURE_NO_CAMERAS`, `IMAGE_UNREADABLE`, `IMAGE_TOO_LARGE`, `DISK_LOW`
 */
export async function inspectInput(
  folder: string,
  limits: InspectLimits,
): Promise<Pick<JobInput, 'kind' | 'files' | 'bytes'>> {
  const names = await listAll(folder);
  const [only] = names;
  if (names.length === 1 && /\.zip$/i.test(only.name)) {
    const tempFolder = `${folder}-unpacked`;
    await mkdir(tempFolder, { recursive: true });
    let room: Reservation | undefined;
    const unpacked = await unpackArchive(
      join(folder, only.name),
      resolveReadOptions({
        maxArchiveBytes: limits.unpackedBytes,
        maxArchiveEntries: limits.files,
        tempFolder,
        signal: limits.signal,
      }),
      async (bytes) => {
        room = await limits.disk.claim(bytes);
      },
    ).catch(async (error) => {
      room?.release();
      await rm(tempFolder, { recursive: true, force: true });
      throw error;
    });
    try {
      const inside = await listAll(unpacked.folder);
      await recognise(
        unpacked.folder,
        inside.map((f) => f.name),
        limits,
      );
      return { kind: 'zip', files: inside.length, bytes: only.bytes };
    } finally {
      room?.release();
      await unpacked.remove();
      await rm(tempFolder, { recursive: true, force: true });
    }
  }
  await recognise(
    folder,
    names.map((f) => f.name),
    limits,
  );
  return { kind: 'files', files: names.length, bytes: names.reduce((sum, f) => sum + f.bytes, 0) };
}

/**
 * Looks at a zip in the storage before it is accepted, by the same rules as far as they need no pictures: its directory
 * and the beginnings of its metadata are fetched alone. That its pictures are pictures shows when the job runs.
 * @throws `ARCHIVE_…`, `CAPTURE_UNRECOGNISED`, `CAPTURE_NO_CAMERAS`, `STORAGE_UNAVAILABLE`
 */
export async function inspectStored(
  archive: RemoteArchive,
  limits: Pick<InspectLimits, 'unpackedBytes' | 'files' | 'fewestPhotos' | 'signal'>,
): Promise<Pick<JobInput, 'kind' | 'files' | 'bytes'>> {
  const options = resolveReadOptions({
    maxArchiveBytes: limits.unpackedBytes,
    maxArchiveEntries: limits.files,
    signal: limits.signal,
  });
  return await lookIntoArchive(archive, options, async (access) => {
    const [layout] = await findLayouts(access);
    requireKnown(layout, access.list.paths);
    if (isTooFew(layout, limits)) throw await noCameras(layout.images, false);
    return { kind: 'zip', files: access.list.paths.length, bytes: archive.bytes };
  });
}

/** Whether the layout is of photos without cameras, and too few of them. */
const isTooFew = (
  layout: Layout,
  { fewestPhotos = FEWEST_PHOTOS }: Pick<InspectLimits, 'fewestPhotos'>,
): layout is Extract<Layout, { kind: 'pictures' }> => layout.kind === 'pictures' && layout.images.length < fewestPhotos;

async function recognise(
  folder: string,
  names: string[],
  limits: Pick<InspectLimits, 'pixels' | 'fewestPhotos'>,
): Promise<void> {
  const [layout] = await findLayouts(folderAccess(await listFolder(folder)));
  requireKnown(layout, names);
  if (isTooFew(layout, limits)) {
    throw await noCameras(layout.images.map((image) => join(folder, image)));
  }
  for (const name of names) {
    const check = SIGNATURES.find(([pattern]) => pattern.test(name))?.[1];
    if (!check) continue;
    const path = join(folder, name);
    if (!check(await head(path))) {
      throw new PlinthError('IMAGE_UNREADABLE', {
        found: `${name} does not begin like a picture of its kind`,
        expected: 'a PNG, JPEG, WebP or EXR file with the matching ending',
        remedy: 'Export the picture anew',
        subject: name,
      });
    }
    if (!/\.exr$/i.test(name)) await readImageHeader(path, limits.pixels);
  }
}

/** @throws `CAPTURE_UNRECOGNISED` */
function requireKnown(layout: Layout, names: readonly string[]): void {
  if (layout.kind === 'nothing' || layout.kind === 'several-transforms') {
    throw new PlinthError('CAPTURE_UNRECOGNISED', {
      found:
        'The upload holds ' +
        `${names.slice(0, 8).join(', ')}${names.length > 8 ? ` and ${names.length - 8} more` : ''}`,
      expected:
        'one transforms.json with its pictures (NeRF, instant-ngp, nerfstudio), a COLMAP model in sparse/0 ' +
        'with images/, or multi_views/ with front, back, left, right, top and bottom',
      remedy: 'See docs/captures.md for the layouts that Plinth reads',
      subject: names[0],
    });
  }
  if (layout.kind === 'unread-pictures') throw unreadPictures(layout, layout.names[0]);
}

async function head(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const bytes = Buffer.alloc(16);
    await file.read(bytes, 0, 16, 0);
    return bytes;
  } finally {
    await file.close();
  }
}

async function listAll(folder: string): Promise<{ name: string; bytes: number }[]> {
  const files: { name: string; bytes: number }[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.push({ name: relative(folder, path).split(sep).join('/'), bytes: (await stat(path)).size });
  }
  return files.sort((a, b) => (a.name < b.name ? -1 : 1));
}
