import { invertAffine, type Mat4, multiply, type Vec3 } from './math.js';

/**
 * A pinhole camera. World is right-handed with +Y up; the camera has OpenGL axes (x right, y up, looks along −z).
 * Image x runs right and y runs down; the centre of the first pixel is at (0.5, 0.5).
 */
export interface Camera {
  /** Column-major 4×4 rigid transform from camera to world space, in scene units. */
  cameraToWorld: Mat4;
  /** Image size in pixels. */
  width: number;
  height: number;
  /** Focal lengths in pixels. */
  fx: number;
  fy: number;
  /** Principal point in pixels. */
  cx: number;
  cy: number;
}

/** The same camera for an image of another size (pixels need not stay square). */
export function resizeCamera(camera: Camera, width: number, height: number): Camera {
  const sx = width / camera.width;
  const sy = height / camera.height;
  return {
    cameraToWorld: camera.cameraToWorld,
    width,
    height,
    fx: camera.fx * sx,
    fy: camera.fy * sy,
    cx: camera.cx * sx,
    cy: camera.cy * sy,
  };
}

export const worldToCamera = (camera: Camera): Mat4 => invertAffine(camera.cameraToWorld);

/**
 * Column-major projection to WebGPU clip space (x right, y up, z from 0 at `near` to 1 at `far`), off-centre
 * principal points included, so that pixel (u, v) of the image is pixel (u, v) of a render target of the same size.
 */
export function projectionMatrix(camera: Camera, near: number, far: number): Mat4 {
  const { width: w, height: h, fx, fy, cx, cy } = camera;
  const out = new Array<number>(16).fill(0);
  out[0] = (2 * fx) / w;
  out[5] = (2 * fy) / h;
  out[8] = 1 - (2 * cx) / w;
  out[9] = (2 * cy) / h - 1;
  out[10] = far / (near - far);
  out[11] = -1;
  out[14] = (near * far) / (near - far);
  return out;
}

export const worldToClip = (camera: Camera, near: number, far: number): Mat4 =>
  multiply(projectionMatrix(camera, near, far), worldToCamera(camera));

/** Projects a world point: pixel coordinates and depth along the viewing axis (positive in front of the camera). */
export function projectPoint(
  camera: Camera,
  p: Vec3,
  toCamera: Mat4 = worldToCamera(camera),
): { x: number; y: number; depth: number } {
  const X = toCamera[0] * p[0] + toCamera[4] * p[1] + toCamera[8] * p[2] + toCamera[12];
  const Y = toCamera[1] * p[0] + toCamera[5] * p[1] + toCamera[9] * p[2] + toCamera[13];
  const depth = -(toCamera[2] * p[0] + toCamera[6] * p[1] + toCamera[10] * p[2] + toCamera[14]);
  return { x: camera.cx + (camera.fx * X) / depth, y: camera.cy - (camera.fy * Y) / depth, depth };
}

/** The world point at pixel coordinates (x, y) and `depth` along the viewing axis. */
export function unprojectPixel(camera: Camera, x: number, y: number, depth: number): Vec3 {
  const X = ((x - camera.cx) / camera.fx) * depth;
  const Y = (-(y - camera.cy) / camera.fy) * depth;
  const m = camera.cameraToWorld;
  return [
    m[0] * X + m[4] * Y - m[8] * depth + m[12],
    m[1] * X + m[5] * Y - m[9] * depth + m[13],
    m[2] * X + m[6] * Y - m[10] * depth + m[14],
  ];
}

/** The camera's position in the world. */
export const cameraPosition = (camera: Camera): Vec3 => [
  camera.cameraToWorld[12],
  camera.cameraToWorld[13],
  camera.cameraToWorld[14],
];
