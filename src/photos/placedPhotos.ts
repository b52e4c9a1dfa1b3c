import type { Lens } from '../capture/cameras/lens.js';
import { PlinthError } from '../core/errors.js';
import { length, type Mat4, sub, type Vec3 } from '../core/math.js';
import type { FoundCameras } from './findCameras.js';
import { cameraToWorld, type KnownLength, quarterTurns, toWorld } from './frame.js';
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

/**
 * The same in the unit of a length that the user knows.
 * @throws OPTION_INVALID where one of two photos whose distance is stated has no camera
 */
export function scaledPhotos({ placed, points, report }: PlacedPhotos, stated: KnownLength): PlacedPhotos {
  const factor = 'meanDistance' in stated ? stated.meanDistance : stated.distance / distanceOf(placed, stated.between);
  return {
    placed: placed.map((view) => ({
      ...view,
      cameraToWorld: view.cameraToWorld.map((v, i) => (i >= 12 && i < 15 ? factor * v : v)),
    })),
    points: points.map((v) => factor * v),
    report: { ...report, set: { ...report.set, scaleKnown: true } },
  };
}

function distanceOf(placed: PlacedPhotos['placed'], photos: readonly [number, number]): number {
  const views = photos.map((photo) => placed.find((p) => p.photo === photo));
  const [a, b] = views.map((view) => {
    if (view) return view.cameraToWorld.slice(12, 15) as Vec3;
    const without = photos.filter((_, k) => !views[k]).length;
    throw new PlinthError('OPTION_INVALID', {
      found: `${without === 2 ? 'Neither' : 'One'} of the two photos of a stated length has a camera`,
      expected: `two photos that were placed, such as ${placed
        .slice(0, 3)
        .map((p) => p.name)
        .join(', ')}`,
      remedy: 'Give the distance of two other photos',
      subject: 'scale',
    });
  });
  const apart = length(sub(a, b));
  if (apart > 0) return apart;
  throw new PlinthError('OPTION_INVALID', {
    found: `The cameras of ${views.map((view) => view?.name).join(' and ')} stand at the same place`,
    expected: 'two photos taken from different places',
    subject: 'scale',
  });
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
