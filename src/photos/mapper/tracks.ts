/** Matches of two photos that passed verification. */
export interface VerifiedPair {
  a: number;
  b: number;
  /** Feature of photo a and of photo b, interleaved. */
  pairs: Uint32Array;
  /** Trust of every match: smaller is surer. */
  ratios: Float32Array;
}

/** Features that show the same point, at most one a photo. Sightings of track t are starts[t] … starts[t + 1]. */
export interface Tracks {
  count: number;
  starts: Uint32Array;
  photos: Uint32Array;
  features: Uint32Array;
}

/**
 * Joins matches to tracks, the surest first. A match that would bring two features of one photo into a track is left
 * out, so one wrong match does not cost two tracks.
 *
 * @param counts features of every photo
 */
export function buildTracks(pairs: readonly VerifiedPair[], counts: readonly number[]): Tracks {
  const offsets = new Uint32Array(counts.length + 1);
  counts.forEach((count, i) => {
    offsets[i + 1] = offsets[i] + count;
  });
  const total = pairs.reduce((sum, p) => sum + p.ratios.length, 0);
  const from = new Uint32Array(total);
  const to = new Uint32Array(total);
  const trust = new Float32Array(total);
  let k = 0;
  for (const { a, b, pairs: p, ratios } of pairs) {
    for (let i = 0; i < ratios.length; i++, k++) {
      from[k] = offsets[a] + p[i * 2];
      to[k] = offsets[b] + p[i * 2 + 1];
      trust[k] = ratios[i];
    }
  }
  const order = Uint32Array.from({ length: total }, (_, i) => i).sort((i, j) => trust[i] - trust[j] || i - j);
  const photoOf = new Uint32Array(offsets[counts.length]);
  counts.forEach((_, i) => {
    photoOf.fill(i, offsets[i], offsets[i + 1]);
  });
  const groupOf = new Int32Array(photoOf.length).fill(-1);
  const groups: number[][] = [];
  for (const i of order) {
    const [x, y] = [from[i], to[i]];
    const [gx, gy] = [groupOf[x], groupOf[y]];
    if (gx < 0 && gy < 0) {
      groupOf[x] = groups.length;
      groupOf[y] = groups.length;
      groups.push([x, y]);
    } else if (gx < 0 || gy < 0) {
      const [group, node] = gx < 0 ? [gy, x] : [gx, y];
      if (groups[group].some((other) => photoOf[other] === photoOf[node])) continue;
      groups[group].push(node);
      groupOf[node] = group;
    } else if (gx !== gy) {
      const [large, small] = groups[gx].length >= groups[gy].length ? [gx, gy] : [gy, gx];
      const seen = new Set(groups[large].map((node) => photoOf[node]));
      if (groups[small].some((node) => seen.has(photoOf[node]))) continue;
      for (const node of groups[small]) groupOf[node] = large;
      groups[large].push(...groups[small]);
      groups[small] = [];
    }
  }
  const kept = groups.filter((group) => group.length > 1);
  const starts = new Uint32Array(kept.length + 1);
  kept.forEach((group, t) => {
    starts[t + 1] = starts[t] + group.length;
  });
  const photos = new Uint32Array(starts[kept.length]);
  const features = new Uint32Array(starts[kept.length]);
  kept.forEach((group, t) => {
    group.sort((a, b) => a - b);
    group.forEach((node, i) => {
      photos[starts[t] + i] = photoOf[node];
      features[starts[t] + i] = node - offsets[photoOf[node]];
    });
  });
  return { count: kept.length, starts, photos, features };
}
