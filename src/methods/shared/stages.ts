/** Words for the stages that several methods go through, by the name that progress events carry. */
export const STAGE_TITLES = {
  stereo: 'Measuring depth',
  load: 'Loading masks and depth',
  fuse: 'Fusing the surface',
  clean: 'Cleaning and simplifying',
  unwrap: 'Unwrapping',
  texture: 'Blending the texture',
} as const;
