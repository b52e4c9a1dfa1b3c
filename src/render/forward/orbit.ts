import { boundsOf, centerOf } from '../../core/bounds.js';
import type { Camera } from '../../core/camera.js';
import { add, cross, dot, lookAt, normalize, scale, sub, type Vec3 } from '../../core/math.js';
import type { Mesh } from '../../core/mesh.js';
import { assignDefaults } from '../../core/options.js';

/** A camera that circles an object. */
export interface Orbit {
  /** Degrees about +Y: 0 looks from +Z (the front in glTF), 90 from +X. Default 0. */
  azimuth?: number;
  /** Degrees above the horizon, −90…90. Default 18. */
  elevation?: number;
  /** From the target, in scene units. Default: just far enough to show the whole object with a margin. */
  distance?: number;
  /** Vertical field of view in degrees, above 0 and below 170. Default 28. */
  fov?: number;
  /** Default: the middle of the object. */
  target?: Vec3;
}

export const ORBIT_DEFAULTS = { azimuth: 0, elevation: 18, fov: 28 } as const;
/** Share of the picture's half that the object reaches to. */
const FILL = 0.9;
/** Fitting looks at no more vertices than this; the margin covers the rest. */
const FIT_VERTICES = 20_000;

const radians = (degrees: number): number => (degrees * Math.PI) / 180;

/** The unit vector from the target to the camera. */
export function orbitDirection(azimuth: number, elevation: number): Vec3 {
  const c = Math.cos(radians(elevation));
  return [Math.sin(radians(azimuth)) * c, Math.sin(radians(elevation)), Math.cos(radians(azimuth)) * c];
}

/** The pinhole camera of an orbit. `target` and `distance` have to be known: see `fitOrbit`. */
export function orbitCamera(orbit: Orbit & { target: Vec3; distance: number }, width: number, height: number): Camera {
  const { azimuth, elevation, fov, target, distance } = assignDefaults(ORBIT_DEFAULTS, orbit);
  const eye = add(target, scale(orbitDirection(azimuth, elevation), distance));
  // Straight from above or below, +Y gives no upward direction: the azimuth does.
  const steep = Math.abs(elevation) > 89.9;
  const up: Vec3 = steep ? scale(orbitDirection(azimuth, 0), elevation > 0 ? -1 : 1) : [0, 1, 0];
  const focal = height / 2 / Math.tan(radians(fov) / 2);
  return {
    cameraToWorld: lookAt(eye, target, up),
    width,
    height,
    fx: focal,
    fy: focal,
    cx: width / 2,
    cy: height / 2,
  };
}

/**
 * Target and distance that show the whole mesh from every given azimuth (default: the orbit's own), centred vertically.
 * What the orbit states itself is kept.
 * @param aspect width over height of the picture
 */
export function fitOrbit(
  mesh: Mesh,
  orbit: Orbit,
  aspect = 1,
  azimuths: readonly number[] = [orbit.azimuth ?? ORBIT_DEFAULTS.azimuth],
): Orbit & { target: Vec3; distance: number } {
  const { elevation, fov } = assignDefaults(ORBIT_DEFAULTS, orbit);
  const used = usedVertices(mesh);
  let target = orbit.target ?? centerOf(boundsOf(used.flat()));
  const tanY = Math.tan(radians(fov) / 2) * FILL;
  const tanX = Math.tan(radians(fov) / 2) * aspect * FILL;
  let distance = 0;
  for (let round = 0; round < 4; round++) {
    let sides = 0;
    let above = 0;
    let below = 0;
    for (const azimuth of azimuths) {
      const back = orbitDirection(azimuth, elevation);
      const right = normalize(cross([0, 1, 0], orbitDirection(azimuth, 0)));
      const up = cross(back, right);
      for (const p of used) {
        const d = sub(p, target);
        const z = dot(d, back);
        const y = dot(d, up);
        sides = Math.max(sides, z + Math.abs(dot(d, right)) / tanX);
        above = Math.max(above, z + y / tanY);
        below = Math.max(below, z - y / tanY);
      }
    }
    distance = Math.max(sides, above, below, 1e-6);
    if (orbit.target) break;
    // Shift up by what the upper margin lacks.
    const shift = ((above - below) / 2) * tanY * Math.cos(radians(elevation));
    if (Math.abs(shift) < 1e-3 * distance) break;
    target = [target[0], target[1] + shift * 0.7, target[2]];
  }
  return { ...orbit, target, distance: orbit.distance ?? distance };
}

function usedVertices(mesh: Mesh): Vec3[] {
  const step = Math.max(1, Math.floor(mesh.indices.length / FIT_VERTICES));
  const out: Vec3[] = [];
  for (let i = 0; i < mesh.indices.length; i += step) {
    const v = mesh.indices[i] * 3;
    out.push([mesh.positions[v], mesh.positions[v + 1], mesh.positions[v + 2]]);
  }
  return out;
}
