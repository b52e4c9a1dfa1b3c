import type { Capture } from '../../capture/capture.js';
import type { TextureView } from '../../render/projection/views/viewSet.js';
import { trainingViews } from './trainingViews.js';

/** The training views as a texture of `size` × `size` texels takes colours from them: no larger than it can show. */
export const textureViews = (capture: Capture, size: number): TextureView[] =>
  trainingViews(capture).map((view) => ({
    name: view.name,
    camera: view.camera,
    misplacement: view.misplacement,
    load: async () => await view.loadColor({ maxSize: size }),
  }));
