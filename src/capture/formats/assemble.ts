import type { Warning } from '../../core/context.js';
import { PlinthError } from '../../core/errors.js';
import { type Mat4, multiply, transformPoint } from '../../core/math.js';
import { anyOf, option, step } from '../../core/remedy.js';
import { checkRigid } from '../cameras/checkCamera.js';
import { stateLens } from '../cameras/statedLens.js';
import type { LeftOutPart } from '../capture.js';
import { mapLimited } from '../concurrency.js';
import { absolutePath, type CaptureFolder } from '../files/captureFolder.js';
import { readExif } from '../images/exif.js';
import { readImageHeader } from '../images/header.js';
import { isFew } from '../layout/culling.js';
import type { FileList } from '../layout/fileList.js';
import type { LeftOut } from '../layout/leftOut.js';
import { locate } from '../layout/locate.js';
import { findMask } from '../layout/masks.js';
import { invalidMetadata } from '../layout/metadata.js';
import {
  DEPTH_EXTENSIONS,
  fileName,
  folderOf,
  IMAGE_EXTENSIONS,
  isOtherPictureName,
  withoutEnding,
} from '../layout/names.js';
import { isSamePose, withoutScale } from '../layout/poses.js';
import { unusedFiles } from '../layout/unused.js';
import type { ResolvedReadOptions } from '../options.js';
import { type ViewSource, viewNames } from '../viewSource.js';
import { depthScaleOf } from './depthScale.js';
import type { ReadSources } from './sources.js';
import type { StatedCapture, StatedView } from './stated.js';
import { unusedWarnings } from './unusedWarnings.js';
import { rotationTo, upDirection } from './up.js';
import { collapse, counted } from './warnings.js';

/**
 * Makes views of what a metadata file states: finds pictures, masks and depth maps, joins lenses with pictures, and
 * says of everything that was named or lies there and is not used. Pictures that were culled after solving are left out
 * with a count.
 *
 * Throws `CAPTURE_FILE_MISSING` where few pictures are left, and for masks and depth maps that are named and not there;
 * `CAPTURE_METADATA_INVALID`, `CAPTURE_CAMERA_INVALID`, `IMAGE_…`, `ARCHIVE_UNSAFE_PATH`.
 */
export async function assemble(
  folder: CaptureFolder,
  stated: StatedCapture,
  options: ResolvedReadOptions,
): Promise<ReadSources> {
  if (stated.views.length > options.maxViews) {
    throw new PlinthError('CAPTURE_METADATA_INVALID', {
      found: `The capture names ${stated.views.length} pictures`,
      expected: `at most ${options.maxViews}`,
      remedy: anyOf(step`take every n-th picture`, step`raise ${option('maxViews')}`),
    });
  }
  const warnings = [...stated.warnings];
  const found = findPictures(folder, stated, warnings);
  const { views, paths, twice } = withoutDuplicates(folder, found.views, found.paths, warnings);
  refuseUnread(paths);
  const poses = rigidPoses(views, warnings);
  const inputToWorld: Mat4 = stated.up === 'cameras' ? rotationTo(upDirection(poses), [0, 1, 0]) : stated.up;
  const beside = companions(folder, stated, views, paths);
  const names = viewNames(views.map((view) => view.picture));
  const depthScale = await depthScaleOf(folder, views, beside, poses, options, warnings);
  // In the order of the views, whichever picture is looked at first.
  const lensWarnings = views.map((): Warning[] => []);
  const sources = await mapLimited(
    views,
    8,
    async (view, i): Promise<ViewSource> => {
      const image = await absolutePath(folder, paths[i]);
      const { mask, depth } = beside[i];
      return {
        name: names[i],
        image,
        ...(await lensOf(view, image, stated.orient, options, lensWarnings[i])),
        cameraToWorld: multiply(inputToWorld, poses[i]),
        split: view.split,
        mask: mask && (await absolutePath(folder, mask.path)),
        maskInverted: mask?.inverted,
        depth: depth === undefined ? undefined : { file: await absolutePath(folder, depth), scale: depthScale },
      };
    },
    options.signal,
  );
  warnings.push(...lensWarnings.flat());
  const used = new Set([...paths, ...beside.flatMap(({ mask, depth }) => [mask?.path ?? '', depth ?? ''])]);
  const unused = mergeUnused(folder.list, stated.leftOut ?? [], unusedFiles(folder.list, paths, used));
  warnings.push(...unusedWarnings(unused.fresh));
  const missing = found.missing.map(
    (view): LeftOutPart => ({
      kind: 'picture',
      name: view.picture,
      reason: 'missing',
      cameraToWorld: poseInWorld(view, inputToWorld),
    }),
  );
  return {
    format: stated.format,
    sources,
    inputToWorld,
    points: stated.points && turned(stated.points, inputToWorld),
    warnings: collapse(warnings),
    estimated: stated.besides,
    leftOut: [...missing, ...twice, ...unused.all],
  };
}

