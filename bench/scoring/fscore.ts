import { boundsOf, diagonalOf } from '../../src/core/bounds.js';
import type { Mesh } from '../../src/core/mesh.js';
import { Random } from '../../src/core/random.js';
import { distancesToMesh } from './distance.js';
import { sampleSurface } from './sampling.js';

export interface GeometryScoreOptions {
  /** Area-uniform samples of the result. Default 200,000. */
  samples?: number;
  /** τ as a share of the diagonal of the true mesh's bounding box. Default 0.01. */
  threshold?: number;
  /** Default 0. */
  seed?: number;
  signal?: AbortSignal;
}

export interface GeometryScore {
  /** The distance that counts as equal, scene units. */
  tau: number;
  /** Share of the result's samples within τ of the truth. */
  precision: number;
  /** Share of the true points within τ of the result. */
  recall: number;
  /** Harmonic mean of precision and recall; 0 where both are 0. */
  fscore: number;
  /** Mean distance from the result's samples to the truth, scene units. */
  accuracy: number;
  /** Mean distance from the true points to the result, scene units. */
  completeness: number;
  /** Mean of accuracy and completeness (Chamfer distance, not squared), scene units. */
  chamfer: number;
}

/**
 * Scores a reconstructed surface against the true one, in the same frame (precision, recall and F-score as in Knapitsch
 * et al. 2017, "Tanks and Temples").
 *
 * @param truthPoints x, y, z of points of the true surface that ought to be found, such as those visible from outside.
 */
export async function scoreGeometry(
  result: Mesh,
  truth: Mesh,
  truthPoints: Float32Array,
  options: GeometryScoreOptions = {},
): Promise<GeometryScore> {
  const { samples = 200_000, threshold = 0.01, seed = 0, signal } = options;
  const tau = threshold * diagonalOf(boundsOf(truth.positions));
  const sampled = sampleSurface(result, samples, new Random(seed)).positions;
  const toTruth = await distancesToMesh(sampled, truth, { signal });
  const toResult = await distancesToMesh(truthPoints, result, { signal });
  const within = (d: Float32Array) => (d.length > 0 ? d.reduce((n, v) => n + (v <= tau ? 1 : 0), 0) / d.length : 0);
  const mean = (d: Float32Array) => (d.length > 0 ? d.reduce((sum, v) => sum + v, 0) / d.length : Infinity);
  const precision = within(toTruth);
  const recall = within(toResult);
  const accuracy = mean(toTruth);
  const completeness = mean(toResult);
  return {
    tau,
    precision,
    recall,
    fscore: precision + recall > 0 ? (2 * precision * recall) / (precision + recall) : 0,
    accuracy,
    completeness,
    chamfer: (accuracy + completeness) / 2,
  };
}
