import { timestepEmbedding } from '../../nn/embeddings.js';
import type { Linear, Ops, Tensor } from '../../nn/ops.js';
import type { NetworkWeights } from './networkWeights.js';

/** The time's embedding: sinusoids, Linear, SiLU, Linear. */
export interface TimeEmbedding {
  first: Linear;
  second: Linear;
}

/** Reads `t_embedder`. */
export async function loadTimeEmbedding(weights: NetworkWeights): Promise<TimeEmbedding> {
  return { first: await weights.linear('t_embedder.mlp.0'), second: await weights.linear('t_embedder.mlp.2') };
}

/**
 * One row.
 * @param time 0…1
 */
export function runTimeEmbedding(ops: Ops, { first, second }: TimeEmbedding, time: number): Tensor {
  const size = first.weight.columns;
  const sinusoids = ops.tensor(timestepEmbedding(1000 * time, size), 1, size);
  return ops.linear(ops.linear(sinusoids, first, { activation: 'silu' }), second);
}
