import type { Stats } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { Warning } from '../core/context.js';
import { PlinthError, throwIfCancelled } from '../core/errors.js';
import type { Capture, LeftOutPart } from './capture.js';
import { unpackArchive } from './files/archive.js';
import { type CaptureFolder, folderAccess, listFolder } from './files/captureFolder.js';
import { finishCapture } from './finish.js';
import { readColmap } from './formats/colmap.js';
import { readExport } from './formats/exports.js';
import type { ReadSources } from './formats/sources.js';
import { readTransforms } from './formats/transforms.js';
import { findLayouts, type Layout, layoutName, type TransformsFile } from './layout/detect.js';
import { isHeicName, isImageName } from './layout/names.js';
import { unreadPictures } from './layout/unreadPictures.js';
import { noCameras } from './noCameras.js';
import { type ReadOptions, type ResolvedReadOptions, resolveReadOptions } from './options.js';
import { readSixViews } from './sixView/readSixViews.js';

/** Finds cameras for pictures that have none: paths in the folder, all of which are HEIC where none is read else. */
export type CameraFinder = (
  folder: CaptureFolder,
  images: readonly string[],
  options: ResolvedReadOptions,
) => Promise<ReadSources>;

/**
 * Reads a capture: a folder, a `.zip`, or a transforms `.json` with its pictures beside it. Every picture, mask and
 * depth map is decoded once, so that nothing unreadable is found later; pixels are not kept.
 *
 * An archive is unpacked into a folder of its own, which is removed on any error and by `dispose()`.
 *
 * @param finder what to do with pictures without cameras; without it they are refused with `CAPTURE_NO_CAMERAS`
 *
 * Throws coded errors `CAPTURE_…`, `IMAGE_…`, `DEPTH_INVALID`, `ARCHIVE_…`, `OPTION_INVALID` that name the file, and
 * `CANCELLED`.
 */
export async function readCapture(path: string, options?: ReadOptions, finder?: CameraFinder): Promise<Capture> {
  const resolved = resolveReadOptions(options);
  const read = await readAny(path, resolved, finder);
  const capture = { ...read, warnings: [...read.warnings, ...unusedSixViewOptions(read, resolved)] };
  if (resolved.strict && capture.warnings.length > 0) {
    await capture.dispose();
    throw notClean(capture);
  }
  return capture;
}

/** A warning where options of six views were given for a capture of another kind. */
function unusedSixViewOptions({ format }: Capture, { sixView = {} }: ResolvedReadOptions): Warning[] {
  // The depth scale is one of every kind of capture.
  const { depthScale: _, ...ofSixViews } = sixView;
  const given = Object.entries(ofSixViews).filter(([, v]) => v !== undefined && v !== 'auto' && v !== false);
  if (format === 'six-view' || given.length === 0) return [];
  const names = given.map(([name]) => name);
  return [
    {
      code: 'CAPTURE_OPTIONS_UNUSED',
      message: `Of six named views without cameras is said ${names.join(', ')}, which this capture (${format}) does not use.`,
      subject: names[0],
      remedy: 'Leave them out, or look at which of the files were read.',
    },
  ];
}

