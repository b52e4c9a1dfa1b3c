import type { Capture } from '../capture/capture.js';
import type { Asset } from '../core/asset.js';

/**
 * The capture with the cameras that a method corrected, so that the assessment looks from where the pictures were
 * taken; without those for which it found none. A depth map that was taken from the picture's own place moves with it.
 */
export function withCorrectedCameras(
  capture: Capture,
  { cameras, unplaced = [] }: Pick<Asset, 'cameras' | 'unplaced'>,
): Capture {
  if (!cameras) return capture;
  const placed = capture.views.filter(({ name }) => capture.cameras !== 'none' || name in cameras);
  const compared = placed.filter(({ name }) => !unplaced.includes(name));
  const { cameras: _, ...known } = capture;
  return {
    ...known,
    views: (compared.length > 0 ? compared : placed).map((view) => {
      const corrected = cameras[view.name];
      if (!corrected) return view;
      const { camera, depth } = view;
      const { cameraToWorld, fx, fy, cx = camera.cx, cy = camera.cy } = corrected;
      const together = depth?.camera.cameraToWorld.every((v, i) => v === camera.cameraToWorld[i]);
      return {
        ...view,
        camera: { ...camera, cameraToWorld, fx, fy, cx, cy },
        depth:
          depth && together
            ? {
                ...depth,
                camera: {
                  ...depth.camera,
                  cameraToWorld,
                  fx: (depth.camera.fx * fx) / camera.fx,
                  fy: (depth.camera.fy * fy) / camera.fy,
                },
              }
            : depth,
      };
    }),
  };
}
