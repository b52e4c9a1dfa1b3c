/** Bundles of a method's options: `draft` is the fastest, `high` the best. */
export const PRESETS = ['draft', 'standard', 'high'] as const;
export type Preset = (typeof PRESETS)[number];
