import type { QualityStatus, Thresholds } from '../schema.js';

export const THRESHOLD_DEFAULTS: Thresholds = {
  normal: { psnr: 25, ssim: 0.85 },
  warning: { psnr: 20, ssim: 0.75 },
};

/** `normal` or `warning` where both measures reach that floor, else `failure`. */
export function classify(psnr: number, ssim: number, thresholds: Thresholds = THRESHOLD_DEFAULTS): QualityStatus {
  for (const status of ['normal', 'warning'] as const) {
    const floor = thresholds[status];
    if (psnr >= floor.psnr && ssim >= floor.ssim) return status;
  }
  return 'failure';
}
