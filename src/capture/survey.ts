import type { ColorImage, FloatImage } from '../core/image.js';

/** Longer side of the small masks and depth maps that a reader keeps of every view. */
export const SURVEY_SIZE = 256;

/** What is kept of a view after its pixels were decoded once: enough to find the object's bounds. */
export interface ViewSurvey {
  width: number;
  height: number;
  /** 1 where any pixel of the cell belongs to the object (alpha > ½), else 0. */
  mask: Uint8Array;
  /** Share of the picture's pixels whose alpha is above ½. */
  coverage: number;
  depth?: {
    width: number;
    height: number;
    /** The nearest distance in the cell; 0 = none. */
    nearest: Float32Array;
    /** Smallest and largest distance (1st and 99th percentile). */
    range: [number, number];
  };
}

function cells(size: { width: number; height: number }): { width: number; height: number } {
  const s = Math.min(1, SURVEY_SIZE / Math.max(size.width, size.height));
  return { width: Math.max(1, Math.round(size.width * s)), height: Math.max(1, Math.round(size.height * s)) };
}

/** Pools a view's mask (any) and depth (nearest) into at most `SURVEY_SIZE` cells a side. */
export function surveyView(color: ColorImage, depth?: FloatImage): ViewSurvey {
  const { width, height } = cells(color);
  const mask = new Uint8Array(width * height);
  let inside = 0;
  for (let y = 0, p = 3; y < color.height; y++) {
    const row = Math.floor((y * height) / color.height) * width;
    for (let x = 0; x < color.width; x++, p += 4) {
      if (color.data[p] <= 127) continue;
      inside++;
      mask[row + Math.floor((x * width) / color.width)] = 1;
    }
  }
  const survey: ViewSurvey = { width, height, mask, coverage: inside / (color.width * color.height) };
  if (depth) survey.depth = surveyDepth(depth);
  return survey;
}

function surveyDepth(depth: FloatImage): NonNullable<ViewSurvey['depth']> {
  const { width, height } = cells(depth);
  const nearest = new Float32Array(width * height);
  for (let y = 0; y < depth.height; y++) {
    const row = Math.floor((y * height) / depth.height) * width;
    for (let x = 0; x < depth.width; x++) {
      const value = depth.data[y * depth.width + x];
      if (value <= 0) continue;
      const cell = row + Math.floor((x * width) / depth.width);
      if (nearest[cell] === 0 || value < nearest[cell]) nearest[cell] = value;
    }
  }
  const values = nearest.filter((v) => v > 0).sort();
  const at = (share: number): number => values[Math.floor(share * (values.length - 1))] ?? 0;
  return { width, height, nearest, range: [at(0.01), at(0.99)] };
}
