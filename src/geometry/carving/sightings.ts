import { type Camera, cameraPosition, projectPoint, worldToCamera } from '../../core/camera.js';
import type { ColorImage } from '../../core/image.js';
import { dot, type Mat4, type Vec3 } from '../../core/math.js';
import { type IsoLattice, latticeSize } from '../flexicubes/brickGrid.js';

/** A picture of the object: sRGB, straight alpha, of the camera's own size. */
export interface CarvingView {
  camera: Camera;
  image: ColorImage;
}

/**
 * A voxel counts for a view only where it faces it by at least this cosine: beyond, a voxel's colour is that of its
 * neighbours.
 */
const FACING = 0.25;
/** Voxels that are turned away by more than this hide nothing that others do not. */
const TURNED_AWAY = -0.3;
/** A voxel is seen where nothing is nearer by more than this, in voxels. */
const NEARER = 1.5;
/** Half the side of the square that a voxel covers, in voxels. */
const COVER = 0.6;
/** Alpha from which a pixel shows the object. */
const OPAQUE = 128;

/** What all views see of a solid of voxels. */
export interface Sightings {
  /** Voxels of the solid that border on empty space, as numbers of samples of the lattice. */
  voxels: Int32Array;
  /** For each sample of the lattice its place in `voxels`, or −1. */
  place: Int32Array;
  /** Per view and pixel: place of the foremost voxel, or −1. */
  foremost: Int32Array[];
  /** [voxels × views]: 0xff000000 + the packed pixel as the view shows it; 0 = not seen. */
  colors: Uint32Array;
}

/** A view made ready. */
export interface PreparedView {
  width: number;
  height: number;
  /** RGBA as in memory, little endian. */
  pixels: Uint32Array;
  toCamera: Mat4;
  camera: Camera;
  eye: Vec3;
  /** Of the solid that was looked at last. */
  depth: Float32Array;
  /** The other views, by the angle between their viewing axes and this one's. */
  nearest: number[];
}

export function prepareViews(views: readonly CarvingView[]): PreparedView[] {
  const nearest = viewsByAngle(views);
  return views.map(({ camera, image }, v) => ({
    width: image.width,
    height: image.height,
    pixels: new Uint32Array(Uint8Array.from(image.data).buffer),
    toCamera: worldToCamera(camera),
    camera,
    eye: cameraPosition(camera),
    depth: new Float32Array(image.width * image.height),
    nearest: nearest[v],
  }));
}

function viewsByAngle(views: readonly CarvingView[]): number[][] {
  const axes = views.map(({ camera }) => camera.cameraToWorld.slice(8, 11) as Vec3);
  return axes.map((axis, v) => {
    const cosines = axes.map((other) => dot(axis, other));
    return cosines
      .map((_, o) => o)
      .filter((o) => o !== v)
      .sort((a, b) => cosines[b] - cosines[a]);
  });
}

export const isOpaque = (pixel: number): boolean => pixel >>> 24 >= OPAQUE;

/**
 * Finds the surface of a solid and what each view sees of it.
 * @param solid 1 where a sample of the lattice is inside; 0 on the lattice's border
 */
export function findSightings(solid: Uint8Array, lattice: IsoLattice, views: readonly PreparedView[]): Sightings {
  const [nx, ny] = latticeSize(lattice);
  const strides = [1, nx, nx * ny];
  const found: number[] = [];
  for (let i = 0; i < solid.length; i++) {
    if (solid[i] && strides.some((s) => !solid[i - s] || !solid[i + s])) found.push(i);
  }
  const voxels = Int32Array.from(found);
  const place = new Int32Array(solid.length).fill(-1);
  for (let k = 0; k < voxels.length; k++) place[voxels[k]] = k;
  const positions = new Float32Array(voxels.length * 3);
  for (let k = 0; k < voxels.length; k++) positions.set(positionOf(voxels[k], lattice), k * 3);
  const normals = normalsOf(voxels, solid, nx, nx * ny);
  const colors = new Uint32Array(voxels.length * views.length);
  const scratch: Scratch = { pixels: new Int32Array(voxels.length), depths: new Float32Array(voxels.length) };
  const foremost = views.map((view, v) => {
    const nearest = drawVoxels(view, positions, normals, lattice.voxel, scratch);
    for (let k = 0; k < voxels.length; k++) {
      const pixel = scratch.pixels[k];
      if (pixel < 0 || scratch.depths[k] > view.depth[pixel] + NEARER * lattice.voxel) continue;
      if (isOpaque(view.pixels[pixel])) colors[k * views.length + v] = (view.pixels[pixel] | 0xff000000) >>> 0;
    }
    return nearest;
  });
  return { voxels, place, foremost, colors };
}

