import type { Warning } from '../../core/context.js';
import { PlinthError } from '../../core/errors.js';
import { fromRows, type Mat4, multiply } from '../../core/math.js';
import { checkRigid } from '../cameras/checkCamera.js';
import { stateLens } from '../cameras/statedLens.js';
import type { CaptureFormat } from '../capture.js';
import { mapLimited } from '../concurrency.js';
import { absolutePath, type CaptureFolder } from '../files/captureFolder.js';
import { readExif } from '../images/exif.js';
import { readImageHeader } from '../images/header.js';
import { findMask } from '../layout/masks.js';
import { invalidMetadata, metadataText, parseJson } from '../layout/metadata.js';
import { fileName, folderOf, IMAGE_EXTENSIONS, isImageName, joinPath } from '../layout/names.js';
import { resolveName } from '../layout/resolveName.js';
import type { StatedIntrinsics } from '../layout/statedIntrinsics.js';
import type { ResolvedReadOptions } from '../options.js';
import { type ViewSource, viewNames } from '../viewSource.js';
import { readMetadata, tooManyViews } from './metadata.js';
import type { ReadSources } from './sources.js';
import { type Frame, type Transforms, transformsSchema } from './transformsSchema.js';

/** NeRF frames are +Z up: (x, y, z) becomes (x, z, −y). */
export const Z_UP_TO_Y_UP: Mat4 = [1, 0, 0, 0, 0, 0, -1, 0, 0, 1, 0, 0, 0, 0, 0, 1];

interface Entry {
  file: string;
  frame: Frame;
  whole: Transforms;
  split: 'train' | 'test';
}

/**
 * Reads transforms files of the NeRF-synthetic, instant-ngp and nerfstudio dialects. The matrices are camera-to-world with OpenGL
 * axes in a frame with +Z up; only a rotation is applied, so scale and origin stay the input's. `applied_transform` tells
 * how an earlier frame led to that of the file: it is already in the matrices and is passed on for the report only.
 *
 * Splits: `transforms_train.json` trains; `transforms_test.json` is the test split, or `transforms_val.json` where there is no test
 * file (with both, validation views are not read). `val_filenames` and `test_filenames` (nerfstudio) are test views too. A file
 * that the user names directly trains with all of its frames.
 *
 * @param files the transforms files of the folder with the split of their frames
 */
export async function readTransforms(
  folder: CaptureFolder,
  files: readonly { file: string; split: 'train' | 'test' }[],
  options: ResolvedReadOptions,
): Promise<ReadSources> {
  const entries: Entry[] = [];
  const warnings: Warning[] = [];
  for (const { file, split } of files) {
    const path = await absolutePath(folder, file);
    const whole = parse(path, metadataText(path, await readMetadata(path)));
    const held = new Set([...(whole.test_filenames ?? []), ...(whole.val_filenames ?? [])]);
    for (const frame of whole.frames) {
      entries.push({ file, frame, whole, split: held.has(frame.file_path) ? 'test' : split });
    }
  }
  if (entries.length > options.maxViews) {
    throw tooManyViews(`The capture names ${entries.length} pictures`, options.maxViews, entries[0].file);
  }
  const images = locate(folder, entries);
  const names = viewNames(entries.map(({ frame }) => frame.file_path));
  const sources = await mapLimited(
    entries,
    8,
    (entry, i) => readFrame(folder, entry, images[i], names[i], options, warnings),
    options.signal,
  );
  warnings.push(...unusedPictures(folder, images));
  const { applied_transform, applied_scale, aabb_scale } = entries[0].whole;
  const stated = Object.entries({ applied_transform, applied_scale, aabb_scale }).filter(([, v]) => v !== undefined);
  return {
    format: dialect(entries[0]),
    sources,
    inputToWorld: Z_UP_TO_Y_UP,
    warnings: collapse(warnings),
    estimated: stated.length > 0 ? Object.fromEntries(stated) : undefined,
  };
}

