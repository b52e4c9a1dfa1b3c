import type { Capture } from '../../../capture/capture.js';
import type { Asset } from '../../../core/asset.js';
import { type CameraMotion, readMovedCameras } from '../../../render/diff/step/cameraStep.js';
import { ballAround, type Parameters } from './optimizer/parameters.js';
import type { WindowSet } from './windows.js';

/** How far the cameras of the windows were moved; undefined where they were not to be. */
export async function cameraMotions(
  { gpu, moving, bounds }: Parameters,
  { windows }: WindowSet,
): Promise<CameraMotion[] | undefined> {
  if (!moving) return undefined;
  const { center } = ballAround(bounds);
  return await readMovedCameras(
    gpu,
    moving,
    windows.map((w) => w.camera),
    center,
  );
}

/** The corrections as they concern the whole pictures. */
export function correctedCameras(
  capture: Capture,
  { windows }: WindowSet,
  motions: readonly CameraMotion[],
): NonNullable<Asset['cameras']> {
  return Object.fromEntries(
    windows.map(({ name }, i) => {
      const { camera } = capture.views.find((v) => v.name === name)!;
      const { focal } = motions[i];
      const { cameraToWorld } = motions[i].camera;
      return [name, { cameraToWorld, fx: camera.fx * focal, fy: camera.fy * focal }];
    }),
  );
}

/**
 * For the report: per view the turn about the object in degrees, the shift in scene units, and the change of the focal
 * length in per cent.
 */
export function motionFacts({ windows }: WindowSet, motions: readonly CameraMotion[]): Record<string, unknown> {
  const rounded = (v: number, digits: number) => Number(v.toFixed(digits));
  return Object.fromEntries(
    windows.map(({ name }, i) => {
      const { turn, shift, focal } = motions[i];
      return [
        name,
        {
          turnDegrees: rounded(turn, 3),
          shift: Number(shift.toPrecision(3)),
          focalPercent: rounded((focal - 1) * 100, 3),
        },
      ];
    }),
  );
}
