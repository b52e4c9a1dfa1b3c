import { availableParallelism } from 'node:os';
import { ThreadPool } from '../../platform/threadPool.js';
import { compareView, type ViewComparison, type ViewPair } from './compareView.js';

/** Pixels of all pictures together from which threads are worth their start. */
const MANY_PIXELS = 4e6;
const MOST_THREADS = 4;

/** Comparisons of pictures with renders: in threads where there is much to compare, else here. To be closed. */
export class Comparisons {
  /** How many views are worth being worked on at once. */
  readonly atOnce: number;
  private readonly pool: ThreadPool | undefined;

  /**
   * @param pixels of all pictures together
   * @param threads default: by the number of pixels and of processors; 0 = none
   */
  constructor(pixels: number, threads = pixels < MANY_PIXELS ? 0 : Math.min(MOST_THREADS, availableParallelism())) {
    this.pool = threads > 0 ? new ThreadPool(new URL('./compareThread', import.meta.url), threads) : undefined;
    // One more is drawn and one more read meanwhile.
    this.atOnce = threads > 0 ? threads + 2 : 1;
  }

  compare(pair: ViewPair): Promise<ViewComparison> {
    return this.pool ? this.pool.run<ViewComparison>(pair) : compareView(pair);
  }

  close(): void {
    this.pool?.close();
  }
}
