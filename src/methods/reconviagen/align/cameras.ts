import { type Camera, worldToCamera } from '../../../core/camera.js';
import type { HeadCamera } from '../cameraHead.js';
import type { SeenPhoto } from '../photos.js';
import type { SquareCamera } from './comparison.js';
import { inverse, rotationOf, turned } from './rotations.js';

/** Angles of view that a camera can have; what the head states beyond is no angle. */
const LEAST_VIEW = (8 * Math.PI) / 180;
const MOST_VIEW = (120 * Math.PI) / 180;

/** A photo's camera as the cut of it to its object has it. */
export function ofCut({ view, prepared, scale }: SeenPhoto): SquareCamera {
  const { camera } = view;
  const m = worldToCamera(camera);
  const { side, left, top } = prepared;
  const zoom = prepared.scale / side;
  return {
    rotation: [m[0], m[4], m[8], m[1], m[5], m[9], m[2], m[6], m[10]],
    translation: [m[12], m[13], m[14]],
    focal: camera.fx * scale * zoom,
    centre: [(camera.cx * scale - left) * zoom, (camera.cy * scale - top) * zoom],
  };
}

/** A cut's camera as the whole photo has it, at the view's full size. */
export function ofPhoto(
  { view, prepared, scale }: SeenPhoto,
  { rotation, translation, focal, centre }: SquareCamera,
): Camera {
  const { side, left, top } = prepared;
  const zoom = prepared.scale / side;
  const back = inverse(rotation);
  const eye = turned(back, translation).map((x) => -x);
  const f = focal / zoom / scale;
  return {
    ...view.camera,
    cameraToWorld: [
      back[0],
      back[3],
      back[6],
      0,
      back[1],
      back[4],
      back[7],
      0,
      back[2],
      back[5],
      back[8],
      0,
      ...eye,
      1,
    ],
    fx: f,
    fy: f,
    cx: (centre[0] / zoom + left) / scale,
    cy: (centre[1] / zoom + top) / scale,
  };
}

/** The camera that VGGT's head states for a cut: from OpenCV's axes (y down, z forwards) to OpenGL's. */
export function ofHead({ translation: [x, y, z], rotation, fov }: HeadCamera): SquareCamera {
  const r = rotationOf(rotation);
  const view = Math.min(MOST_VIEW, Math.max(LEAST_VIEW, (fov[0] + fov[1]) / 2));
  return {
    rotation: [r[0], r[1], r[2], -r[3], -r[4], -r[5], -r[6], -r[7], -r[8]],
    translation: [x, -y, -z],
    focal: 0.5 / Math.tan(view / 2),
    centre: [0.5, 0.5],
  };
}
