import type { Assessment } from '../quality/schema.js';
import { table } from './terminal.js';

const GROUPS = [
  ['input', 'input'],
  ['heldOut', 'held out'],
  ['test', 'test'],
] as const;

/** The measures of each group of views as a table for people. */
export function totalsTable(totals: Assessment['totals']): string {
  const dB = (v: { mean: number } | null): string => (v ? `${v.mean.toFixed(2)} dB` : '–');
  const plain = (v: { mean: number } | null): string => (v ? v.mean.toFixed(4) : '–');
  const rows = [['views', 'count', 'PSNR', 'SSIM', 'PSNR in mask', 'mask IoU', 'depth MAE', 'status']];
  for (const [key, title] of GROUPS) {
    const t = totals[key];
    if (!t) continue;
    const depth = t.depthMae ? t.depthMae.mean.toPrecision(3) : '–';
    rows.push([title, String(t.views), dB(t.psnr), plain(t.ssim), dB(t.psnrInMask), plain(t.maskIou), depth, t.status]);
  }
  return table(rows);
}