/** Where a camera without picture stands; undefined where its matrix is none. */
function poseInWorld(view: StatedView, inputToWorld: Mat4): Mat4 | undefined {
  const { matrix, scale } = withoutScale(view.cameraToInput);
  return scale > 0 && matrix.every(Number.isFinite) ? multiply(inputToWorld, matrix) : undefined;
}

/**
 * What a reader left out, with what lies beside the pictures in use: a picture that is among both counts once, `fresh`
 * is what the reader did not speak of.
 */
function mergeUnused(
  list: FileList,
  stated: readonly LeftOut[],
  unused: readonly LeftOut[],
): { all: LeftOutPart[]; fresh: LeftOut[] } {
  const nameOf = (path: string): string => withoutEnding(fileName(path.replaceAll('\\', '/'))).toLowerCase();
  const told = new Set(stated.filter(({ kind }) => kind === 'picture').map(({ name }) => nameOf(name)));
  const files = new Map(unused.filter(({ kind }) => kind === 'picture').map(({ name }) => [nameOf(name), name]));
  const fresh = unused.filter(({ kind, name }) => kind !== 'picture' || !told.has(nameOf(name)));
  const found = stated.map((part) => ({
    ...part,
    name: (part.reason === 'not-solved' && files.get(nameOf(part.name))) || part.name,
  }));
  const all = [...found, ...fresh].map(
    (part): LeftOutPart => (list.has(part.name) ? { ...part, file: list.locate(part.name) } : part),
  );
  return { all, fresh };
}

/** The pictures that are there. Throws where few are. */
function findPictures(
  { list }: CaptureFolder,
  stated: StatedCapture,
  warnings: Warning[],
): { views: StatedView[]; paths: string[]; missing: StatedView[] } {
  const absent: StatedView[] = [];
  const views: StatedView[] = [];
  const paths: string[] = [];
  const files = [...new Set(stated.views.map((view) => view.file))];
  for (const file of files) {
    const named = stated.views.filter((view) => view.file === file);
    const pictures = named.map((view) => view.picture);
    const rules = { extensions: IMAGE_EXTENSIONS, otherEndings: true };
    const found = stated.located ?? locate(list, folderOf(file), pictures, rules);
    const missing = pictures.filter((_, i) => found.paths[i] === undefined);
    const left = named.length - missing.length;
    const isTest = named.every((view) => view.split === 'test');
    if (missing.length > 0) {
      if (isFew(left, named.length) && !isTest) throw fewLeft(file, missing, named.length);
      warnings.push(culled(file, missing, named.length, isTest));
    }
    if ('moved' in found && found.moved && left > 0 && !stated.labels) {
      const first = found.paths.find((path) => path !== undefined) ?? '';
      warnings.push({
        code: 'CAPTURE_FILES_ELSEWHERE',
        message:
          `${fileName(file)} names ${pictures[0]}, which leads nowhere here: the pictures of these names in ` +
          `${folderOf(first) || 'the capture'} were taken.`,
        subject: list.locate(file),
        remedy: `Name the pictures relative to ${fileName(file)} if others are meant.`,
      });
    }
    if (found.otherEndings > 0) {
      warnings.push({
        code: 'CAPTURE_OTHER_ENDING',
        message:
          `${found.otherEndings} pictures have another ending than ${fileName(file)} says: files of the same ` +
          'name were taken.',
        subject: list.locate(file),
        remedy: 'Nothing needs to be done if they show the same, as pictures do whose background was cut out.',
      });
    }
    named.forEach((view, i) => {
      const path = found.paths[i];
      if (path === undefined) {
        absent.push(view);
        return;
      }
      views.push(view);
      paths.push(path);
    });
  }
  return { views, paths, missing: absent };
}

