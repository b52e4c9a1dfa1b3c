import type { Mesh } from '../../../core/mesh.js';
import { type SimplifyResult, simplifyMesh } from '../simplify/simplify.js';
import { fillHoles } from './fillHoles.js';
import { removeInnerShells } from './innerShells.js';
import { smoothMesh } from './smooth.js';
import { removeSpecks } from './specks.js';

export interface CleanOptions {
  /** Triangle budget. */
  triangles: number;
  /** As in `SpeckOptions.minimumExtent`, with its default. */
  minimumPart?: number;
  /** Default: no. */
  fillHoles?: boolean;
  /** Rounds of smoothing. Default 0 = none. */
  smoothing?: number;
}

export interface CleanJob {
  mesh: Mesh;
  options: CleanOptions;
}

/** Shares of the time after which smoothing and simplifying begin. */
const SMOOTHING_BEGINS = 0.3;
export const SIMPLIFYING_BEGINS = 0.6;

/**
 * Specks and inner shells removed, holes filled, smoothed, simplified. Long and without pause: `cleanMesh` runs it in a
 * thread of its own.
 */
export async function cleanSurface(
  { mesh, options: { triangles, minimumPart, fillHoles: fills = false, smoothing = 0 } }: CleanJob,
  tick: (fraction: number) => void,
): Promise<SimplifyResult> {
  const parts = removeSpecks(mesh, { minimumExtent: minimumPart }).mesh;
  tick(0.4 * SMOOTHING_BEGINS);
  const whole = removeInnerShells(parts).mesh;
  tick(0.8 * SMOOTHING_BEGINS);
  const closed = fills ? fillHoles(whole).mesh : whole;
  tick(SMOOTHING_BEGINS);
  const rounds = (share: number): void => tick(SMOOTHING_BEGINS + share * (SIMPLIFYING_BEGINS - SMOOTHING_BEGINS));
  const smooth = smoothing > 0 ? smoothMesh(closed, { iterations: smoothing, progress: rounds }) : closed;
  tick(SIMPLIFYING_BEGINS);
  const simplifying = (share: number): void => tick(SIMPLIFYING_BEGINS + share * (1 - SIMPLIFYING_BEGINS));
  return await simplifyMesh(smooth, { triangles, regular: true, progress: simplifying });
}
