import type { Stats } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { PlinthError, throwIfCancelled } from '../core/errors.js';
import type { Capture } from './capture.js';
import { unpackArchive } from './files/archive.js';
import { type CaptureFolder, listFolder } from './files/captureFolder.js';
import { finishCapture } from './finish.js';
import { readColmap } from './formats/colmap.js';
import type { ReadSources } from './formats/sources.js';
import { readTransforms } from './formats/transforms.js';
import { detectLayout, type Layout } from './layout/detect.js';
import { isImageName } from './layout/names.js';
import { noCameras } from './noCameras.js';
import { type ReadOptions, type ResolvedReadOptions, resolveReadOptions } from './options.js';
import { readSixViews } from './sixView/readSixViews.js';

/** Finds cameras for pictures that have none: paths in the folder. */
export type CameraFinder = (
  folder: CaptureFolder,
  images: readonly string[],
  options: ResolvedReadOptions,
) => Promise<ReadSources>;

/**
 * Reads a capture: a folder, a `.zip`, or a transforms `.json` with its pictures beside it. Every picture, mask and depth map is
 * decoded once, so that nothing unreadable is found later; pixels are not kept.
 *
 * An archive is unpacked into a folder of its own, which is removed on any error and by `dispose()`.
 *
 * @param finder what to do with pictures without cameras; without it they are refused with `CAPTURE_NO_CAMERAS`
 *
 * Throws coded errors `CAPTURE_…`, `IMAGE_…`, `DEPTH_INVALID`, `ARCHIVE_…`, `OPTION_INVALID` that name the file, and `CANCELLED`.
 */
export async function readCapture(path: string, options?: ReadOptions, finder?: CameraFinder): Promise<Capture> {
  const resolved = resolveReadOptions(options);
  const capture = await readAny(path, resolved, finder);
  if (resolved.strict && capture.warnings.length > 0) {
    await capture.dispose();
    throw notClean(capture);
  }
  return capture;
}

/** All warnings in one error, so that one run tells everything that is to be mended. */
const notClean = ({ warnings, source }: Capture): PlinthError =>
  new PlinthError('CAPTURE_NOT_CLEAN', {
    found: `The capture gives ${warnings.length} warning${warnings.length === 1 ? '' : 's'}: ${warnings.map((w) => `${w.code}: ${w.message}`).join(' ')}`,
    expected: 'none, since strict reading was asked for',
    remedy: 'Mend what is named, or read without strict',
    subject: source,
  });

async function readAny(path: string, resolved: ResolvedReadOptions, finder?: CameraFinder): Promise<Capture> {
  const full = resolve(path);
  const info = await stat(full).catch(() => undefined);
  if (!info) {
    throw new PlinthError('CAPTURE_NOT_FOUND', {
      found: `There is nothing at ${full}`,
      expected: 'a folder, a .zip file or a transforms .json file',
      remedy: 'Check the path',
      subject: full,
    });
  }
  const name = basename(full).replace(/\.(zip|json)$/i, '');
  if (info.isDirectory()) {
    const folder = await listFolder(full);
    return readFolder(folder, detectLayout(folder.list), name, full, resolved, noFiles, finder);
  }
  if (/\.json$/i.test(full)) {
    const layout: Layout = { kind: 'transforms', root: '', files: [{ file: basename(full), split: 'train' }] };
    return readFolder(
      await listFolder(dirname(full)),
      layout,
      `${basename(dirname(full))}-${name}`,
      full,
      resolved,
      noFiles,
      finder,
    );
  }
  await checkArchive(full, info);
  const unpacked = await unpackArchive(full, resolved);
  try {
    const folder = await listFolder(unpacked.folder);
    const layout = detectLayout(folder.list);
    if (layout.kind === 'nothing') layout.names.push(...unpacked.left);
    return await readFolder(folder, layout, name, full, resolved, unpacked.remove, finder);
  } catch (error) {
    await unpacked.remove();
    throw error;
  }
}

/** Endings of what people take for archives that Plinth reads: the unpacking tells what is wrong with them. */
const ARCHIVE = /\.(zip|rar|7z|tar|t?gz|t?bz2|t?xz|zst)$/i;

/** Refuses what can be no archive: pipes and devices (reading them may never end), and files of other kinds. */
async function checkArchive(file: string, info: Stats): Promise<void> {
  const refuse = (found: string): never => {
    throw new PlinthError('CAPTURE_UNRECOGNISED', {
      found,
      expected: 'a folder, a .zip file or a transforms .json file',
      remedy: 'Give the folder that holds the pictures with their cameras; docs/captures.md has the layouts',
      subject: file,
    });
  };
  if (!info.isFile()) refuse(`${file} is neither a folder nor a file`);
  if (ARCHIVE.test(file)) return;
  if (isImageName(file)) refuse(`${basename(file)} is one picture, not a capture`);
  const handle = await open(file);
  try {
    const { buffer } = await handle.read({ buffer: Buffer.alloc(2), length: 2 });
    if (buffer.toString('latin1') !== 'PK') refuse(`${basename(file)} is no archive`);
  } finally {
    await handle.close();
  }
}

const noFiles = async (): Promise<void> => {};

async function readFolder(
  folder: CaptureFolder,
  layout: Layout,
  name: string,
  source: string,
  options: ResolvedReadOptions,
  dispose: () => Promise<void>,
  finder?: CameraFinder,
): Promise<Capture> {
  throwIfCancelled(options.signal);
  switch (layout.kind) {
    case 'transforms':
      return finishCapture(await readTransforms(folder, layout.files, options), name, source, options, dispose);
    case 'colmap':
      return finishCapture(
        await readColmap(folder, layout.root, layout.model, options),
        name,
        source,
        options,
        dispose,
      );
    case 'six-view':
      return { ...(await readSixViews(folder, layout.root, options)), name, source, dispose };
    case 'pictures':
      if (!finder) throw await noCameras(layout.images.map((image) => join(folder.root, image)));
      return finishCapture(await finder(folder, layout.images, options), name, source, options, dispose);
    case 'several-transforms':
      throw new PlinthError('CAPTURE_UNRECOGNISED', {
        found: `${source} holds several transforms files: ${layout.names.join(', ')}`,
        expected: 'transforms.json, or transforms_train.json with transforms_test.json',
        remedy: 'Give the path of the file that is meant',
        subject: source,
      });
    case 'nothing':
      throw new PlinthError('CAPTURE_UNRECOGNISED', {
        found: `${source} holds ${layout.names.length === 0 ? 'nothing' : layout.names.slice(0, 8).join(', ')}`,
        expected:
          'transforms.json (NeRF, instant-ngp, nerfstudio), a COLMAP model in sparse/0 with images/, or multi_views/ with front, back, left, right, top and bottom',
        remedy: 'See docs/captures.md for the layouts that Plinth reads',
        subject: source,
      });
  }
}
