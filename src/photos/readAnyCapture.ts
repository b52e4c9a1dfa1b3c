import { basename } from 'node:path';
import type { Capture, LeftOutPart } from '../capture/capture.js';
import { absolutePath, type CaptureFolder } from '../capture/files/captureFolder.js';
import type { ReadSources } from '../capture/formats/sources.js';
import { findMask } from '../capture/layout/masks.js';
import { folderOf, isOtherPictureName } from '../capture/layout/names.js';
import type { ReadOptions, ResolvedReadOptions } from '../capture/options.js';
import { readCapture } from '../capture/readCapture.js';
import { type ViewSource, viewNames } from '../capture/viewSource.js';
import type { Warning } from '../core/context.js';
import { identity } from '../core/math.js';
import { command, remedy } from '../core/remedy.js';
import { kept } from '../platform/kept.js';
import { findCameras } from './findCameras.js';
import { photosKey } from './photosKey.js';
import { type PlacedPhotos, placedPhotos } from './placedPhotos.js';

/**
 * Reads a capture of any kind: as `readCapture`, and photos without cameras, whose cameras are found first
 * (`findCameras`).
 *
 * @throws what `readCapture` and `findCameras` throw
 */
export const readAnyCapture = (path: string, options?: ReadOptions): Promise<Capture> =>
  readCapture(path, options, async (folder, images, resolved) => {
    const files = await Promise.all(images.map((image) => absolutePath(folder, image)));
    const { maxPixels, signal, onProgress, checkpoints } = resolved;
    const find = async (): Promise<PlacedPhotos> =>
      placedPhotos(await findCameras(files, { maxPixels, signal, onProgress }));
    const placed = checkpoints
      ? await kept(checkpoints, `cameras-${await photosKey(files, signal)}`, find)
      : await find();
    return sourcesOf(placed, folder, images, files, resolved);
  });

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
  return list.paths.filter((path) => isOtherPictureName(path) && folders.has(folderOf(path)));
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
      remedy: remedy`export them as JPEG; ${command('cameras')} reads HEIC`,
    },
  ];
}
