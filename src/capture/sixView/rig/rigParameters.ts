/** How a depth value v becomes a distance along the viewing axis: a·v + b, or 1 / (a·v + b) for disparity. */
export type DepthModel = 'linear' | 'inverse';

/** All unknowns of the six views; lengths are in units of the cameras' distance from the centre. */
export interface RigParameters {
  /** Focal length over picture width. */
  focal: number;
  model: DepthModel;
  /**
   * Per view of the list of grids: depth coefficients, and where the principal point lies off the picture's centre, in
   * widths.
   */
  a: Float64Array;
  b: Float64Array;
  shiftX: Float64Array;
  shiftY: Float64Array;
}

export const copyParameters = (p: RigParameters): RigParameters => ({
  focal: p.focal,
  model: p.model,
  a: p.a.slice(),
  b: p.b.slice(),
  shiftX: p.shiftX.slice(),
  shiftY: p.shiftY.slice(),
});

/**
 * Index of an unknown in the normal equations: the logarithm of the focal length, then a, b, shiftX, shiftY of each
 * view.
 */
export const FOCAL = 0;
export const unknownsOf = (views: number): number => 1 + 4 * views;
