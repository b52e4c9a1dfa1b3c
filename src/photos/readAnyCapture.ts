import type { Lens } from '../capture/cameras/lens.js';
import type { Capture, LeftOutPart } from '../capture/capture.js';
import { absolutePath, type CaptureFolder } from '../capture/files/captureFolder.js';
import type { ReadSources } from '../capture/formats/sources.js';
import { findMask } from '../capture/layout/masks.js';
import { folderOf, isOtherPictureName } from '../capture/layout/names.js';
import type { ReadOptions, ResolvedReadOptions } from '../capture/options.js';
import { readCapture } from '../capture/readCapture.js';
import { type ViewSource, viewNames } from '../capture/viewSource.js';
import type { Warning } from '../core/context.js';
import { PlinthError } from '../core/errors.js';
import { identity } from '../core/math.js';
import { command, remedy } from '../core/remedy.js';
import { type FoundCameras, findCameras } from './findCameras.js';
import { cameraToWorld, quarterTurns, toWorld } from './frame.js';
import type { Pose } from './mapper/p3p.js';
import { photosReport } from './write/photosJson.js';

/**
 * Reads a capture of any kind: as `readCapture`, and photos without cameras, whose cameras are found first
 * (`findCameras`).
 *
 * @throws what `readCapture` and `findCameras` throw
 */
export const readAnyCapture = (path: string, options?: ReadOptions): Promise<Capture> =>
  readCapture(path, options, async (folder, images, resolved) => {
    const files = await Promise.all(images.map((image) => absolutePath(folder, image)));
    const found = await findCameras(files, {
      maxPixels: resolved.maxPixels,
      signal: resolved.signal,
      onProgress: resolved.onProgress,
    });
    return sourcesOf(found, folder, images, resolved);
  });

/**
 * Refuses photos whose cameras were found but of which nothing tells what the object is.
 *
 * @throws PHOTOS_NO_MASKS
 */
export function requireMasks(capture: Capture): void {
  if (capture.format !== 'photos' || capture.masks !== 'none') return;
  throw new PlinthError('PHOTOS_NO_MASKS', {
    found:
      `The cameras of ${capture.views.length} photos were found, but nothing tells the object from what is ` +
      'around it',
    expected: 'pictures with alpha, a masks/ folder beside the photos (white = object), or a plain background',
    remedy: remedy`add masks; ${command(`cameras ${capture.source} -o sparse`)} writes the cameras that were found`,
    subject: capture.source,
  });
}

/** Found cameras as a reader of posed pictures hands them on, for upright pictures. */
async function sourcesOf(
  found: FoundCameras,
  folder: CaptureFolder,
  images: readonly string[],
  options: ResolvedReadOptions,
): Promise<ReadSources> {
  const { photos, scene, frame, warnings } = found;
  const registered = scene.registered();
  const names = viewNames(registered.map((i) => photos[i].name));
  const sources = await Promise.all(
    registered.map(async (i, k): Promise<ViewSource> => {
      const { file, orientation } = photos[i];
      const mask = options.masks === 'none' ? undefined : findMask(folder.list, [folderOf(images[i])], images[i]);
      return {
        name: names[k],
        image: file,
        orient: true,
        lens: uprightLens(found, i),
        cameraToWorld: cameraToWorld(frame, scene.poses[i] as Pose, orientation),
        split: 'train',
        mask: mask && (await absolutePath(folder, mask.path)),
        maskInverted: mask?.inverted,
      };
    }),
  );
  const points: number[] = [];
  for (let t = 0; t < scene.tracks.count; t++) if (scene.has[t]) points.push(...toWorld(frame, scene.position(t)));
  const unposed = photos.filter((_, i) => !registered.includes(i));
  const others = unreadAmong(folder, images);
  return {
    format: 'photos',
    sources,
    inputToWorld: identity(),
    scaleKnown: false,
    points: Float64Array.from(points),
    warnings: [...warnings, ...unread(others)],
    leftOut: [
      ...unposed.map(({ name, file }): LeftOutPart => ({ kind: 'picture', name, reason: 'not-solved', file })),
      ...others.map((name): LeftOutPart => ({ kind: 'picture', name, reason: 'not-read' })),
    ],
    estimated: { photos: photosReport(found) },
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

/** The lens of the picture as it stands upright. */
function uprightLens({ photos, scene }: FoundCameras, i: number): Lens {
  const { width, height, orientation } = photos[i];
  const { f, cx, cy, k1, k2 } = scene.lensOf(i);
  const turns = quarterTurns(orientation);
  const [x, y] = [
    [cx, cy],
    [height - cy, cx],
    [width - cx, height - cy],
    [cy, width - cx],
  ][turns];
  const side = turns % 2 === 1;
  const size = { width: side ? height : width, height: side ? width : height };
  return { model: 'brown', ...size, fx: f, fy: f, cx: x, cy: y, k: [k1, k2] };
}
