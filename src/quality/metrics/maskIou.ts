/** How two silhouettes of the same size fit. */
export interface MaskAgreement {
  /** Intersection over union, 0…1; 1 where both are empty. */
  iou: number;
  /** Share of the reference that the other lacks, 0…1. */
  missing: number;
  /** Area of the other outside the reference, as a share of the reference's area (at least one pixel). */
  extra: number;
  /** Centroid of the other minus centroid of the reference, in pixels; `null` where one is empty. */
  shift: [number, number] | null;
}

/**
 * Compares a silhouette with its reference; both one byte per pixel, not 0 = object.
 * @throws `RangeError` where the masks differ in length or do not fill whole rows.
 */
export function maskAgreement(reference: Uint8Array, other: Uint8Array, width: number): MaskAgreement {
  if (reference.length !== other.length || reference.length % width !== 0) {
    throw new RangeError(`masks of ${reference.length} and ${other.length} pixels, rows of ${width}`);
  }
  let both = 0;
  const a = { n: 0, x: 0, y: 0 };
  const b = { n: 0, x: 0, y: 0 };
  for (let i = 0, x = 0, y = 0; i < reference.length; i++) {
    if (reference[i] !== 0) {
      a.n++;
      a.x += x;
      a.y += y;
      if (other[i] !== 0) both++;
    }
    if (other[i] !== 0) {
      b.n++;
      b.x += x;
      b.y += y;
    }
    if (++x === width) {
      x = 0;
      y++;
    }
  }
  const union = a.n + b.n - both;
  return {
    iou: union > 0 ? both / union : 1,
    missing: a.n > 0 ? (a.n - both) / a.n : 0,
    extra: (b.n - both) / Math.max(1, a.n),
    shift: a.n > 0 && b.n > 0 ? [b.x / b.n - a.x / a.n, b.y / b.n - a.y / a.n] : null,
  };
}

/** Intersection over union of two silhouettes, 0…1. */
export const maskIou = (reference: Uint8Array, other: Uint8Array): number =>
  maskAgreement(reference, other, Math.max(1, reference.length)).iou;