function fewLeft(file: string, missing: readonly string[], named: number): PlinthError {
  return new PlinthError('CAPTURE_FILE_MISSING', {
    found: `${fileName(file)} names ${named} pictures; ${missing.length} of them are missing: ${counted(missing, 5)}`,
    expected:
      `every picture to be a file relative to ${fileName(file)}, with or without ending ` +
      `(${IMAGE_EXTENSIONS.join(', ')})`,
    remedy: 'Add the pictures, or take their frames out',
    subject: missing[0],
  });
}

function culled(file: string, missing: readonly string[], named: number, isTest: boolean): Warning {
  const none = missing.length === named;
  const count = none ? `None of the ${named} pictures` : `${missing.length} of the ${named} pictures`;
  const verb = none ? 'is there' : missing.length === 1 ? 'is missing' : 'are missing';
  const one = missing.length === 1;
  const rest = isTest && none ? 'There are no test views from it.' : `${one ? 'It was' : 'They were'} left out.`;
  return {
    code: 'CAPTURE_FILE_MISSING',
    message: `${count} that ${fileName(file)} names ${verb}: ${counted(missing, 3)}. ${rest}`,
    subject: missing[0],
    remedy: isTest ? 'Render the test views, or remove the file.' : 'Add them if they were not left out on purpose.',
  };
}

/** One view per picture: a frame that is there twice counts once. Throws where two frames of a picture differ. */
function withoutDuplicates(
  { list }: CaptureFolder,
  views: readonly StatedView[],
  paths: readonly string[],
  warnings: Warning[],
): { views: StatedView[]; paths: string[]; twice: LeftOutPart[] } {
  const first = new Map<string, StatedView>();
  const twice: string[] = [];
  const kept = views.map((view, i) => {
    const known = first.get(paths[i]);
    if (!known) {
      first.set(paths[i], view);
      return true;
    }
    if (!isSamePose(known.cameraToInput, view.cameraToInput)) {
      throw invalidMetadata(
        list.locate(view.file),
        `${fileName(paths[i])} is named by two frames with different cameras`,
        'every picture once',
      );
    }
    twice.push(fileName(paths[i]));
    return false;
  });
  if (twice.length > 0) {
    warnings.push({
      code: 'CAPTURE_DUPLICATE_FRAMES',
      message:
        `${twice.length === 1 ? 'A frame is' : `${twice.length} frames are`} there twice with the same camera ` +
        `and ${twice.length === 1 ? 'was' : 'were'} taken once: ${counted(twice, 3)}.`,
      subject: twice[0],
      remedy: 'Take the repeated frames out.',
    });
  }
  const again = paths.filter((_, i) => !kept[i]);
  return {
    views: views.filter((_, i) => kept[i]),
    paths: paths.filter((_, i) => kept[i]),
    twice: again.map((name) => ({ kind: 'picture', name, reason: 'twice', file: list.locate(name) })),
  };
}

/** Throws `IMAGE_UNREADABLE` for pictures of formats without a decoder, by their true name. */
function refuseUnread(paths: readonly string[]): void {
  const unread = paths.filter(isOtherPictureName);
  if (unread.length === 0) return;
  const kind = unread[0].slice(unread[0].lastIndexOf('.') + 1).toUpperCase();
  throw new PlinthError('IMAGE_UNREADABLE', {
    found:
      `${unread.length} of ${paths.length} pictures are ${kind} files, which are not decoded: ` +
      `${counted(unread.map(fileName), 3)}`,
    expected: `pictures as ${IMAGE_EXTENSIONS.join(', ')}`,
    remedy:
      'Convert them to JPEG or PNG beside the originals, with the same names: the metadata may keep the old endings',
    subject: unread[0],
  });
}

