import { PlinthError } from '../../core/errors.js';
import type { SamplerStep } from '../../nn/sampler.js';
import type { MethodContext } from '../method.js';
import { type Checkpoint, checkpointKey, readCheckpoint, writeCheckpoint } from '../shared/checkpoint.js';

/** The stages with their share of the time on a device that the published networks fit on. */
export const STAGES = [
  { name: 'prepare', title: 'Reading weights and photos', weight: 2 },
  { name: 'encode', title: 'Looking at the photos', weight: 8 },
  { name: 'structure', title: 'Making the coarse shape', weight: 50 },
  { name: 'latent', title: 'Making surface and colours', weight: 32 },
  { name: 'decode', title: 'Decoding the mesh', weight: 3 },
  { name: 'clean', title: 'Cleaning and simplifying', weight: 2 },
  { name: 'align', title: 'Finding where the photos were taken', weight: 2 },
  { name: 'unwrap', title: 'Unwrapping', weight: 2 },
  { name: 'texture', title: 'Colouring the texture', weight: 3 },
] as const;

/** One of the stages. */
export type StageName = (typeof STAGES)[number]['name'];

/** Steps between two checkpoints of a sampled stage. */
const STEPS_BETWEEN = 5;

/** Progress and checkpoints of one run. */
export class Work {
  private readonly context: MethodContext;

  constructor(context: MethodContext) {
    this.context = context;
  }

  /** Tells how far a stage is. */
  report(
    stage: StageName,
    fraction: number,
    more: { detail?: string; preview?: string; resumed?: boolean } = {},
  ): void {
    this.context.progress({ stage, title: STAGES.find(({ name }) => name === stage)!.title, fraction, ...more });
  }

  /**
   * What a stage gives: kept from an earlier run of the same `decisive` facts, or made now and kept.
   * @param decisive all that the stage's result depends on
   */
  async kept<Arrays extends Checkpoint['arrays']>(
    stage: StageName,
    decisive: unknown,
    make: () => Promise<Arrays>,
  ): Promise<Arrays> {
    const { checkpoints } = this.context;
    const key = await checkpointKey(decisive);
    const found = checkpoints && (await readCheckpoint(checkpoints, checkpointName(stage), key));
    if (found) {
      this.report(stage, 1, { resumed: true });
      return found.arrays as Arrays;
    }
    const arrays = await make();
    if (checkpoints) {
      await writeCheckpoint(checkpoints, checkpointName(stage), { key, iteration: 0, facts: {}, arrays });
    }
    return arrays;
  }

  /**
   * As `kept`, for a stage that samples: after every few steps, and when the work should stop, the sample is kept too.
   * @param sample begins at the step `first` with a sample, calls `onStep` after each step
   * @param finish makes the stage's result of the last sample
   */
  async sampled<Arrays extends Checkpoint['arrays']>(
    stage: StageName,
    decisive: unknown,
    noise: Float32Array,
    sample: (from: Float32Array, first: number, onStep: (step: SamplerStep) => Promise<void>) => Promise<Float32Array>,
    finish: (sample: Float32Array) => Promise<Arrays>,
  ): Promise<Arrays> {
    const { checkpoints, stopping } = this.context;
    const key = await checkpointKey(decisive);
    const steps = checkpointName(`${stage}-steps`);
    return await this.kept(stage, decisive, async () => {
      const begun = checkpoints && (await readCheckpoint(checkpoints, steps, key));
      const onStep = async ({ index, sample: x }: SamplerStep): Promise<void> => {
        if (!checkpoints || ((index + 1) % STEPS_BETWEEN !== 0 && !stopping?.aborted)) return;
        await writeCheckpoint(checkpoints, steps, { key, iteration: index + 1, facts: {}, arrays: { sample: x } });
        if (stopping?.aborted) throw new PlinthError('CANCELLED', 'The work was stopped after a checkpoint');
      };
      const from = (begun?.arrays.sample as Float32Array | undefined) ?? noise;
      return await finish(await sample(from, begun?.iteration ?? 0, onStep));
    });
  }
}

const checkpointName = (part: string): string => `reconviagen-${part}`;
