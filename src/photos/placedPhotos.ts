import type { Lens } from '../capture/cameras/lens.js';
import type { Mat4 } from '../core/math.js';
import type { FoundCameras } from './findCameras.js';
import { cameraToWorld, quarterTurns, toWorld } from './frame.js';
import type { Pose } from './mapper/p3p.js';
import { type PhotosReport, photosReport } from './write/photosJson.js';

/** What is kept of found cameras once features and matches have served: plain data. */
export interface PlacedPhotos {
  /** Photos with a camera. */
  placed: {
    /** Index into the photos that were given. */
    photo: number;
    /** File name. */
    name: string;
    /** Lens of the upright picture. */
    lens: Lens;
    /** OpenGL axes of the upright picture. */
    cameraToWorld: Mat4;
    /** Indices of the points that it shows, ascending. */
    points: Uint32Array;
  }[];
  /** x, y, z of every point in the world. */
  points: Float64Array;
  report: PhotosReport;
}

/** Cameras and points of the world, for upright pictures. */
export function placedPhotos(found: FoundCameras): PlacedPhotos {
  const { photos, scene, frame } = found;
  const { tracks } = scene;
  const points: number[] = [];
  const pointOf = new Int32Array(tracks.count).fill(-1);
  for (let t = 0; t < tracks.count; t++) {
    if (!scene.has[t]) continue;
    pointOf[t] = points.length / 3;
    points.push(...toWorld(frame, scene.position(t)));
  }
  const placed = scene.registered().map((i) => ({
    photo: i,
    name: photos[i].name,
    lens: uprightLens(found, i),
    cameraToWorld: cameraToWorld(frame, scene.poses[i] as Pose, photos[i].orientation),
    points: scene.sightingsOf[i]
      .filter((o) => scene.active[o] === 1)
      .map((o) => pointOf[scene.trackOf[o]])
      .sort(),
  }));
  return { placed, points: Float64Array.from(points), report: photosReport(found) };
}

/** The lens of the picture as it stands upright. */
function uprightLens({ photos, scene }: FoundCameras, i: number): Lens {
  const { width, height, orientation } = photos[i];
  const { f, cx, cy, k1, k2 } = scene.lensOf(i);
  const turns = quarterTurns(orientation);
  const [x, y] = [
    [cx, cy],
    [height - cy, cx],
    [width - cx, height - cy],
    [cy, width - cx],
  ][turns];
  const side = turns % 2 === 1;
  const size = { width: side ? height : width, height: side ? width : height };
  return { model: 'brown', ...size, fx: f, fy: f, cx: x, cy: y, k: [k1, k2] };
}
