import type { Capture } from '../capture/capture.js';
import type { Asset } from '../core/asset.js';

/**
 * The capture with the cameras that a method corrected, so that the assessment looks from where the pictures were
 * taken. A depth map that was taken from the picture's own place moves with it.
 */
export function withCorrectedCameras(capture: Capture, cameras: Asset['cameras']): Capture {
  if (!cameras) return capture;
  return {
    ...capture,
    views: capture.views.map((view) => {
      const corrected = cameras[view.name];
      if (!corrected) return view;
      const { cameraToWorld, fx, fy } = corrected;
      const { camera, depth } = view;
      const together = depth?.camera.cameraToWorld.every((v, i) => v === camera.cameraToWorld[i]);
      return {
        ...view,
        camera: { ...camera, cameraToWorld, fx, fy },
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