/** All warnings in one error, so that one run tells everything that is to be mended. */
const notClean = ({ warnings, source }: Capture): PlinthError =>
  new PlinthError('CAPTURE_NOT_CLEAN', {
    found:
      `The capture gives ${warnings.length} warning${warnings.length === 1 ? '' : 's'}: ` +
      `${warnings.map((w) => `${w.code}: ${w.message}`).join(' ')}`,
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
    return readFolder(folder, await findLayouts(folderAccess(folder)), name, full, resolved, noFiles, finder);
  }
  if (/\.json$/i.test(full) && !/sfm_data.*\.json$/i.test(full)) {
    const files: TransformsFile[] = [{ file: basename(full), split: 'train' }];
    const layout: Layout = { kind: 'transforms', root: '', files, unread: [] };
    const called = `${basename(dirname(full))}-${name}`;
    return readFolder(await listFolder(dirname(full)), [layout], called, full, resolved, noFiles, finder);
  }
  await checkArchive(full, info);
  const unpacked = await unpackArchive(full, resolved);
  try {
    const folder = await listFolder(unpacked.folder, unpacked.left);
    const layouts = await findLayouts(folderAccess(folder));
    return await readFolder(folder, layouts, name, full, resolved, unpacked.remove, finder);
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

/**
 * Reads the first of the layouts that can be read. Where that is not the likeliest, a warning says why; where none can,
 * the error is that of the likeliest.
 */
async function readFolder(
  folder: CaptureFolder,
  layouts: readonly Layout[],
  name: string,
  source: string,
  options: ResolvedReadOptions,
  dispose: () => Promise<void>,
  finder?: CameraFinder,
): Promise<Capture> {
  const refused: { layout: Layout; error: PlinthError }[] = [];
  for (const [i, layout] of layouts.entries()) {
    throwIfCancelled(options.signal);
    try {
      const capture = await readLayout(folder, layout, source, options, finder);
      const passed = refused.map((other) => passedOver(other.layout, other.error));
      const others = [...refused.map((other) => other.layout), ...layouts.slice(i + 1)].map(
        (other): LeftOutPart => ({ kind: 'cameras', name: layoutName(other), reason: 'other-cameras' }),
      );
      const leftOut = [...others, ...(capture.leftOut ?? [])];
      return { ...capture, name, source, dispose, warnings: [...passed, ...capture.warnings], leftOut };
    } catch (error) {
      // Pictures that are damaged, and what else is wrong beyond the metadata, other metadata do not mend.
      if (!(error instanceof PlinthError) || !CURABLE.has(error.code)) throw error;
      refused.push({ layout, error });
    }
  }
  throw refused[0].error;
}

/** Errors of metadata that others in the same folder may do without. */
const CURABLE = new Set([
  'CAPTURE_METADATA_INVALID',
  'CAPTURE_FILE_MISSING',
  'CAPTURE_UNRECOGNISED',
  'CAPTURE_VIEWS_MISSING',
]);

function passedOver(layout: Layout, error: PlinthError): Warning {
  const what = layoutName(layout);
  return {
    code: 'CAPTURE_OTHER_METADATA',
    message: `${what} could not be used (${error.found}), so other metadata beside it were read.`,
    subject: what,
    remedy: error.remedy ?? 'Correct or remove it.',
  };
}

async function readLayout(
  folder: CaptureFolder,
  layout: Layout,
  source: string,
  options: ResolvedReadOptions,
  finder?: CameraFinder,
): Promise<Omit<Capture, 'name' | 'source' | 'dispose'>> {
  switch (layout.kind) {
    case 'transforms': {
      const capture = await finishCapture(await readTransforms(folder, layout.files, options), source, options);
      const leftOut = layout.unread.map((name): LeftOutPart => ({ kind: 'cameras', name, reason: 'other-cameras' }));
      return {
        ...capture,
        warnings: [...capture.warnings, ...layout.unread.map((file) => unreadFile(file, layout.files))],
        leftOut: [...leftOut, ...(capture.leftOut ?? [])],
      };
    }
    case 'colmap':
      return finishCapture(await readColmap(folder, layout.root, options), source, options);
    case 'export':
      return finishCapture(await readExport(folder, layout, options), source, options);
    case 'six-view':
      return readSixViews(folder, layout.root, options);
    case 'pictures':
      if (!finder) throw await noCameras(layout.images.map((image) => join(folder.root, image)));
      return finishCapture(await finder(folder, layout.images, options), source, options);
    case 'unread-pictures':
      if (finder && layout.names.every(isHeicName))
        return finishCapture(await finder(folder, layout.names, options), source, options);
      throw unreadPictures(layout, source);
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
          'transforms.json (NeRF, instant-ngp, nerfstudio), a COLMAP model in sparse/0 with images/, or ' +
          'multi_views/ with front, back, left, right, top and bottom',
        remedy: 'See docs/captures.md for the layouts that Plinth reads',
        subject: source,
      });
  }
}

const unreadFile = (file: string, read: readonly TransformsFile[]): Warning => ({
  code: 'CAPTURE_SPLIT_UNREAD',
  message:
    read.length > 1
      ? `${file} was not read: there are test views from another file already.`
      : `${file} was not read, but ${read[0].file} beside it.`,
  subject: file,
  remedy: 'Nothing needs to be done; give the path of a transforms file to train with its frames.',
});
