/**
 * Distance between the surfaces of views, in % of the diagonal, that the steps of 8-bit depth and the fit alone explain.
 */
const FITTING = 0.04;

/**
 * How far a view shows things beside where the others have them, as a share of the object's diagonal: what is beyond
 * rounding and the fit comes from pictures that do not show one and the same object. 0 where nothing could be compared.
 * @param surfaceDistance as in `ViewAgreement`
 */
export const misplacementOf = (surfaceDistance: number | undefined): number =>
  Math.max(0, (surfaceDistance ?? 0) - FITTING) / 100;
