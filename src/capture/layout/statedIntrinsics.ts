/**
 * How a lens maps a direction to a pixel; `cameras/lens.ts` has the formulas. All but `division` and `eucm` are
 * polynomials of the angle or the radius.
 */
export type LensModel = 'brown' | 'fisheye' | 'fov' | 'division' | 'eucm' | 'thin-prism';

/** Intrinsics as a file states them; what is missing follows from the picture. */
export interface StatedIntrinsics {
  /** Size that focal length and principal point refer to. Default: the picture's. */
  width?: number;
  height?: number;
  fx?: number;
  fy?: number;
  /** Fields of view in radians, where there are no focal lengths. */
  angleX?: number;
  angleY?: number;
  cx?: number;
  cy?: number;
  /** Default: `brown`. */
  model?: LensModel;
  k?: readonly number[];
  d?: readonly number[];
  p?: readonly [number, number];
  s?: readonly number[];
}

/** Whether stated intrinsics bend straight lines at all. */
export function statesDistortion({ model, k, d, p, s }: StatedIntrinsics): boolean {
  if (model === 'fisheye' || model === 'thin-prism') return true;
  return [...(k ?? []), ...(d ?? []), ...(p ?? []), ...(s ?? [])].some((v) => v !== 0);
}
