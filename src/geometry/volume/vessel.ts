import { type Camera, cameraPosition } from '../../core/camera.js';
import { cross, dot, length, normalize, scale, sub, type Vec3 } from '../../core/math.js';
import type { Mesh } from '../../core/mesh.js';
import type { Vessel } from './field.js';

/** A shaft that is less than this share of the surface is too small to be sure of. */
const LEAST_SHARE = 0.02;

/**
 * Looks for shafts: tubes of unseen surface, facing inwards all around. They arise where a camera looks through an
 * opening at a floor but sees nothing of the sides, as into a vase. Sides of a straight or narrowing hole would be seen
 * through its opening, so the true hollow is certainly wider than the shaft: the object is a vessel. Its floor is level
 * with what was seen of it. Its wall is as thick as it is seen at the opening: the least distance from the shaft to a
 * seen surface that faces the other way.
 *
 * @param support per vertex, 0 where nothing speaks for the surface.
 * @param cameras those of the depth maps; one of them looks down the shaft.
 * @param voxel size of the mesh's details, in scene units.
 * @returns undefined if the object has no such shaft.
 */
export function findVessel(
  mesh: Mesh,
  support: Uint8Array,
  cameras: readonly Camera[],
  voxel: number,
): Vessel | undefined {
  const { positions, indices } = mesh;
  const parent = Uint32Array.from({ length: support.length }, (_, i) => i);
  const root = (i: number): number => {
    let r = i;
    while (parent[r] !== r) {
      parent[r] = parent[parent[r]];
      r = parent[r];
    }
    return r;
  };
  const point = (i: number): Vec3 => [positions[i * 3], positions[i * 3 + 1], positions[i * 3 + 2]];
  const areaVector = (t: number): Vec3 => {
    const a = point(indices[t]);
    return scale(cross(sub(point(indices[t + 1]), a), sub(point(indices[t + 2]), a)), 0.5);
  };
  const unseen = (t: number): boolean => !support[indices[t]] && !support[indices[t + 1]] && !support[indices[t + 2]];

  let total = 0;
  for (let t = 0; t < indices.length; t += 3) {
    total += length(areaVector(t));
    if (!unseen(t)) continue;
    const a = root(indices[t]);
    for (const k of [1, 2]) {
      const b = root(indices[t + k]);
      if (a !== b) parent[Math.max(root(a), b)] = Math.min(root(a), b);
    }
  }

  const parts = new Map<number, { area: number; sum: Vec3; centre: Vec3; outward: number }>();
  const eachUnseen = (visit: (part: { area: number; sum: Vec3; centre: Vec3; outward: number }, t: number) => void) => {
    for (let t = 0; t < indices.length; t += 3) {
      if (!unseen(t)) continue;
      const key = root(indices[t]);
      const part = parts.get(key) ?? { area: 0, sum: [0, 0, 0], centre: [0, 0, 0], outward: 0 };
      parts.set(key, part);
      visit(part, t);
    }
  };
  eachUnseen((part, t) => {
    const n = areaVector(t);
    const area = length(n);
    part.area += area;
    for (let k = 0; k < 3; k++) {
      part.sum[k] += n[k];
      part.centre[k] += positions[indices[t] * 3 + k] * area;
    }
  });
  eachUnseen((part, t) => {
    part.outward += dot(areaVector(t), sub(point(indices[t]), scale(part.centre, 1 / part.area)));
  });

  let shaft = -1;
  let largest = LEAST_SHARE * total;
  for (const [key, part] of parts) {
    const allAround = length(part.sum) < 0.3 * part.area;
    if (part.area < largest || !allAround || part.outward >= 0) continue;
    shaft = key;
    largest = part.area;
  }
  if (shaft < 0 || cameras.length === 0) return undefined;

  // The shaft's sides are rays of the camera that looks down it.
  const inShaft = Uint8Array.from(support, (s, i) => (s === 0 && root(i) === shaft ? 1 : 0));
  const across = cameras.map(() => 0);
  for (let t = 0; t < indices.length; t += 3) {
    if (!inShaft[indices[t]]) continue;
    const n = areaVector(t);
    cameras.forEach((camera, c) => {
      across[c] += Math.abs(dot(n, normalize(sub(point(indices[t]), cameraPosition(camera)))));
    });
  }
  const m = cameras[across.indexOf(Math.min(...across))].cameraToWorld;
  const axis: Vec3 = [-m[8], -m[9], -m[10]];
  const levels: number[] = [];
  for (let i = 0; i < inShaft.length; i++) if (inShaft[i]) levels.push(dot(point(i), axis));
  levels.sort((a, b) => a - b);
  const thickness = wallThickness(mesh, support, inShaft, voxel);
  return thickness === undefined ? undefined : { thickness, axis, floor: levels[Math.floor(levels.length * 0.995)] };
}

