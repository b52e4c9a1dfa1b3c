import { decayed } from '../schedule.js';

/** What rates fall to by the end, as shares of the first. */
const LAST_RATE = 0.1;
/**
 * Steps over which the moving of vertices sets in, so that the first guesses of light and material do not bend the
 * surface.
 */
const WARM_UP = 60;
/**
 * Shares of the run: until the first, base colour and roughness stand still, so that the light explains what it can;
 * from the second on they move freely.
 */
const COLOR_WAITS = 0.04;
const COLOR_FREE = 0.12;
/** Steps that the shares of pulls are stated for. */
const PULL_STEPS = 100;

/** How fast parameters move in one step of a run. */
export interface Pace {
  /** Number of the step, from 0. */
  iteration: number;
  /** A rate of this step, from that of the first. */
  rate(first: number): number;
  /** Rises from near 0 to 1 over the first steps, for what must not be bent by first guesses. */
  warm: number;
  /** 0 while the light is to explain what it can, then rising to 1, for base colour and gloss. */
  free: number;
}

/** @param total number of steps of the whole run */
export const paceOf = (iteration: number, total: number): Pace => ({
  iteration,
  rate: (first) => decayed(first, LAST_RATE, iteration, total),
  warm: Math.min(1, (iteration + 1) / WARM_UP),
  free: Math.min(1, Math.max(0, ((iteration + 1) / total - COLOR_WAITS) / (COLOR_FREE - COLOR_WAITS))),
});

/** Whether this step is the last of `every` steps. */
export const isTurn = ({ iteration }: Pace, every: number): boolean => (iteration + 1) % every === 0;

/** The share to pull by in `steps` steps where `share` is to be lost in `PULL_STEPS`. */
export const pulled = (share: number, steps: number): number => 1 - (1 - Math.min(0.99, share)) ** (steps / PULL_STEPS);
