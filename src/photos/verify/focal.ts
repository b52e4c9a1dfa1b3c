import { type Mat3, svd3 } from '../solve/svd3.js';

/**
 * Fundamental matrix of two photos with the same lens, in pixels from the centres of the pictures, and how many matches
 * fit it.
 */
export interface FocalEvidence {
  fundamental: Mat3;
  weight: number;
}

/** Focal lengths that are tried, over the longer side: fields of view of 90° to 9°. */
const SHORTEST = 0.5;
const LONGEST = 6;
const STEPS = 80;

/** A focal length with its misfit, from 0. */
export interface FocalVote {
  focal: number;
  misfit: number;
}

/**
 * How well focal lengths go with fundamental matrices: with the right one, Kᵀ F K has two equal singular values
 * (Mendonça and Cipolla 1999). The misfit of a focal length is the weighted mean of (σ₁ − σ₂) / σ₁, each cut at a tenth
 * so that flat or wrong pairs do not decide.
 *
 * @param longer the longer side of the photos in pixels
 * @returns votes for a grid of focal lengths, ascending
 */
export function focalVotes(evidence: readonly FocalEvidence[], longer: number): FocalVote[] {
  return Array.from({ length: STEPS + 1 }, (_, i) => {
    const focal = longer * SHORTEST * (LONGEST / SHORTEST) ** (i / STEPS);
    return { focal, misfit: focalMisfit(evidence, focal) };
  });
}

/** See `focalVotes`. */
export function focalMisfit(evidence: readonly FocalEvidence[], focal: number): number {
  let [sum, weights] = [0, 0];
  for (const { fundamental: m, weight } of evidence) {
    const scaled = m.map((v, i) => v * (i % 3 < 2 ? focal : 1) * (i < 6 ? focal : 1));
    const { s } = svd3(scaled);
    sum += weight * Math.min(0.1, (s[0] - Math.abs(s[1])) / s[0]);
    weights += weight;
  }
  return weights > 0 ? sum / weights : 0.1;
}
