import { type Mat4, multiply } from '../../../core/math.js';
import { invalidMetadata, parseJson } from '../../layout/metadata.js';
import type { StatedIntrinsics } from '../../layout/statedIntrinsics.js';
import { swapAxes } from '../axes.js';
import { demandViews, notSolved, numberOf, numbersOf, poseOf, type ReadExport, textOf } from '../exportFile.js';
import type { StatedView } from '../stated.js';

interface Pose {
  rotation?: unknown;
  center?: unknown;
}

interface SfmView {
  viewId?: unknown;
  poseId?: unknown;
  intrinsicId?: unknown;
  path?: unknown;
  rigId?: unknown;
  subPoseId?: unknown;
  /** Written where it is false only. */
  isPoseIndependant?: unknown;
}

interface Sfm {
  version?: unknown[];
  views?: SfmView[];
  intrinsics?: Intrinsic[];
  poses?: { poseId?: unknown; pose?: { transform?: Pose } }[];
  rigs?: { rigId?: unknown; subPoses?: { status?: unknown; pose?: Pose }[] }[];
}

interface Intrinsic {
  intrinsicId?: unknown;
  width?: unknown;
  height?: unknown;
  sensorWidth?: unknown;
  type?: unknown;
  distortionType?: unknown;
  pxFocalLength?: unknown;
  focalLength?: unknown;
  pixelRatio?: unknown;
  principalPoint?: unknown;
  distortionParams?: unknown;
}

/**
 * Reads the `.sfm` (JSON) of Meshroom and AliceVision. A pose has its rotation from world to camera, column by column,
 * which read row by row is that from camera to world, and its centre; cameras have y down and z forwards. A view of a
 * rig without a pose of its own stands where its rig and its place in the rig say. The principal point is in pixels,
 * since version 1.2.1 as an offset from the middle; the focal length in pixels, since 1.2.2 in millimetres of the
 * sensor, with a ratio of pixels (AliceVision, sfmDataIO/jsonIO.cpp).
 */
export const readMeshroom: ReadExport = async (source) => {
  const where = source.list.locate(source.file);
  const sfm = (parseJson(where, await textOf(source, source.file)) ?? {}) as Sfm;
  const poses = new Map((sfm.poses ?? []).map((pose) => [String(pose.poseId), pose.pose?.transform]));
  const lenses = new Map((sfm.intrinsics ?? []).map((lens) => [String(lens.intrinsicId), lens]));
  const shared = sharedPoses(sfm);
  const views: StatedView[] = [];
  const unsolved: string[] = [];
  for (const view of sfm.views ?? []) {
    const picture = String(view.path ?? view.viewId);
    const stated = poses.get(poseIdOf(view));
    const lens = lenses.get(String(view.intrinsicId));
    const isOfRig = view.rigId !== undefined && (isFalse(view.isPoseIndependant) || shared.has(poseIdOf(view)));
    const place = isOfRig ? placeInRig(sfm, view) : undefined;
    if (!stated || !lens || (isOfRig && !place)) {
      unsolved.push(picture);
      continue;
    }
    const pose = poseAt(stated, picture, where);
    views.push({
      picture,
      intrinsics: intrinsicsOf(lens, versionOf(sfm), where),
      cameraToInput: swapAxes(place ? multiply(pose, poseAt(place, `${picture} in its rig`, where)) : pose),
      split: 'train',
      file: source.file,
    });
  }
  demandViews(views, where, 'Meshroom');
  return { file: source.file, views, up: 'cameras', orient: false, labels: true, ...notSolved(unsolved, source.file) };
};

const poseIdOf = (view: SfmView): string => String(view.poseId ?? view.viewId);
const isFalse = (value: unknown): boolean => value === false || value === 'false' || value === '0';

/** Poses that several views name: those of a rig, in versions that do not say which poses are. */
function sharedPoses(sfm: Sfm): Set<string> {
  const ids = (sfm.views ?? []).map(poseIdOf);
  return new Set(ids.filter((id, i) => ids.indexOf(id) !== i));
}