function parse(file: string, text: string): Transforms {
  const result = transformsSchema.safeParse(parseJson(file, text));
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const where = issue.path.length > 0 ? ` at ${issue.path.join('.')}` : '';
  throw invalidMetadata(
    file,
    `${issue.message}${where}`,
    'a transforms file with frames of file_path and transform_matrix (4×4)',
  );
}

function dialect({ whole, frame }: Entry): CaptureFormat {
  if (whole.aabb_scale !== undefined) return 'instant-ngp';
  const nerfstudio = [
    whole.camera_model,
    whole.applied_transform,
    whole.train_filenames,
    frame.fl_x,
    frame.depth_file_path,
  ];
  if (nerfstudio.some((v) => v !== undefined && v !== null) || whole.fl_x !== undefined) return 'nerfstudio';
  return 'nerf-synthetic';
}

/** Finds the files of all pictures, so that one error can say how many are missing. */
function locate({ list }: CaptureFolder, entries: readonly Entry[]): string[] {
  const found = entries.map(({ file, frame }) => resolveName(list, folderOf(file), frame.file_path, IMAGE_EXTENSIONS));
  const missing = entries.filter((_, i) => found[i] === undefined).map(({ frame }) => frame.file_path);
  if (missing.length > 0) {
    const list = missing.slice(0, 5).join(', ') + (missing.length > 5 ? ', …' : '');
    throw new PlinthError('CAPTURE_FILE_MISSING', {
      found: `${fileName(entries[0].file)} names ${entries.length} pictures; ${missing.length} of them are missing: ${list}`,
      expected: `every file_path to be a file relative to ${fileName(entries[0].file)}, with or without ending (${IMAGE_EXTENSIONS.join(', ')})`,
      remedy: 'Add the pictures, or take their frames out',
      subject: missing[0],
    });
  }
  const images = found.map((path) => path!);
  const seen = new Set<string>();
  for (const path of images) {
    if (seen.has(path)) {
      throw invalidMetadata(
        list.locate(entries[0].file),
        `${fileName(path)} is named by two frames`,
        'every picture once',
      );
    }
    seen.add(path);
  }
  return images;
}

async function readFrame(
  folder: CaptureFolder,
  { file, frame, whole, split }: Entry,
  picture: string,
  name: string,
  options: ResolvedReadOptions,
  warnings: Warning[],
): Promise<ViewSource> {
  const base = folderOf(file);
  const image = await absolutePath(folder, picture);
  const header = await readImageHeader(image, options.maxPixels);
  const stated = intrinsicsOf(frame, whole, folder.list.locate(file));
  const focalKnown = [stated.fx, stated.fy, stated.angleX, stated.angleY].some((v) => v !== undefined);
  const hint = focalKnown ? undefined : (await readExif(image, Math.max(header.width, header.height))).focalPixels;
  const { lens, orient, warning } = stateLens(stated, header, image, true, hint);
  if (warning) warnings.push(warning);
  const cameraToInput = checkRigid(fromRows(frame.transform_matrix), frame.file_path);
  const named = async (path: string, what: string, extensions: readonly string[]): Promise<string> => {
    const found = resolveName(folder.list, base, path, extensions);
    if (found !== undefined) return absolutePath(folder, found);
    throw new PlinthError('CAPTURE_FILE_MISSING', {
      found: `${fileName(file)} names the ${what} ${path} for ${frame.file_path}, which is missing`,
      expected: `a file relative to ${fileName(file)}`,
      remedy: `Add the ${what}, or take the name out`,
      subject: path,
    });
  };
  const depthFile =
    frame.depth_file_path && (await named(frame.depth_file_path, 'depth map', ['png', 'exr', 'tif', 'tiff']));
  const beside = findMask(folder.list, base, picture);
  const mask = frame.mask_path
    ? await named(frame.mask_path, 'mask', IMAGE_EXTENSIONS)
    : beside && (await absolutePath(folder, beside));
  return {
    name,
    image,
    orient,
    lens,
    cameraToWorld: multiply(Z_UP_TO_Y_UP, cameraToInput),
    split,
    mask,
    depth: depthFile ? { file: depthFile, scale: depthScale(whole, folder.list.locate(file)) } : undefined,
  };
}

