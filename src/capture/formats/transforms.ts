import type { Warning } from '../../core/context.js';
import { fromRows, type Mat4, type Vec3 } from '../../core/math.js';
import { keyOf } from '../../core/nameKey.js';
import type { CaptureFormat } from '../capture.js';
import { absolutePath, type CaptureFolder } from '../files/captureFolder.js';
import { readMetadata } from '../files/metadata.js';
import { withFrames } from '../layout/bareFrames.js';
import type { TransformsFile } from '../layout/detect.js';
import { partsOf } from '../layout/locate.js';
import { invalidMetadata, metadataText, parseJson } from '../layout/metadata.js';
import { fileName, isImageName, withoutEnding } from '../layout/names.js';
import type { StatedIntrinsics } from '../layout/statedIntrinsics.js';
import type { ResolvedReadOptions } from '../options.js';
import { assemble } from './assemble.js';
import { looksAway, standUpright, swapAxes, turnAbout } from './axes.js';
import type { ReadSources } from './sources.js';
import type { StatedView } from './stated.js';
import {
  DEPTH_KEYS,
  type Frame,
  MASK_KEYS,
  type Transforms,
  transformsSchema,
  unreadKeys,
} from './transformsSchema.js';
import { counted } from './warnings.js';

/** NeRF frames are +Z up: (x, y, z) becomes (x, z, −y). */
export const Z_UP_TO_Y_UP: Mat4 = [1, 0, 0, 0, 0, 0, -1, 0, 0, 1, 0, 0, 0, 0, 0, 1];

/**
 * Reads transforms files of the NeRF-synthetic, instant-ngp and nerfstudio dialects. The matrices are camera-to-world
 * with OpenGL axes in a frame with +Z up; only a rotation is applied, so scale and origin stay the input's. OpenCV axes
 * are taken where the file states them (NeuS2's `from_na`, `camera_convention`), and where the cameras would otherwise
 * look away from what they stand around, with a warning. `applied_transform` tells how an earlier frame led to that of
 * the file: it is already in the matrices and is passed on for the report only.
 *
 * Splits: `transforms_train.json` trains; `transforms_test.json` is the test split, or `transforms_val.json` where
 * there is no test file (with both, validation views are not read). `val_filenames` and `test_filenames` (nerfstudio)
 * are test views too. A file that the user names directly trains with all of its frames.
 *
 * @param files the transforms files of the folder with the split of their frames
 */
export async function readTransforms(
  folder: CaptureFolder,
  files: readonly TransformsFile[],
  options: ResolvedReadOptions,
): Promise<ReadSources> {
  const views: StatedView[] = [];
  const warnings: Warning[] = [];
  const wholes: Transforms[] = [];
  for (const { file, split } of files) {
    const path = await absolutePath(folder, file);
    const json = withFrames(parseJson(path, metadataText(path, await readMetadata(path))));
    const whole = parse(path, json);
    wholes.push(whole);
    warnings.push(...unread(file, json));
    const held = heldOut(file, whole, warnings);
    for (const [i, frame] of whole.frames.entries()) {
      views.push({ ...stateFrame(frame, whole, path), split: held[i] ? 'test' : split, file });
    }
  }
  const [first] = wholes;
  const axes = otherAxes(first, views, warnings);
  if (axes) for (const view of views) view.cameraToInput = axes(view.cameraToInput);
  const { applied_transform, applied_scale, aabb_scale } = first;
  const besides = Object.entries({ applied_transform, applied_scale, aabb_scale }).filter(([, v]) => v !== undefined);
  return assemble(
    folder,
    {
      format: dialect(first),
      file: files[0].file,
      views,
      up: Z_UP_TO_Y_UP,
      orient: true,
      besides: besides.length > 0 ? Object.fromEntries(besides) : undefined,
      warnings,
    },
    options,
  );
}

function parse(file: string, json: unknown): Transforms {
  const result = transformsSchema.safeParse(json);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const where = issue.path.length > 0 ? ` at ${issue.path.join('.')}` : '';
  throw invalidMetadata(
    file,
    `${issue.message}${where}`,
    'a transforms file with frames of file_path and transform_matrix (4×4)',
  );
}

