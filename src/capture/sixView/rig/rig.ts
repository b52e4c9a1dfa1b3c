import type { Mat4, Vec3 } from '../../../core/math.js';
import type { ViewName } from '../../layout/names.js';

/** What the names of the pictures mean. */
export interface Arrangement {
  left: 'viewer' | 'object';
  /** Quarter-turns clockwise of the pictures `top` and `bottom`, 0…3. */
  topTurn: number;
  bottomTurn: number;
}

/** Axes of a camera in the world: x right, y up, z backwards (from the centre to the camera). */
export interface Axes {
  x: Vec3;
  y: Vec3;
  z: Vec3;
}

const negate = (v: Vec3): Vec3 => [0 - v[0], 0 - v[1], 0 - v[2]];
const X: Vec3 = [1, 0, 0];
const Y: Vec3 = [0, 1, 0];
const Z: Vec3 = [0, 0, 1];

/** Where the camera of a view stands: world +Y is up, the front camera stands on +Z, and its right is +X. */
export function viewAxes(name: ViewName, arrangement: Arrangement): Axes {
  switch (name) {
    case 'front':
      return { x: X, y: Y, z: Z };
    case 'back':
      return { x: negate(X), y: Y, z: negate(Z) };
    case 'left':
    case 'right':
      return (name === 'right') === (arrangement.left === 'viewer')
        ? { x: negate(Z), y: Y, z: X }
        : { x: Z, y: Y, z: negate(X) };
    case 'top':
      return turned({ x: X, y: negate(Z), z: Y }, arrangement.topTurn);
    case 'bottom':
      return turned({ x: X, y: Z, z: negate(Y) }, arrangement.bottomTurn);
  }
}

/** The axes of a camera whose picture is turned clockwise: what was up lies to the right after one quarter-turn. */
function turned(axes: Axes, quarters: number): Axes {
  let { x, y } = axes;
  for (let i = 0; i < quarters; i++) [x, y] = [y, negate(x)];
  return { x, y, z: axes.z };
}

/** Camera-to-world matrix of a camera with these axes, `distance` from the common centre at the origin. */
export function rigPose(axes: Axes, distance: number): Mat4 {
  const { x, y, z } = axes;
  return [...x, 0, ...y, 0, ...z, 0, z[0] * distance, z[1] * distance, z[2] * distance, 1];
}
