/**
 * Euler sampling of a rectified flow with classifier-free guidance in an interval (Lipman et al. 2023; Kynkäänniemi et
 * al. 2024) and rescaled guidance (Lin et al. 2024), as TRELLIS runs it. Numbers are f32, scalars f64.
 */

/** How a flow is sampled. */
export interface SamplerOptions {
  steps: number;
  /** Bends the times towards noise: t → r t / (1 + (r − 1) t). 1 leaves them evenly spaced. */
  rescaleT: number;
  /** Weight of the conditioned velocity; of the unconditioned one 1 − guidance. */
  guidance: number;
  /** 0…1: how far a guided prediction is brought back to the spread of the conditioned one. */
  guidanceRescale: number;
  /** Times, both inclusive, in which guidance counts; outside, only the conditioned velocity is asked for. */
  interval: readonly [number, number];
  /** Noise that is left at time 0; 1e-5 in the published networks. */
  sigmaMin: number;
}

/** The times from 1 to 0, `steps` + 1 of them. */
export function flowTimes(steps: number, rescaleT: number): Float64Array {
  return Float64Array.from({ length: steps + 1 }, (_, i) => {
    const t = evenly(i, steps);
    return (rescaleT * t) / (1 + (rescaleT - 1) * t);
  });
}

/**
 * `numpy.linspace(1, 0, steps + 1)[i]`: its rounding decides whether a time that is 0.6 on paper lies in the interval.
 */
const evenly = (i: number, steps: number): number => (i === steps ? 0 : i * (-1 / steps) + 1);

/** Whether guidance counts at a time. */
export const isGuided = (t: number, [low, high]: readonly [number, number]): boolean => low <= t && t <= high;

/** What one step saw. */
export interface SamplerStep {
  index: number;
  time: number;
  conditioned: Float32Array;
  /** Absent where guidance did not count. */
  unconditioned?: Float32Array;
  /** What the sample at time 0 would be. */
  predicted: Float32Array;
  /** Spread of the prediction, conditioned and guided. */
  spreads?: [number, number];
  sample: Float32Array;
}

/**
 * Samples from `noise`. `velocity` gives the network's answer at a time (0…1), with the condition or without.
 * @param onStep called after each step, and awaited
 * @param first step to begin with; `noise` is then the sample that the one before it left
 */
export async function sampleFlow(
  noise: Float32Array,
  options: SamplerOptions,
  velocity: (sample: Float32Array, time: number, conditioned: boolean) => Promise<Float32Array>,
  onStep: (step: SamplerStep) => void | Promise<void> = () => {},
  first = 0,
): Promise<Float32Array> {
  const times = flowTimes(options.steps, options.rescaleT);
  let sample = noise;
  for (let index = first; index < options.steps; index++) {
    const time = times[index];
    const conditioned = await velocity(sample, time, true);
    const unconditioned = isGuided(time, options.interval) ? await velocity(sample, time, false) : undefined;
    const guided = unconditioned && guide(sample, conditioned, unconditioned, time, options);
    const used = guided?.velocity ?? conditioned;
    const before = sample;
    const delta = time - times[index + 1];
    sample = before.map((x, i) => x - delta * used[i]);
    await onStep({
      index,
      time,
      conditioned,
      unconditioned,
      predicted: cleanSample(before, used, time, options.sigmaMin),
      spreads: guided?.spreads,
      sample,
    });
  }
  return sample;
}

/** The sample at time 0 that a velocity points to. */
const cleanSample = (sample: Float32Array, v: Float32Array, t: number, sigmaMin: number): Float32Array =>
  sample.map((x, i) => (1 - sigmaMin) * x - (sigmaMin + (1 - sigmaMin) * t) * v[i]);

/** The guided velocity, its prediction brought back to the spread of the conditioned one. */
export function guide(
  sample: Float32Array,
  conditioned: Float32Array,
  unconditioned: Float32Array,
  t: number,
  { guidance, guidanceRescale, sigmaMin }: SamplerOptions,
): { velocity: Float32Array; spreads?: [number, number] } {
  const velocity = conditioned.map((v, i) => guidance * v + (1 - guidance) * unconditioned[i]);
  if (guidanceRescale === 0) return { velocity };
  const spreads: [number, number] = [
    spread(cleanSample(sample, conditioned, t, sigmaMin)),
    spread(cleanSample(sample, velocity, t, sigmaMin)),
  ];
  const predicted = cleanSample(sample, velocity, t, sigmaMin);
  const factor = guidanceRescale * (spreads[0] / spreads[1]) + (1 - guidanceRescale);
  const noiseShare = sigmaMin + (1 - sigmaMin) * t;
  return {
    velocity: predicted.map((x, i) => ((1 - sigmaMin) * sample[i] - factor * x) / noiseShare),
    spreads,
  };
}

/** Standard deviation; only ratios of it count, so whether it is that of a sample does not matter. */
function spread(values: Float32Array): number {
  let mean = 0;
  for (const x of values) mean += x;
  mean /= values.length;
  let sum = 0;
  for (const x of values) sum += (x - mean) ** 2;
  return Math.sqrt(sum / values.length);
}