function dialect(whole: Transforms): CaptureFormat {
  if (whole.aabb_scale !== undefined) return 'instant-ngp';
  const [frame] = whole.frames;
  const nerfstudio = [
    whole.camera_model,
    whole.applied_transform,
    whole.train_filenames,
    whole.fl_x,
    frame.fl_x,
    frame.depth_file_path,
  ];
  return nerfstudio.some((v) => v !== undefined) ? 'nerfstudio' : 'nerf-synthetic';
}

function unread(file: string, json: unknown): Warning[] {
  const keys = unreadKeys(json);
  if (keys.length === 0) return [];
  return [
    {
      code: 'CAPTURE_KEYS_UNREAD',
      message: `${fileName(file)} has fields that are not read: ${counted(keys, 8)}.`,
      subject: keys[0],
      remedy: 'docs/captures.md lists what is read; rename the fields if they mean the same.',
    },
  ];
}

/** Which frames the file itself holds out for validation and test; complains of names that are no frame's. */
function heldOut(file: string, whole: Transforms, warnings: Warning[]): boolean[] {
  const frames = whole.frames.map((frame) => plainName(frame.file_path));
  const held = frames.map(() => false);
  for (const list of ['train_filenames', 'val_filenames', 'test_filenames'] as const) {
    const unmatched = (whole[list] ?? []).filter((name) => {
      const wanted = plainName(name);
      const same = matches(frames, wanted);
      if (list !== 'train_filenames') for (const i of same) held[i] = true;
      return same.length === 0;
    });
    if (unmatched.length === 0) continue;
    warnings.push({
      code: 'CAPTURE_SPLIT_UNMATCHED',
      message:
        `${unmatched.length} of ${whole[list]?.length} names in ${list} of ${fileName(file)} are no frame's: ` +
        `${counted(unmatched, 3)}.`,
      subject: unmatched[0],
      remedy: 'Write them as file_path has them.',
    });
  }
  return held;
}

/** A picture's name as a path without ending, the same whichever way it is written. */
function plainName(name: string): string {
  const path = keyOf(partsOf(name).join('/'));
  return isImageName(path) ? withoutEnding(path) : path;
}

/**
 * The frames that a name means: of the same path, else of a path that ends like it or that it ends like, where that is
 * one.
 */
function matches(frames: readonly string[], wanted: string): number[] {
  const all = frames.map((_, i) => i);
  const same = all.filter((i) => frames[i] === wanted);
  if (same.length > 0) return same;
  const alike = all.filter((i) => frames[i].endsWith(`/${wanted}`) || wanted.endsWith(`/${frames[i]}`));
  return alike.length === 1 ? alike : [];
}

/** NeRF frames are +Z up. */
const UP: Vec3 = [0, 0, 1];

/**
 * What makes OpenGL's axes of those that the matrices have, where they have others: OpenCV's, stated or else recognised
 * by where the cameras look. Cameras that look away and stand upright all the same were turned about their own up axis,
 * as by exporters that take one program's axes for another's.
 */
function otherAxes(
  whole: Transforms,
  views: readonly StatedView[],
  warnings: Warning[],
): ((m: Mat4) => Mat4) | undefined {
  if (whole.from_na === true) return swapAxes;
  const convention = whole.camera_convention?.toLowerCase();
  if (convention !== undefined && /opencv|colmap/.test(convention)) return swapAxes;
  if (convention !== undefined && /opengl|blender|nerf/.test(convention)) return undefined;
  const poses = views.map((view) => view.cameraToInput);
  if (poses.flat().some((v) => !Number.isFinite(v)) || !looksAway(poses)) return undefined;
  if (standUpright(poses, UP)) {
    warnings.push({
      code: 'CAPTURE_AXES_TURNED',
      message:
        'The cameras look away from what they stand around, and stand upright: their matrices were turned by half a ' +
        'turn about the up axis of each.',
      remedy: 'Export with OpenGL axes (x right, y up, z backwards).',
    });
    return turnAbout;
  }
  warnings.push({
    code: 'CAPTURE_AXES_OPENCV',
    message:
      'The cameras look away from what they stand around: their matrices were taken to have OpenCV axes (y ' +
      'down, z forwards).',
    remedy: 'Export with OpenGL axes (y up, z backwards), or state "camera_convention": "OpenCV".',
  });
  return swapAxes;
}

