import { invalidMetadata, parseJson } from '../../layout/metadata.js';
import type { StatedIntrinsics } from '../../layout/statedIntrinsics.js';
import { swapAxes } from '../axes.js';
import { demandViews, notSolved, numberOf, numbersOf, poseOf, type ReadExport, textOf } from '../exportFile.js';
import type { StatedView } from '../stated.js';

interface Sfm {
  views?: { viewId?: unknown; poseId?: unknown; intrinsicId?: unknown; path?: unknown }[];
  intrinsics?: Intrinsic[];
  poses?: { poseId?: unknown; pose?: { transform?: { rotation?: unknown; center?: unknown } } }[];
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
  principalPoint?: unknown;
  distortionParams?: unknown;
}

/**
 * Reads the `.sfm` (JSON) of Meshroom and AliceVision. A pose has its rotation from world to camera, column by column,
 * which read row by row is that from camera to world, and its centre; cameras have y down and z forwards. The principal
 * point is in pixels, of newer versions as an offset from the middle; the focal length in pixels, of newer versions in
 * millimetres of the sensor.
 */
export const readMeshroom: ReadExport = async (source) => {
  const where = source.list.locate(source.file);
  const sfm = (parseJson(where, await textOf(source, source.file)) ?? {}) as Sfm;
  const poses = new Map((sfm.poses ?? []).map((pose) => [String(pose.poseId), pose.pose?.transform]));
  const lenses = new Map((sfm.intrinsics ?? []).map((lens) => [String(lens.intrinsicId), lens]));
  const views: StatedView[] = [];
  const unsolved: string[] = [];
  for (const view of sfm.views ?? []) {
    const picture = String(view.path ?? view.viewId);
    const transform = poses.get(String(view.poseId ?? view.viewId));
    const lens = lenses.get(String(view.intrinsicId));
    if (!transform || !lens) {
      unsolved.push(picture);
      continue;
    }
    const r = numbersOf(transform.rotation, 9, `the rotation of ${picture}`, where);
    const centre = numbersOf(transform.center, 3, `the centre of ${picture}`, where);
    views.push({
      picture,
      intrinsics: intrinsicsOf(lens, where),
      cameraToInput: swapAxes(poseOf(r, centre)),
      split: 'train',
      file: source.file,
    });
  }
  demandViews(views, where, 'Meshroom');
  return { file: source.file, views, up: 'cameras', orient: false, labels: true, ...notSolved(unsolved, source.file) };
};

function intrinsicsOf(lens: Intrinsic, file: string): StatedIntrinsics {
  const of = `the intrinsic ${lens.intrinsicId}`;
  const width = numberOf(lens.width, `the width of ${of}`, file);
  const height = numberOf(lens.height, `the height of ${of}`, file);
  const focal =
    lens.pxFocalLength === undefined
      ? (numberOf(lens.focalLength, `the focal length of ${of}`, file) * width) /
        numberOf(lens.sensorWidth, `the sensor width of ${of}`, file)
      : numberOf([lens.pxFocalLength].flat()[0], `the focal length of ${of}`, file);
  const [x, y] = lens.principalPoint ? numbersOf(lens.principalPoint, 2, `the principal point of ${of}`, file) : [0, 0];
  // An offset lies nearer to nothing than to the middle.
  const isOffset = Math.hypot(x, y) < Math.hypot(x - width / 2, y - height / 2);
  const stated = {
    width,
    height,
    fx: focal,
    fy: focal,
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
