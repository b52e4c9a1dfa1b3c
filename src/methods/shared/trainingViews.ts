import type { Capture, View } from '../../capture/capture.js';

/** The views that a method may look at. */
export const trainingViews = (capture: Capture): View[] => capture.views.filter((v) => v.split === 'train');
