import type { CheckpointStore } from '../core/platform.js';
import { ThreadPool } from '../platform/threadPool.js';
import type { FeatureJob, PhotoFeatures } from './features/extractPhoto.js';
import type { MapperPair } from './mapper/map.js';
import type { PairJob, PairResult } from './matching/matchPair.js';
import type { Photo } from './read/readPhotos.js';
import { WorkCache } from './workCache.js';

/** How photos are worked on. */
export interface WorkOptions {
  /** Longer side at which features are sought. */
  longerSide: number;
  /** Most features of a photo. */
  most: number;
  seed: number;
  threads?: number;
  /** Where features and matches are kept. */
  work?: CheckpointStore;
}

/** A pair that is to be matched, but for the features. */
export type PairOrder = Omit<PairJob, 'featuresA' | 'featuresB' | 'seed'>;

/** Features of photos and matches of pairs, found by threads, or kept from before. To be closed. */
export class PhotoWork {
  private readonly cache: WorkCache;
  private readonly pool: ThreadPool;
  private found: PhotoFeatures[] = [];

  constructor(
    private readonly photos: readonly Photo[],
    private readonly options: WorkOptions,
  ) {
    this.cache = new WorkCache(options.work);
    this.pool = new ThreadPool(new URL('./photoThread', import.meta.url), options.threads);
  }

  /** Finds the features of all photos; pairs can be matched then. */
  async features(progress: (fraction: number) => void): Promise<PhotoFeatures[]> {
    const { longerSide, most } = this.options;
    const find = (photo: FeatureJob['photo']): Promise<PhotoFeatures> =>
      this.pool.run<PhotoFeatures>({ kind: 'features', photo, longerSide, most } satisfies {
        kind: 'features';
      } & FeatureJob);
    this.found = await all(
      this.photos,
      ({ file, width, height, digest }) =>
        this.cache.features([digest, longerSide, most], () => find({ file, width, height })),
      progress,
    );
    return this.found;
  }

  pair({ matches, ...how }: PairOrder): Promise<PairResult> {
    const { longerSide, most, seed } = this.options;
    const { a, b } = how;
    const digests = [this.photos[a].digest, this.photos[b].digest];
    const [featuresA, featuresB] = [this.found[a], this.found[b]];
    // Matches that the work begins with follow from the photos and from how these are matched.
    return this.cache.of('pair', [digests, longerSide, most, seed, how], () =>
      this.pool.run<PairResult>({ kind: 'pair', ...how, seed, matches, featuresA, featuresB } satisfies {
        kind: 'pair';
      } & PairJob),
    );
  }

  close = (): void => this.pool.close();
}

/** Runs all jobs and tells how many are done; results in the order of the items. */
export async function all<Item, Result>(
  items: readonly Item[],
  run: (item: Item) => Promise<Result>,
  progress: (fraction: number) => void,
): Promise<Result[]> {
  let done = 0;
  return Promise.all(
    items.map(async (item) => {
      const result = await run(item);
      progress(++done / items.length);
      return result;
    }),
  );
}

/** A pair as the mapper takes it, where its geometry was found. */
export function toMapperPair({ a, b, inliers, pose, flatness, medianAngle }: PairResult): MapperPair | undefined {
  if (!inliers || !pose || flatness === undefined || medianAngle === undefined) return undefined;
  return { a, b, pairs: inliers.pairs, ratios: inliers.ratios, pose, flatness, medianAngle };
}
