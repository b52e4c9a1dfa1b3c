import type { PairResult } from './matchPair.js';

/** Pairs with fewer coarse matches show nothing in common; those with many do. */
const LEAST_COARSE = 7;
const MANY_COARSE = 40;
/** Partners that a photo is matched with, and those of them with which it is compared in full where need be. */
const PARTNERS = 12;
const CLOSE_PARTNERS = 5;

/** A pair worth matching. */
export interface Partners {
  pair: PairResult;
  exhaustive: boolean;
}

/**
 * Chooses the pairs that are matched: those with many coarse matches, and the best of every photo, so that the work
 * grows with the number of photos and not with its square.
 */
export function choosePartners(coarse: readonly PairResult[]): Partners[] {
  const rankOf = new Map<PairResult, number>();
  const byPhoto = new Map<number, PairResult[]>();
  const worth = coarse.filter(({ matches }) => matches.count >= LEAST_COARSE);
  for (const pair of worth)
    for (const photo of [pair.a, pair.b]) byPhoto.set(photo, [...(byPhoto.get(photo) ?? []), pair]);
  for (const list of byPhoto.values()) {
    list.sort((p, q) => q.matches.count - p.matches.count || p.a - q.a || p.b - q.b);
    list.forEach((pair, rank) => {
      rankOf.set(pair, Math.min(rank, rankOf.get(pair) ?? rank));
    });
  }
  return worth.flatMap((pair) => {
    const rank = rankOf.get(pair) ?? 0;
    if (rank >= PARTNERS && pair.matches.count < MANY_COARSE) return [];
    return [{ pair, exhaustive: rank < CLOSE_PARTNERS }];
  });
}
