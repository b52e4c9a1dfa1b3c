import type { Lens } from '../capture/cameras/lens.js';
import type { StatedLength } from '../capture/options.js';
import { PlinthError } from '../core/errors.js';
import { length, type Mat4, sub, type Vec3 } from '../core/math.js';
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

/** A length that is known, with the photos' indices. */
export type LengthOfPhotos = { meanDistance: number } | { between: [number, number]; distance: number };

/**
 * Which photos the names of a stated length mean: a path in the capture, or the name of a file where only one has it.
 * @param photos the names that each photo goes by
 * @throws OPTION_INVALID for names of no photo or of several, and for the same photo twice
 */
export function lengthOfPhotos(stated: StatedLength, photos: readonly (readonly string[])[]): LengthOfPhotos {
  if ('meanDistance' in stated) return stated;
  const refuse = (found: string, expected: string): never => {
    throw new PlinthError('OPTION_INVALID', { found, expected, subject: 'scale' });
  };
  const [a, b] = stated.between.map((name): number => {
    const meant = photos.flatMap((names, i) => (names.includes(name) ? [i] : []));
    if (meant.length === 1) return meant[0];
    const such = (meant.length > 1 ? meant : [0, 1]).flatMap((i) => photos[i]?.[0] ?? []).slice(0, 3);
    return meant.length === 0
      ? refuse(
          `A length is stated for ${name || 'a photo without a name'}, which is no photo here`,
          `names such as ${such.join(', ')}`,
        )
      : refuse(
          `A length is stated for ${name}, and ${meant.length} photos have that name`,
          `one of ${such.join(', ')}`,
        );
  });
  if (a === b) refuse(`A length between ${stated.between.join(' and ')}, which are one photo`, 'two photos');
  return { between: [a, b], distance: stated.distance };
}

/**
 * The same in the unit of a length that the user knows.
 * @throws OPTION_INVALID where one of two photos whose distance is stated has no camera
 */
export function scaledPhotos({ placed, points, report }: PlacedPhotos, stated: LengthOfPhotos): PlacedPhotos {
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