/** World position of a sample of the lattice. */
export function positionOf(sample: number, lattice: IsoLattice): Vec3 {
  const [nx, ny] = latticeSize(lattice);
  const at = [sample % nx, Math.floor(sample / nx) % ny, Math.floor(sample / (nx * ny))];
  return at.map((v, k) => lattice.origin[k] + v * lattice.voxel) as Vec3;
}

/** Per voxel: the pixel that its middle is in and its depth there; −1 where it is out of sight or turned away. */
interface Scratch {
  pixels: Int32Array;
  depths: Float32Array;
}

/** Draws voxels as squares into the view's depth; gives the foremost one of each pixel. */
function drawVoxels(
  view: PreparedView,
  positions: Float32Array,
  normals: Float32Array,
  voxel: number,
  scratch: Scratch,
): Int32Array {
  const { width, height, depth, eye } = view;
  const cover = COVER * voxel * view.camera.fx;
  const nearest = new Int32Array(width * height).fill(-1);
  depth.fill(Number.POSITIVE_INFINITY);
  for (let k = 0; k < scratch.pixels.length; k++) {
    scratch.pixels[k] = -1;
    const [x, y, z] = [positions[k * 3], positions[k * 3 + 1], positions[k * 3 + 2]];
    const [dx, dy, dz] = [eye[0] - x, eye[1] - y, eye[2] - z];
    const facing = dx * normals[k * 3] + dy * normals[k * 3 + 1] + dz * normals[k * 3 + 2];
    const distance = Math.sqrt(dx * dx + dy * dy + dz * dz);
    if (facing < TURNED_AWAY * distance) continue;
    const at = projectPoint(view.camera, [x, y, z], view.toCamera);
    if (at.depth <= 0) continue;
    const radius = cover / at.depth;
    const x0 = Math.max(0, Math.round(at.x - 0.5 - radius));
    const x1 = Math.min(width - 1, Math.round(at.x - 0.5 + radius));
    const y0 = Math.max(0, Math.round(at.y - 0.5 - radius));
    const y1 = Math.min(height - 1, Math.round(at.y - 0.5 + radius));
    for (let row = y0; row <= y1; row++)
      for (let pixel = row * width + x0; pixel <= row * width + x1; pixel++) {
        if (at.depth >= depth[pixel]) continue;
        depth[pixel] = at.depth;
        nearest[pixel] = k;
      }
    if (facing < FACING * distance) continue;
    const [column, row] = [Math.floor(at.x), Math.floor(at.y)];
    if (column < 0 || row < 0 || column >= width || row >= height) continue;
    scratch.pixels[k] = row * width + column;
    scratch.depths[k] = at.depth;
  }
  return nearest;
}

/** Unit normals: from the middle of what is solid around each voxel to the middle of what is empty. */
function normalsOf(voxels: Int32Array, solid: Uint8Array, row: number, layer: number): Float32Array {
  const normals = new Float32Array(voxels.length * 3);
  for (let k = 0; k < voxels.length; k++) {
    let [x, y, z] = [0, 0, 0];
    for (let c = -2; c <= 2; c++)
      for (let b = -2; b <= 2; b++)
        for (let a = -2; a <= 2; a++) {
          if (solid[voxels[k] + a + b * row + c * layer]) continue;
          x += a;
          y += b;
          z += c;
        }
    const length = Math.hypot(x, y, z) || 1;
    normals.set([x / length, y / length, z / length], k * 3);
  }
  return normals;
}