function depthScale(whole: Transforms, file: string): number | undefined {
  const scale = whole.depth_unit_scale_factor;
  if (scale === undefined || (scale > 0 && Number.isFinite(scale))) return scale;
  throw invalidMetadata(file, `depth_unit_scale_factor is ${scale}`, 'a positive number of scene units per step');
}

/** A frame's own values go before those of the file, field by field. */
function intrinsicsOf(frame: Frame, whole: Transforms, file: string): StatedIntrinsics {
  const v = <K extends keyof Frame & keyof Transforms>(key: K) => frame[key] ?? whole[key];
  const model = v('camera_model')?.toUpperCase() ?? (v('is_fisheye') ? 'OPENCV_FISHEYE' : 'OPENCV');
  const known = ['OPENCV', 'PINHOLE', 'SIMPLE_PINHOLE', 'SIMPLE_RADIAL', 'RADIAL', 'OPENCV_FISHEYE', 'PERSPECTIVE'];
  if (!known.includes(model)) {
    throw invalidMetadata(file, `the camera model of ${frame.file_path} is ${model}`, `one of ${known.join(', ')}`);
  }
  const fisheye = model === 'OPENCV_FISHEYE';
  const own = frame.fl_x ?? frame.fl_y ?? frame.camera_angle_x ?? frame.camera_angle_y;
  const focal = own === undefined ? whole : frame;
  return {
    width: v('w'),
    height: v('h'),
    fx: focal.fl_x,
    fy: focal.fl_y,
    angleX: focal.camera_angle_x,
    angleY: focal.camera_angle_y,
    cx: v('cx'),
    cy: v('cy'),
    model: fisheye ? 'fisheye' : 'brown',
    k: model.endsWith('PINHOLE') ? [] : [v('k1') ?? 0, v('k2') ?? 0, v('k3') ?? 0, v('k4') ?? 0],
    p: model.endsWith('PINHOLE') ? undefined : [v('p1') ?? 0, v('p2') ?? 0],
  };
}

/** Pictures that lie beside the named ones and that no frame names: usually forgotten frames. */
function unusedPictures({ list }: CaptureFolder, images: readonly string[]): Warning[] {
  const named = new Set(images);
  const warnings: Warning[] = [];
  for (const folder of new Set(images.map(folderOf))) {
    const others = list.files(folder).filter((name) => isImageName(name) && !named.has(joinPath(folder, name)));
    // NeRF-synthetic test folders hold depth and normal pictures beside each view.
    const extra = others.filter((name) => !/_(depth|normal|mask|alpha)(_\d+)?\.\w+$/i.test(name)).sort();
    if (extra.length === 0) continue;
    warnings.push({
      code: 'CAPTURE_EXTRA_IMAGES',
      message: `${extra.length} pictures in ${fileName(folder) || 'the capture'} have no camera and are not used: ${extra.slice(0, 3).join(', ')}${extra.length > 3 ? ', …' : ''}.`,
      subject: extra[0],
      remedy: 'Add their frames to the metadata if they are meant to be used.',
    });
  }
  return warnings;
}

/** One warning of a kind, with the number of pictures it is about. */
function collapse(warnings: readonly Warning[]): Warning[] {
  const kinds = new Map<string, Warning & { count: number }>();
  for (const warning of warnings) {
    const known = kinds.get(warning.code);
    if (known) known.count++;
    else kinds.set(warning.code, { ...warning, count: 1 });
  }
  return [...kinds.values()].map(({ count, ...warning }) =>
    count === 1 ? warning : { ...warning, message: `${warning.message} The same holds for ${count - 1} more.` },
  );
}