/** Camera-to-input matrices as rigid motions. */
function rigidPoses(views: readonly StatedView[], warnings: Warning[]): Mat4[] {
  const scaled: { name: string; scale: number }[] = [];
  const poses = views.map((view) => {
    const { matrix, scale } = withoutScale(view.cameraToInput);
    if (Math.abs(scale - 1) > 0.01) scaled.push({ name: view.picture, scale });
    return checkRigid(matrix, view.picture);
  });
  if (scaled.length > 0) {
    warnings.push({
      code: 'CAPTURE_CAMERA_SCALED',
      message:
        `The matrices of ${scaled.length} cameras have axes of length ${scaled[0].scale.toPrecision(3)}: the ` +
        'scale was taken out, positions stay.',
      subject: scaled[0].name,
      remedy: 'Export cameras without scale.',
    });
  }
  return poses;
}

interface Companions {
  mask?: { path: string; inverted: boolean };
  depth?: string;
}

/** Masks and depth maps by what the metadata name, masks else by where they lie. */
function companions(
  { list }: CaptureFolder,
  stated: StatedCapture,
  views: readonly StatedView[],
  paths: readonly string[],
): Companions[] {
  const named = (nameOf: (view: StatedView) => string | undefined, what: string, extensions: readonly string[]) => {
    const out = new Map<StatedView, string>();
    for (const file of new Set(views.map((view) => view.file))) {
      const of = views.filter((view) => view.file === file && nameOf(view) !== undefined);
      const names = of.map((view) => nameOf(view) ?? '');
      const found = locate(list, folderOf(file), names, { extensions });
      of.forEach((view, i) => {
        const path = found.paths[i];
        if (path === undefined) throw companionMissing(file, what, names[i], view.picture);
        out.set(view, path);
      });
    }
    return out;
  };
  const masks = named((view) => view.mask, 'mask', IMAGE_EXTENSIONS);
  const depths = named((view) => view.depth?.name, 'depth map', DEPTH_EXTENSIONS);
  return views.map((view, i) => {
    const mask = masks.get(view);
    const bases = [folderOf(view.file), ...(stated.maskBases ?? [])];
    return {
      mask: mask === undefined ? findMask(list, bases, paths[i]) : { path: mask, inverted: false },
      depth: depths.get(view),
    };
  });
}

function companionMissing(file: string, what: string, name: string, picture: string): PlinthError {
  return new PlinthError('CAPTURE_FILE_MISSING', {
    found: `${fileName(file)} names the ${what} ${name} for ${picture}, which is missing`,
    expected: `a file relative to ${fileName(file)}`,
    remedy: `Add the ${what}, or take the name out`,
    subject: name,
  });
}

async function lensOf(
  view: StatedView,
  image: string,
  orientByDefault: boolean,
  options: ResolvedReadOptions,
  warnings: Warning[],
): Promise<Pick<ViewSource, 'lens' | 'orient'>> {
  const header = await readImageHeader(image, options.maxPixels);
  const { fx, fy, angleX, angleY } = view.intrinsics;
  const focalKnown = [fx, fy, angleX, angleY].some((v) => v !== undefined);
  const hint = focalKnown ? undefined : (await readExif(image, header.width, header.height)).focalPixels;
  const { lens, orient, warning } = stateLens(view.intrinsics, header, image, orientByDefault, hint);
  if (warning) warnings.push(warning);
  return { lens, orient };
}

function turned(points: Float64Array, m: Mat4): Float64Array {
  const out = new Float64Array(points.length);
  for (let i = 0; i < points.length; i += 3) out.set(transformPoint(m, [points[i], points[i + 1], points[i + 2]]), i);
  return out;
}
