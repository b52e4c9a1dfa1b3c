import { MathUtils, type PerspectiveCamera, Vector3 } from 'three';

/** A camera as in `quality.json`: column-major camera-to-world, pixels. */
export interface StageCamera {
  cameraToWorld: number[];
  width: number;
  height: number;
  fx: number;
  fy: number;
  cx: number;
  cy: number;
}

/** Where the camera stands and what lens it has; everything that a flight from one to another has to change. */
export interface Pose {
  position: Vector3;
  target: Vector3;
  /** Vertical, degrees. */
  fov: number;
  /** Turn about the line of sight against an upright camera, radians. */
  roll: number;
  /** Where the line of sight meets the window, in heights of the window from its middle: right and down. */
  shift: [number, number];
  /** fy / fx. */
  stretch: number;
}

/** The middle of an element in which a picture stands as large as it can. */
export function fitPicture(
  picture: { width: number; height: number },
  room: { width: number; height: number },
): { left: number; top: number; width: number; height: number } {
  const scale = Math.min(room.width / picture.width, room.height / picture.height);
  const width = picture.width * scale;
  const height = picture.height * scale;
  return { left: (room.width - width) / 2, top: (room.height - height) / 2, width, height };
}

/**
 * Stands where a camera of the capture stood, so that the model lies on its picture where `fitPicture` puts it.
 * @param depth of the point that the camera is to turn about
 */
export function poseOfCamera(
  camera: StageCamera,
  room: { width: number; height: number },
  centre: Vector3,
  nearest: number,
): Pose {
  const m = camera.cameraToWorld;
  const position = new Vector3(m[12], m[13], m[14]);
  const up = new Vector3(m[4], m[5], m[6]).normalize();
  const back = new Vector3(m[8], m[9], m[10]).normalize();
  const along = Math.max(centre.clone().sub(position).dot(back.clone().negate()), nearest);
  const { height } = fitPicture(camera, room);
  const scale = height / camera.height;
  // An upright camera has its right within the horizon.
  const right = new Vector3(0, 1, 0).cross(back);
  const upright = back.clone().cross(right.lengthSq() > 1e-12 ? right.normalize() : new Vector3(1, 0, 0));
  return {
    position,
    target: position.clone().addScaledVector(back, -along),
    fov: MathUtils.radToDeg(2 * Math.atan(room.height / scale / 2 / camera.fy)),
    roll: Math.atan2(upright.clone().cross(up).dot(back), upright.dot(up)),
    shift: [
      ((camera.cx - camera.width / 2) * scale) / room.height,
      ((camera.cy - camera.height / 2) * scale) / room.height,
    ],
    stretch: camera.fy / camera.fx,
  };
}

const mix = (a: number, b: number, t: number): number => a + (b - a) * t;

/** A pose on the way: round the target's axis rather than through it. */
export function between(a: Pose, b: Pose, t: number): Pose {
  const target = a.target.clone().lerp(b.target, t);
  const [from, to] = [a, b].map((pose) => {
    const { x, y, z } = pose.position.clone().sub(pose.target);
    return { around: Math.atan2(x, z), out: Math.hypot(x, z), up: y };
  });
  const turn = MathUtils.euclideanModulo(to.around - from.around + Math.PI, 2 * Math.PI) - Math.PI;
  const around = from.around + turn * t;
  const out = mix(from.out, to.out, t);
  const position = new Vector3(Math.sin(around) * out, mix(from.up, to.up, t), Math.cos(around) * out).add(target);
  return {
    position,
    target,
    // The tangent is what the eye takes for size.
    fov: 2 * MathUtils.radToDeg(Math.atan(mix(tangent(a.fov), tangent(b.fov), t))),
    roll: mix(a.roll, b.roll, t),
    shift: [mix(a.shift[0], b.shift[0], t), mix(a.shift[1], b.shift[1], t)],
    stretch: mix(a.stretch, b.stretch, t),
  };
}

const tangent = (fov: number): number => Math.tan(MathUtils.degToRad(fov / 2));

/** Gives a camera the lens of a pose, for a window of that size. */
export function setLens(
  camera: PerspectiveCamera,
  { fov, shift, stretch }: Pick<Pose, 'fov' | 'shift' | 'stretch'>,
  { width, height }: { width: number; height: number },
): void {
  camera.fov = fov;
  camera.aspect = (width / height) * stretch;
  if (shift[0] === 0 && shift[1] === 0) camera.clearViewOffset();
  else camera.setViewOffset(width, height, -shift[0] * height, -shift[1] * height, width, height);
  // `setViewOffset` takes the aspect of the whole window for its own.
  camera.aspect = (width / height) * stretch;
  camera.updateProjectionMatrix();
}
