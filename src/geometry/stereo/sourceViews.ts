import { type Camera, cameraPosition } from '../../core/camera.js';
import { dot, length, normalize, sub, type Vec3 } from '../../core/math.js';

/** Angle between two views of the object at which matching is most exact and still sure, in degrees. */
const BEST_ANGLE = 15;
/** Spread around it, to smaller and to larger angles, in degrees. */
const SPREAD = { below: 6, above: 14 } as const;
/** Beyond this, and below, two views are of no use to each other, in degrees. */
const RANGE = { least: 1.5, most: 45 } as const;
/** Share of a source's worth that is lost where another one already looks from the same side. */
const SAME_SIDE = 0.6;

/**
 * The views that each view is best compared with: near enough to look alike, far enough to tell depth, and from several
 * sides, so that what one cannot see another does.
 * @param centre of the object
 * @returns for each view up to `count` others, the best first
 */
export function sourceViews(cameras: readonly Camera[], centre: Vec3, count: number): number[][] {
  const eyes = cameras.map(cameraPosition);
  const towards = eyes.map((eye) => normalize(sub(eye, centre)));
  /** Pixels per scene unit at the object. */
  const scales = cameras.map((camera, i) => Math.sqrt(camera.fx * camera.fy) / length(sub(eyes[i], centre)));
  return cameras.map((_, r) => {
    const left = cameras.flatMap((_, s) => {
      const cosine = Math.max(-1, Math.min(1, dot(towards[r], towards[s])));
      const angle = (Math.acos(cosine) * 180) / Math.PI;
      if (s === r || angle < RANGE.least || angle > RANGE.most) return [];
      const off = (angle - BEST_ANGLE) / (angle < BEST_ANGLE ? SPREAD.below : SPREAD.above);
      const scale = Math.min(scales[r], scales[s]) / Math.max(scales[r], scales[s]);
      return [{ s, side: normalize(sub(towards[s], towards[r])), worth: Math.exp(-0.5 * off * off) * scale }];
    });
    const chosen: typeof left = [];
    while (chosen.length < count && left.length > 0) {
      const worth = left.map((candidate) =>
        chosen.reduce((w, c) => w * (1 - SAME_SIDE * Math.max(0, dot(candidate.side, c.side))), candidate.worth),
      );
      chosen.push(...left.splice(worth.indexOf(Math.max(...worth)), 1));
    }
    return chosen.map((c) => c.s);
  });
}