/**
 * The fifth percentile, over the rim, of the distance from shaft vertices to the nearest seen vertex behind it that
 * faces the other way.
 */
function wallThickness(mesh: Mesh, support: Uint8Array, inShaft: Uint8Array, voxel: number): number | undefined {
  const { positions, indices } = mesh;
  const normals = new Float32Array(positions.length);
  const at = (i: number): Vec3 => [positions[i * 3], positions[i * 3 + 1], positions[i * 3 + 2]];
  for (let t = 0; t < indices.length; t += 3) {
    const a = at(indices[t]);
    const n = cross(sub(at(indices[t + 1]), a), sub(at(indices[t + 2]), a));
    for (let c = 0; c < 3; c++) for (let k = 0; k < 3; k++) normals[indices[t + c] * 3 + k] += n[k];
  }
  const normal = (i: number): Vec3 => {
    const n: Vec3 = [normals[i * 3], normals[i * 3 + 1], normals[i * 3 + 2]];
    return scale(n, 1 / (length(n) || 1));
  };
  const cell = 4 * voxel;
  const keyOf = (x: number, y: number, z: number): string => `${x},${y},${z}`;
  const cells = new Map<string, number[]>();
  for (let i = 0; i < support.length; i++) {
    if (!support[i]) continue;
    const key = keyOf(...(at(i).map((v) => Math.floor(v / cell)) as Vec3));
    const list = cells.get(key);
    if (list) list.push(i);
    else cells.set(key, [i]);
  }
  const REACH = 6;
  const distances: number[] = [];
  const shaft: number[] = [];
  for (let i = 0; i < inShaft.length; i++) if (inShaft[i]) shaft.push(i);
  const stride = Math.max(1, Math.floor(shaft.length / 4000));
  for (let s = 0; s < shaft.length; s += stride) {
    const p = at(shaft[s]);
    const n = normal(shaft[s]);
    const [cx, cy, cz] = p.map((v) => Math.floor(v / cell));
    let best = REACH * cell;
    for (let r = 0; r <= REACH && (r - 1) * cell < best; r++)
      for (let z = cz - r; z <= cz + r; z++)
        for (let y = cy - r; y <= cy + r; y++)
          for (let x = cx - r; x <= cx + r; x++) {
            if (Math.max(Math.abs(x - cx), Math.abs(y - cy), Math.abs(z - cz)) !== r) continue;
            for (const j of cells.get(keyOf(x, y, z)) ?? []) {
              const to = sub(at(j), p);
              const d = length(to);
              // Straight behind the shaft's side and facing away from it: the outside of the same wall.
              if (d < best && dot(to, n) < -0.7 * d && dot(normal(j), n) < -0.5) best = d;
            }
          }
    if (best < REACH * cell) distances.push(best);
  }
  if (distances.length < 20) return undefined;
  distances.sort((a, b) => a - b);
  return distances[Math.floor(distances.length * 0.05)];
}
