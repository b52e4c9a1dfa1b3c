import type { Capture, View } from '../capture/capture.js';

/** Captures with at least this many training views hold some of them out by default. */
export const HOLDOUT_MINIMUM_VIEWS = 8;
/** Every n-th view is held out by default. */
export const HOLDOUT_DEFAULT = 8;

/**
 * A capture whose every `every`-th training view (the last of each group) is marked `test`, with the names of those
 * views. Default: every eighth for captures of eight or more training views that bring no test split of their own; none
 * otherwise.
 */
export function holdOut(capture: Capture, every?: number): { capture: Capture; heldOut: string[] } {
  const training = capture.views.filter((v) => v.split === 'train');
  const ownTest = training.length < capture.views.length;
  const step = every ?? (!ownTest && training.length >= HOLDOUT_MINIMUM_VIEWS ? HOLDOUT_DEFAULT : 0);
  if (step < 2) return { capture, heldOut: [] };
  const heldOut = new Set(training.filter((_, i) => i % step === step - 1).map((v) => v.name));
  if (training.length - heldOut.size < 1) return { capture, heldOut: [] };
  const views = capture.views.map(
    (v): View =>
      heldOut.has(v.name)
        ? {
            name: v.name,
            source: v.source,
            camera: v.camera,
            depth: v.depth,
            split: 'test',
            loadColor: (options) => v.loadColor(options),
          }
        : v,
  );
  return { capture: { ...capture, views, dispose: () => capture.dispose() }, heldOut: [...heldOut] };
}
