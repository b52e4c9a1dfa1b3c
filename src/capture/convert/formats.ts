/** Forms in which a capture can be written. */
export const CONVERT_FORMATS = ['transforms', 'colmap'] as const;
/** One of them. */
export type ConvertFormat = (typeof CONVERT_FORMATS)[number];