function stateFrame(frame: Frame, whole: Transforms, file: string): Omit<StatedView, 'split' | 'file'> {
  const depth = DEPTH_KEYS.map((key) => frame[key]).find((name) => name !== undefined);
  return {
    picture: frame.file_path,
    intrinsics: intrinsicsOf(frame, whole, file),
    cameraToInput: fromRows(frame.transform_matrix),
    mask: MASK_KEYS.map((key) => frame[key]).find((name) => name !== undefined),
    depth: depth === undefined ? undefined : { name: depth, scale: depthScale(whole, file) },
  };
}

/** Scene units per step. `depth_scale` is steps per unit where it is large, as in TUM's and Open3D's 1000 or 5000. */
function depthScale(whole: Transforms, file: string): number | undefined {
  const { depth_unit_scale_factor, integer_depth_scale, depth_scale } = whole;
  for (const [key, scale] of Object.entries({ depth_unit_scale_factor, integer_depth_scale, depth_scale })) {
    if (scale === undefined) continue;
    if (!(scale > 0 && Number.isFinite(scale))) {
      throw invalidMetadata(file, `${key} is ${scale}`, 'a positive number of scene units per step');
    }
    return key === 'depth_scale' && scale > 1 ? 1 / scale : scale;
  }
  return undefined;
}

const KNOWN_MODELS = [
  'OPENCV',
  'PINHOLE',
  'SIMPLE_PINHOLE',
  'SIMPLE_RADIAL',
  'RADIAL',
  'OPENCV_FISHEYE',
  'PERSPECTIVE',
];
const radians = (degrees: number | undefined): number | undefined =>
  degrees === undefined ? undefined : (degrees * Math.PI) / 180;

/** A frame's own values go before those of the file, field by field; focal lengths as a whole. */
function intrinsicsOf(frame: Frame, whole: Transforms, file: string): StatedIntrinsics {
  const v = <K extends keyof Frame & keyof Transforms>(key: K) => frame[key] ?? whole[key];
  const model = v('camera_model')?.toUpperCase() ?? (v('is_fisheye') ? 'OPENCV_FISHEYE' : 'OPENCV');
  if (!KNOWN_MODELS.includes(model)) {
    const expected = `one of ${KNOWN_MODELS.join(', ')}`;
    throw invalidMetadata(file, `the camera model of ${frame.file_path} is ${model}`, expected);
  }
  const own = focalOf(frame);
  const focal = Object.values(own).some((value) => value !== undefined) ? own : focalOf(whole);
  const matrix = v('intrinsic_matrix');
  return {
    width: v('w'),
    height: v('h'),
    ...focal,
    cx: v('cx') ?? matrix?.[0][2],
    cy: v('cy') ?? matrix?.[1][2],
    model: model === 'OPENCV_FISHEYE' ? 'fisheye' : 'brown',
    k: model.endsWith('PINHOLE') ? [] : [v('k1') ?? 0, v('k2') ?? 0, v('k3') ?? 0, v('k4') ?? 0],
    p: model.endsWith('PINHOLE') ? undefined : [v('p1') ?? 0, v('p2') ?? 0],
  };
}

function focalOf(of: Frame | Transforms): Pick<StatedIntrinsics, 'fx' | 'fy' | 'angleX' | 'angleY'> {
  return {
    fx: of.fl_x ?? of.fx ?? of.intrinsic_matrix?.[0][0],
    fy: of.fl_y ?? of.fy ?? of.intrinsic_matrix?.[1][1],
    angleX: of.camera_angle_x ?? radians(of.x_fov),
    angleY: of.camera_angle_y ?? radians(of.y_fov),
  };
}
