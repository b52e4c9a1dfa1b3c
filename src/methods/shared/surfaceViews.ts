import type { Capture } from '../../capture/capture.js';
import { resizeCamera } from '../../core/camera.js';
import { throwIfCancelled } from '../../core/errors.js';
import type { ColorImage, FloatImage } from '../../core/image.js';
import type { SurfaceView } from '../../geometry/volume/fuseSurface.js';
import { trainingViews } from './trainingViews.js';

/**
 * Masks and depth maps of the training views, no larger than `maxSize` on the longer side.
 * @param progress receives 0…1
 */
export async function loadSurfaceViews(
  capture: Capture,
  options: { maxSize: number },
  hooks: { signal?: AbortSignal; progress?: (fraction: number) => void } = {},
): Promise<SurfaceView[]> {
  const views = trainingViews(capture);
  const out: SurfaceView[] = [];
  for (const [i, view] of views.entries()) {
    throwIfCancelled(hooks.signal);
    const surface: SurfaceView = { camera: view.camera, misplacement: view.misplacement };
    if (capture.masks !== 'none') {
      const color = await view.loadColor({ maxSize: options.maxSize });
      surface.mask = coverage(color);
      surface.camera = resizeCamera(view.camera, color.width, color.height);
    }
    if (view.depth) {
      surface.depth = await view.depth.load({ maxSize: options.maxSize });
      surface.depthCamera = resizeCamera(view.depth.camera, surface.depth.width, surface.depth.height);
      surface.depthAccuracy = view.depth.accuracy;
      surface.depthErrors = await view.depth.loadAccuracy?.({ maxSize: options.maxSize });
    }
    out.push(surface);
    hooks.progress?.((i + 1) / views.length);
  }
  return out;
}

/** Alpha as coverage 0…1. */
function coverage(image: ColorImage): FloatImage {
  const data = new Float32Array(image.width * image.height);
  for (let i = 0; i < data.length; i++) data[i] = image.data[i * 4 + 3] / 255;
  return { width: image.width, height: image.height, data };
}
