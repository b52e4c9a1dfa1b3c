import type { GroupTotals, Protocol, Statistic, Thresholds, ViewGroup, ViewQuality } from '../schema.js';
import { classify } from './classify.js';

/** PSNR and SSIM that decide a view's status. Without masks the frame holds background that no asset can show. */
export function decidingMeasures(
  view: Pick<ViewQuality, 'psnr' | 'ssim' | 'inMask'>,
  region: Protocol['statusRegion'],
): { psnr: number; ssim: number } {
  if (region === 'whole') return view;
  return { psnr: view.inMask?.psnr ?? 0, ssim: view.inMask?.ssim ?? 0 };
}

/** Means and worst values of one group of views; `null` where the group is empty. */
export function groupTotals(
  views: readonly ViewQuality[],
  group: ViewGroup,
  region: Protocol['statusRegion'],
  thresholds: Thresholds,
): GroupTotals | null {
  const members = views.filter((v) => v.group === group);
  if (members.length === 0) return null;
  const low = (pick: (v: ViewQuality) => number | null | undefined) => statistic(members, pick, 'lowest');
  const high = (pick: (v: ViewQuality) => number | null | undefined) => statistic(members, pick, 'highest');
  const psnr = low((v) => decidingMeasures(v, region).psnr)!;
  const ssim = low((v) => decidingMeasures(v, region).ssim)!;
  return {
    views: members.length,
    status: classify(psnr.mean, ssim.mean, thresholds),
    psnr: low((v) => v.psnr)!,
    ssim: low((v) => v.ssim)!,
    psnrInMask: low((v) => v.inMask?.psnr),
    ssimInMask: low((v) => v.inMask?.ssim),
    maskIou: low((v) => v.mask?.iou),
    depthMae: high((v) => v.depth?.mae),
    depthRmse: high((v) => v.depth?.rmse),
    depthMissing: high((v) => v.depth?.missing),
  };
}

function statistic(
  views: readonly ViewQuality[],
  pick: (v: ViewQuality) => number | null | undefined,
  worstIs: 'lowest' | 'highest',
): Statistic | null {
  let sum = 0;
  let count = 0;
  let worst: { value: number; view: string } | undefined;
  for (const view of views) {
    const value = pick(view);
    if (value === null || value === undefined) continue;
    sum += value;
    count++;
    if (!worst || (worstIs === 'lowest' ? value < worst.value : value > worst.value))
      worst = { value, view: view.name };
  }
  return worst ? { mean: sum / count, worst: worst.value, worstView: worst.view } : null;
}

/** Mean deciding PSNR and SSIM of a group; `null` where it is empty. */
export function decidingMeans(
  totals: GroupTotals | null,
  region: Protocol['statusRegion'],
): { psnr: number; ssim: number } | null {
  if (!totals) return null;
  return region === 'whole'
    ? { psnr: totals.psnr.mean, ssim: totals.ssim.mean }
    : { psnr: totals.psnrInMask?.mean ?? 0, ssim: totals.ssimInMask?.mean ?? 0 };
}
