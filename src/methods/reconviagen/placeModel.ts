import type { Capture } from '../../capture/capture.js';
import type { Asset } from '../../core/asset.js';
import { type Camera, cameraPosition } from '../../core/camera.js';
import type { Mesh } from '../../core/mesh.js';
import type { MethodContext } from '../method.js';
import { ALIGN, type Aligned, LEAST_OVERLAP } from './align/alignPhotos.js';
import { ofCut, ofHead, ofPhoto } from './align/cameras.js';
import type { Similarity, SquareCamera } from './align/comparison.js';
import { FINE } from './align/fitSimilarity.js';
import { about, compose, type Rotation, turned, UPRIGHT } from './align/rotations.js';
import { surfacePoints } from './align/surfacePoints.js';
import { headCameras } from './cameraHead.js';
import type { ReconviagenOptions } from './options.js';
import type { SeenPhoto } from './photos.js';
import type { Work } from './stages.js';

/** Where the model and the photos' cameras are. */
export interface Placed {
  /** From the networks' frame (turned to +Y up) to that of the result. */
  place: Similarity;
  /** Cameras that were found, by name of view; absent where the capture's own stay. */
  cameras?: Record<string, Camera>;
  /** Photos that the model does not agree with. */
  unplaced: string[];
  facts: Record<string, unknown>;
}

/**
 * Lays the model into the frame of the capture's cameras; or, where it has none, finds the cameras, and turns all so
 * that the first photo looks at the front. Reports `align`.
 * @param surface the generated surface, +Y up
 * @param colours three numbers a vertex, sRGB in 0…1
 */
export async function placeModel(
  capture: Capture,
  photos: readonly SeenPhoto[],
  surface: Mesh,
  colours: Float32Array,
  poses: Float32Array,
  { front }: ReconviagenOptions,
  { signal, warn, runInThread }: MethodContext,
  work: Work,
): Promise<Placed> {
  const given = capture.cameras !== 'none';
  const known = poses.length > 0 ? headCameras(poses).map(ofHead) : undefined;
  const cameras = given ? photos.map(ofCut) : known;
  work.report('align', 0);
  const aligned = await runInThread(
    ALIGN,
    {
      points: surfacePoints(surface, colours, FINE.points),
      photos: photos.map(({ prepared }) => ({ pixels: prepared.data, side: prepared.side })),
      cameras,
      given,
    },
    { signal, progress: (fraction) => work.report('align', fraction) },
  );
  const unplaced = photos.map(({ view }) => view.name).filter((_, i) => aligned.agreements[i].iou < LEAST_OVERLAP);
  if (unplaced.length > 0) {
    const all = unplaced.length === photos.length;
    warn({
      code: 'METHOD_PHOTOS_UNPLACED',
      message:
        `${all ? 'None of the photos agrees' : `The photos ${unplaced.join(', ')} do not agree`} with the model: their ` +
        `outlines overlap by less than ${LEAST_OVERLAP} with it, from wherever it is looked at` +
        (all ? '.' : '; they are left out of the comparison.'),
      subject: unplaced[0],
      remedy: 'Look whether these photos show the same object as the others, whole and well cut out.',
    });
  }
  const facts = {
    cameras: given ? 'given' : known ? 'VGGT' : 'outlines',
    overlap: Object.fromEntries(photos.map(({ view }, i) => [view.name, aligned.agreements[i].iou])),
  };
  work.report('align', 1);
  if (given) return { place: aligned.place, unplaced, facts };
  const turn = front === 'first-photo' ? facing(photos[0], aligned) : UPRIGHT;
  const found = photos.map((photo, i) => [photo.view.name, ofPhoto(photo, turnedCamera(aligned.cameras[i], turn))]);
  return {
    place: { rotation: turn, scale: 1, translation: [0, 0, 0] },
    cameras: Object.fromEntries(found) as Record<string, Camera>,
    unplaced,
    facts,
  };
}

/** The turn about +Y after which the first photo's camera stands on the side of +Z. */
function facing(photo: SeenPhoto, { cameras }: Aligned): Rotation {
  const [x, , z] = cameraPosition(ofPhoto(photo, cameras[0]));
  return about(1, -Math.atan2(x, z));
}

/** A camera as a model sees it that was turned about its origin. */
const turnedCamera = (camera: SquareCamera, turn: Rotation): SquareCamera => {
  const [a, b, c, d, e, f, g, h, i] = turn;
  return { ...camera, rotation: compose(camera.rotation, [a, d, g, b, e, h, c, f, i]) };
};

/** Points of the networks' frame in that of the result. */
export function movedPoints(positions: Float32Array, { rotation, scale, translation }: Similarity): Float32Array {
  const result = new Float32Array(positions.length);
  for (let i = 0; i < positions.length; i += 3) {
    turned(rotation, [positions[i], positions[i + 1], positions[i + 2]]).forEach((x, k) => {
      result[i + k] = scale * x + translation[k];
    });
  }
  return result;
}

/** What an asset says of cameras that were found. */
export const foundCameras = (cameras: Record<string, Camera>): NonNullable<Asset['cameras']> =>
  Object.fromEntries(
    Object.entries(cameras).map(([name, { cameraToWorld, fx, fy, cx, cy }]) => [
      name,
      { cameraToWorld, fx, fy, cx, cy },
    ]),
  );
