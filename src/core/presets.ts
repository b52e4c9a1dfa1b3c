/** Bundles of a method's options: `draft` is the fastest, `high` the best. */
export const PRESETS = ['draft', 'standard', 'high'] as const;
/** One of the presets. */
export type Preset = (typeof PRESETS)[number];
