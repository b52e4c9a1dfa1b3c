import { type Camera, projectionMatrix, worldToCamera } from '../../../core/camera.js';
import { invertAffine, multiply, transformPoint, type Vec3 } from '../../../core/math.js';
import type { Batch } from '../../../gpu/runtime/batch.js';
import type { Gpu } from '../../../gpu/runtime/gpu.js';
import { defineKernel } from '../../../gpu/runtime/kernel.js';
import { viewUniforms } from '../frame.js';
import { depthRangeOf } from '../geometry/cameras.js';
import type { DiffCameras, Frame, Gradients } from '../types.js';

const BASE_FLOATS = 32;
const STATE_FLOATS = 24;
const shader = new URL('./cameraStep.wgsl', import.meta.url);
const uniforms = {
  count: 'u32',
  first: 'u32',
  turnRate: 'f32',
  shiftRate: 'f32',
  focalRate: 'f32',
  pull: 'f32',
  unused0: 'u32',
  unused1: 'u32',
  views0: 'vec4u',
  views1: 'vec4u',
  views2: 'vec4u',
  views3: 'vec4u',
} as const;

const composeAll = defineKernel({
  name: 'compose cameras',
  shader,
  entryPoint: 'composeAll',
  bindings: { params: 'uniform', base: 'read', state: 'read_write', cameras: 'read_write' },
  uniforms,
});

const step = defineKernel({
  name: 'camera step',
  shader,
  entryPoint: 'step',
  bindings: { params: 'uniform', base: 'read', state: 'read_write', cameras: 'read_write', gradient: 'read' },
  uniforms,
});

/** Cameras that are parameters: what they were, how far each has been moved, and the moments of Adam. */
export interface MovingCameras {
  count: number;
  base: GPUBuffer;
  /**
   * Parameters and moments: f32 [count × 24]. Quaternion (x, y, z, w) of the turn about the pivot in camera axes; shift
   * in camera axes, scene units; logarithm of the focal length's factor; 16 numbers of moments.
   */
  state: GPUBuffer;
}

export interface CameraStepOptions {
  /** Adam's rates: turn in radians, shift in scene units, focal length as a share. 0 freezes. */
  turn: number;
  shift: number;
  focal: number;
  /**
   * Share of the way moved so far that is taken back in every step, 0…1. Default 0. All cameras and the mesh can move
   * together without a picture changing: a small pull keeps them where they were.
   */
  pull?: number;
}

/**
 * @param cameras where they are taken to stand at first
 * @param center, radius as in `packCameras`; cameras turn about `center`
 */
export function createMovingCameras(gpu: Gpu, cameras: readonly Camera[], center: Vec3, radius: number): MovingCameras {
  const base = new Float32Array(cameras.length * BASE_FLOATS);
  const state = new Float32Array(cameras.length * STATE_FLOATS);
  cameras.forEach((camera, i) => {
    const toCamera = worldToCamera(camera);
    const { near, far } = depthRangeOf(toCamera, center, radius);
    const p = projectionMatrix(camera, near, far);
    base.set(toCamera, i * BASE_FLOATS);
    base.set([p[0], p[5], p[8], p[9], p[10], p[14]], i * BASE_FLOATS + 16);
    base.set(transformPoint(toCamera, center), i * BASE_FLOATS + 24);
    state[i * STATE_FLOATS + 3] = 1;
  });
  return {
    count: cameras.length,
    base: gpu.upload(base, 'cameras at first'),
    state: gpu.upload(state, 'camera state'),
  };
}

export function destroyMovingCameras({ base, state }: MovingCameras): void {
  base.destroy();
  state.destroy();
}

const IDLE = { turnRate: 0, shiftRate: 0, focalRate: 0, pull: 0, unused0: 0, unused1: 0 };
const NO_VIEWS = { views0: [0, 0, 0, 0], views1: [0, 0, 0, 0], views2: [0, 0, 0, 0], views3: [0, 0, 0, 0] };

/** Records where cameras `first` … are now → all records of `cameras`. */
export function recordMovedCameras(batch: Batch, moving: MovingCameras, cameras: DiffCameras, first = 0): void {
  composeAll.dispatch(
    batch,
    { base: moving.base, state: moving.state, cameras: cameras.buffer },
    { ...IDLE, ...NO_VIEWS, count: cameras.count, first },
    [Math.ceil(cameras.count / 64)],
  );
}

/**
 * Records one step of Adam on pose and focal length of the frame's views from `gradients.cameras` (see
 * `recordCameraBackward`), and their new records.
 */
export function recordCameraStep(
  batch: Batch,
  moving: MovingCameras,
  cameras: DiffCameras,
  frame: Frame,
  gradients: Gradients,
  options: CameraStepOptions,
  first = 0,
): void {
  step.dispatch(
    batch,
    { base: moving.base, state: moving.state, cameras: cameras.buffer, gradient: gradients.cameras },
    {
      ...IDLE,
      count: frame.views.length,
      first,
      turnRate: options.turn,
      shiftRate: options.shift,
      focalRate: options.focal,
      pull: options.pull ?? 0,
      ...viewUniforms(frame),
    },
    [1],
  );
}

/** How far a camera was moved. */
export interface CameraMotion {
  /** The camera as moved. */
  camera: Camera;
  /** Turn about the pivot, in degrees. */
  turn: number;
  /** Length of the shift, in scene units. */
  shift: number;
  /** Factor on the focal length. */
  focal: number;
}

/**
 * Reads the cameras as moved; `cameras` and `center` are those of `createMovingCameras`. Computed in float64 from the
 * state.
 */
export async function readMovedCameras(
  gpu: Gpu,
  moving: MovingCameras,
  cameras: readonly Camera[],
  center: Vec3,
): Promise<CameraMotion[]> {
  const state = await gpu.readFloat32(moving.state, moving.count * STATE_FLOATS);
  return cameras.map((camera, i) => {
    const [x, y, z, w, tx, ty, tz, zoom] = state.subarray(i * STATE_FLOATS, i * STATE_FLOATS + 8);
    const toCamera = worldToCamera(camera);
    const [px, py, pz] = transformPoint(toCamera, center);
    // Columns of the turn.
    const turn = [
      ...[1 - 2 * (y * y + z * z), 2 * (x * y + z * w), 2 * (x * z - y * w), 0],
      ...[2 * (x * y - z * w), 1 - 2 * (x * x + z * z), 2 * (y * z + x * w), 0],
      ...[2 * (x * z + y * w), 2 * (y * z - x * w), 1 - 2 * (x * x + y * y), 0],
      ...[0, 0, 0, 1],
    ];
    const shiftBy = (v: Vec3) => [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, ...v, 1];
    const motion = multiply(shiftBy([px + tx, py + ty, pz + tz]), multiply(turn, shiftBy([-px, -py, -pz])));
    const focal = Math.exp(zoom);
    return {
      camera: {
        ...camera,
        cameraToWorld: invertAffine(multiply(motion, toCamera)),
        fx: camera.fx * focal,
        fy: camera.fy * focal,
      },
      turn: (2 * Math.atan2(Math.hypot(x, y, z), Math.abs(w)) * 180) / Math.PI,
      shift: Math.hypot(tx, ty, tz),
      focal,
    };
  });
}