/** The pose of a view within its rig; undefined where it is not known. */
function placeInRig(sfm: Sfm, { rigId, subPoseId }: SfmView): Pose | undefined {
  const rig = sfm.rigs?.find((one) => String(one.rigId) === String(rigId));
  const place = rig?.subPoses?.[Number(subPoseId)];
  return place?.status === 'uninitialized' ? undefined : place?.pose;
}

/** Camera (y down, z forwards) to world. */
function poseAt({ rotation, center }: Pose, of: string, file: string): Mat4 {
  return poseOf(
    numbersOf(rotation, 9, `the rotation of ${of}`, file),
    numbersOf(center, 3, `the centre of ${of}`, file),
  );
}

/** Version of the file as one number, `major * 10⁴ + minor * 10² + revision`; undefined where it does not say. */
function versionOf({ version }: Sfm): number | undefined {
  const [major, minor, revision] = (version ?? []).map(Number);
  const number = major * 10_000 + minor * 100 + revision;
  return Number.isFinite(number) ? number : undefined;
}

/** Since when the principal point is an offset, the focal length has millimetres, and pixelRatio is that of pixels. */
const OFFSETS = 10_201;
const RATIO_OF_PIXELS = 10_205;

function intrinsicsOf(lens: Intrinsic, version: number | undefined, file: string): StatedIntrinsics {
  const of = `the intrinsic ${lens.intrinsicId}`;
  const width = numberOf(lens.width, `the width of ${of}`, file);
  const height = numberOf(lens.height, `the height of ${of}`, file);
  const [x, y] = lens.principalPoint ? numbersOf(lens.principalPoint, 2, `the principal point of ${of}`, file) : [0, 0];
  // Without a version: an offset lies nearer to nothing than to the middle.
  const isOffset =
    version === undefined ? Math.hypot(x, y) < Math.hypot(x - width / 2, y - height / 2) : version >= OFFSETS;
  const stated = {
    width,
    height,
    ...focalOf(lens, width, version, file),
    cx: isOffset ? width / 2 + x : x,
    cy: isOffset ? height / 2 + y : y,
  };
  const params = Array.isArray(lens.distortionParams)
    ? numbersOf(lens.distortionParams, 0, `the lens of ${of}`, file)
    : [];
  const type = `${lens.type} ${lens.distortionType ?? ''}`.toLowerCase();
  if (params.every((v) => v === 0) && /pinhole|radial|brown/.test(type)) return stated;
  if (/fisheye4|fisheyekb|kannala/.test(type) || /^fisheye\s*$/.test(type))
    return { ...stated, model: 'fisheye', k: params };
  if (/radial1|radialk1/.test(type)) return { ...stated, k: params.slice(0, 1) };
  if (/radial3|radialk3/.test(type) && !/pt/.test(type)) return { ...stated, k: params.slice(0, 3) };
  if (/brown/.test(type)) return { ...stated, k: params.slice(0, 3), p: [params[3] ?? 0, params[4] ?? 0] };
  throw invalidMetadata(file, `${of} is of the type ${type.trim()}`, 'pinhole, radial1, radial3, brown or fisheye4');
}

/** Focal lengths in pixels. */
function focalOf(
  lens: Intrinsic,
  width: number,
  version: number | undefined,
  file: string,
): { fx: number; fy: number } {
  const what = `the focal length of the intrinsic ${lens.intrinsicId}`;
  if (lens.pxFocalLength !== undefined) {
    const [fx, fy = fx] = [lens.pxFocalLength].flat().map((value) => numberOf(value, what, file));
    return { fx, fy };
  }
  const sensor = numberOf(lens.sensorWidth, `the sensor width of the intrinsic ${lens.intrinsicId}`, file);
  const fx = (numberOf(lens.focalLength, what, file) * width) / sensor;
  const ratio = lens.pixelRatio === undefined ? 1 : numberOf(lens.pixelRatio, 'pixelRatio', file);
  return { fx, fy: version !== undefined && version < RATIO_OF_PIXELS ? fx / ratio : fx * ratio };
}
