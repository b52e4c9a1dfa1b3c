import { copyFile, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import type { Capture, LeftOutPart } from '../capture/capture.js';
import { mapLimited } from '../capture/concurrency.js';
import { absolutePath, type CaptureFolder } from '../capture/files/captureFolder.js';
import type { ReadSources } from '../capture/formats/sources.js';
import { readImageHeader } from '../capture/images/header.js';
import { findMask } from '../capture/layout/masks.js';
import { folderOf, isHeicName, isImageName, isOtherPictureName, isVideoName } from '../capture/layout/names.js';
import { FEWEST_PHOTOS } from '../capture/layout/photos.js';
import { chooseMaskSource } from '../capture/masks/chooseSource.js';
import type { ReadOptions, ResolvedReadOptions } from '../capture/options.js';
import { type CameraFinder, readCapture } from '../capture/readCapture.js';
import { type ViewSource, viewNames } from '../capture/viewSource.js';
import type { Warning } from '../core/context.js';
import { PlinthError } from '../core/errors.js';
import { identity, lookAt } from '../core/math.js';
import { option, remedy } from '../core/remedy.js';
import { kept } from '../platform/kept.js';
import { findCameras } from './findCameras.js';
import { lengthOfPhotos } from './lengthOfPhotos.js';
import { photosKey } from './photosKey.js';
import { type PlacedPhotos, placedPhotos, scaledPhotos } from './placedPhotos.js';
import { decodablePhotos } from './read/decodablePhotos.js';

/**
 * Reads a capture of any kind: as `readCapture`, and photos without cameras or a video, whose cameras are found first
 * (`findCameras`), unless `withoutCameras` takes them as they are, a single photo too. HEIC photos are converted, and frames of videos taken, into a folder of their own, which `dispose()`
 * removes.
 *
 * @throws what `readCapture`, `findCameras` and `decodablePhotos` throw
 */
export async function readAnyCapture(path: string, options?: ReadOptions): Promise<Capture> {
  const scratch = new Scratch();
  const finder: CameraFinder = (folder, images, resolved) => findSources(folder, images, resolved, scratch);
  try {
    const source = resolve(path);
    const isFile = (await stat(source).catch(() => undefined))?.isFile() ?? false;
    const isVideo = isVideoName(source) && isFile;
    const isPhoto = options?.withoutCameras === true && (isImageName(source) || isHeicName(source)) && isFile;
    let from = path;
    if (isPhoto) {
      from = await scratch.folder();
      await copyFile(source, join(from, basename(source)));
    }
    if (isVideo) {
      from = await scratch.folder();
      await decodablePhotos([source], from, Number.POSITIVE_INFINITY, options?.signal);
    }
    const capture = await readCapture(from, options, finder);
    if (options?.scale && capture.format !== 'photos') {
      await capture.dispose();
      throw new PlinthError('OPTION_INVALID', {
        found:
          `A scale beside a capture of the kind ${capture.format}, ` +
          (capture.format === 'six-view' ? 'whose scale the distance of its cameras sets' : 'which states its cameras'),
        expected: 'a known length for photos whose cameras are found, and none for others',
        ...(capture.format === 'six-view' && { remedy: remedy`Say it with ${option('distance')}` }),
        subject: 'scale',
      });
    }
    const named = isVideo || isPhoto ? { name: basename(source).replace(/\.[^.]+$/, ''), source } : {};
    const dispose = async (): Promise<void> => {
      await capture.dispose();
      await scratch.remove();
    };
    return { ...capture, ...named, dispose };
  } catch (error) {
    await scratch.remove();
    throw error;
  }
}

/** A folder that is made when it is first asked for. */
class Scratch {
  private made?: Promise<string>;

  folder(): Promise<string> {
    this.made ??= mkdtemp(join(tmpdir(), 'plinth-photos-'));
    return this.made;
  }

  async remove(): Promise<void> {
    if (this.made) await rm(await this.made, { recursive: true, force: true });
  }
}

async function findSources(
  folder: CaptureFolder,
  images: readonly string[],
  resolved: ResolvedReadOptions,
  scratch: Scratch,
): Promise<ReadSources> {
  const { maxPixels, signal, onProgress, checkpoints } = resolved;
  const taken = await decoded(folder, images, resolved, scratch);
  const files = taken.map(({ file }) => file);
  // Told before cameras are sought, which takes a while.
  const stated =
    resolved.scale &&
    lengthOfPhotos(
      resolved.scale,
      taken.map(({ path, file }) => [path, basename(path), basename(file)]),
    );
  // A scale is one of cameras.
  const needsNone = resolved.withoutCameras && !resolved.scale;
  const plain = needsNone ? await plainSources(folder, taken, resolved) : undefined;
  if (plain) {
    if ((await chooseMaskSource(plain.sources, resolved, [])).masks !== 'none') return plain;
    // Without masks the object is found by the cameras, for which there must be enough photos.
    if (files.length < FEWEST_PHOTOS) return plain;
  }
  const find = async (): Promise<PlacedPhotos> =>
    placedPhotos(await findCameras(files, { maxPixels, signal, onProgress, work: checkpoints }));
  let found: PlacedPhotos;
  try {
    found = checkpoints ? await kept(checkpoints, `cameras-${await photosKey(files, signal)}`, find) : await find();
  } catch (error) {
    // What helps is then not more photos but cutting the object out, which the method says.
    if (plain && error instanceof PlinthError && NO_CAMERAS.has(error.code)) return plain;
    throw error;
  }
  return sourcesOf(
    stated ? scaledPhotos(found, stated) : found,
    folder,
    taken.map(({ path }) => path),
    files,
    resolved,
  );
}

/** Angle of view along the longer side that photos of nobody knows which camera are taken for. */
const NOMINAL_VIEW = (50 * Math.PI) / 180;

/** Photos as they are, each before a camera that stands for none. */
async function plainSources(
  folder: CaptureFolder,
  taken: readonly { path: string; file: string }[],
  options: ResolvedReadOptions,
): Promise<ReadSources> {
  const images = taken.map(({ path }) => path);
  const names = viewNames(images.map((path) => basename(path)));
  const sources = await mapLimited(
    taken,
    4,
    async ({ path, file }, i): Promise<ViewSource> => {
      const header = await readImageHeader(file, options.maxPixels);
      const turned = header.orientation > 4;
      const [width, height] = turned ? [header.height, header.width] : [header.width, header.height];
      const f = Math.max(width, height) / 2 / Math.tan(NOMINAL_VIEW / 2);
      const mask = options.masks === 'none' ? undefined : findMask(folder.list, [folderOf(path)], path);
      return {
        name: names[i],
        image: file,
        orient: true,
        lens: { model: 'brown', k: [], width, height, fx: f, fy: f, cx: width / 2, cy: height / 2 },
        cameraToWorld: lookAt([0, 0, 2], [0, 0, 0]),
        split: 'train',
        mask: mask && (await absolutePath(folder, mask.path)),
        maskInverted: mask?.inverted,
      };
    },
    options.signal,
  );
  const others = unreadAmong(folder, images);
  return {
    format: 'photos',
    cameras: 'none',
    sources,
    inputToWorld: identity(),
    scaleKnown: options.scale !== undefined,
    warnings: unread(others),
    leftOut: others.map((name): LeftOutPart => ({ kind: 'picture', name, reason: 'not-read' })),
  };
}

/** The photos as files that can be decoded, HEIC ones beside `images` among them, in the order of their paths. */
async function decoded(
  folder: CaptureFolder,
  images: readonly string[],
  { maxPixels, signal }: ResolvedReadOptions,
  scratch: Scratch,
): Promise<{ path: string; file: string }[]> {
  const folders = new Set(images.map(folderOf));
  const heic = folder.list.paths.filter((path) => isHeicName(path) && folders.has(folderOf(path)));
  const taken: { path: string; file: string }[] = [];
  for (const path of [...new Set([...images, ...heic])].sort()) {
    const file = await absolutePath(folder, path);
    try {
      const [converted] = isHeicName(path)
        ? await decodablePhotos([file], await scratch.folder(), maxPixels, signal)
        : [file];
      taken.push({ path, file: converted });
    } catch (error) {
      // Among photos that are read, one that is not is no reason to refuse them all: a warning names it.
      if (!(error instanceof PlinthError) || !UNREAD.has(error.code) || images.every(isHeicName)) throw error;
    }
  }
  return taken;
}

/** What says that photos have no cameras that could be found. */
const NO_CAMERAS = new Set(['PHOTOS_NOT_CONNECTED', 'CAPTURE_VIEWS_MISSING']);

const UNREAD = new Set(['PHOTO_DECODER_MISSING', 'IMAGE_UNREADABLE']);

/** Found cameras as a reader of posed pictures hands them on, for upright pictures. */
async function sourcesOf(
  { placed, points, report }: PlacedPhotos,
  folder: CaptureFolder,
  images: readonly string[],
  files: readonly string[],
  options: ResolvedReadOptions,
): Promise<ReadSources> {
  const names = viewNames(placed.map(({ name }) => name));
  const sources = await Promise.all(
    placed.map(async ({ photo, lens, cameraToWorld }, k): Promise<ViewSource> => {
      const image = images[photo];
      const mask = options.masks === 'none' ? undefined : findMask(folder.list, [folderOf(image)], image);
      return {
        name: names[k],
        image: files[photo],
        orient: true,
        lens,
        cameraToWorld,
        split: 'train',
        mask: mask && (await absolutePath(folder, mask.path)),
        maskInverted: mask?.inverted,
      };
    }),
  );
  const withCamera = new Set(placed.map(({ photo }) => photo));
  const unposed = files.filter((_, i) => !withCamera.has(i));
  const others = unreadAmong(folder, images);
  return {
    format: 'photos',
    sources,
    inputToWorld: identity(),
    scaleKnown: false,
    points,
    seen: new Map(placed.map((view, k) => [names[k], view.points])),
    warnings: [...report.warnings, ...unread(others)],
    leftOut: [
      ...unposed.map((file): LeftOutPart => ({ kind: 'picture', name: basename(file), reason: 'not-solved', file })),
      ...others.map((name): LeftOutPart => ({ kind: 'picture', name, reason: 'not-read' })),
    ],
    estimated: { photos: report },
  };
}

/** Pictures of formats that are not read among the photos. */
function unreadAmong({ list }: CaptureFolder, images: readonly string[]): string[] {
  const folders = new Set(images.map(folderOf));
  const read = new Set(images);
  return list.paths.filter((path) => isOtherPictureName(path) && folders.has(folderOf(path)) && !read.has(path));
}

/** A warning for them. */
function unread(left: readonly string[]): Warning[] {
  if (left.length === 0) return [];
  return [
    {
      code: 'PHOTO_NOT_READ',
      subject: left[0],
      message:
        `${left.length} picture${left.length === 1 ? '' : 's'} of other formats among the photos ` +
        `${left.length === 1 ? 'was' : 'were'} not read: ${left.slice(0, 5).join(', ')}.`,
      remedy: 'Export them as JPEG; HEIC is read where the package libheif-js is installed',
    },
  ];
}
