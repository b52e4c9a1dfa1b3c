import type { RunResult } from '../jobRecord.js';

/** Written by the engine beside the runs' folders when there are several. */
export const COMPARISON_FILE = 'comparison.json';

export interface Comparison {
  /** Name of the best run; absent when none succeeded. */
  best?: string;
  /** One sentence for people. */
  summary: string;
  /** Runs from best to worst; failed ones last. */
  ranking: {
    name: string;
    method: string;
    preset: string;
    seconds: number;
    status?: string;
    psnr?: number;
    ssim?: number;
    failure?: string;
  }[];
}

const STATUS_ORDER = ['normal', 'warning', 'failure'];

/**
 * Ranks runs of one capture by the status of their quality, then PSNR, then time. Runs are comparable because they saw
 * the same views.
 */
export function compareRuns(runs: RunResult[]): Comparison {
  const rank = (run: RunResult): number[] => [
    run.quality ? STATUS_ORDER.indexOf(run.quality.status) : STATUS_ORDER.length,
    -(run.quality?.psnr ?? 0),
    run.seconds,
  ];
  const sorted = [...runs].sort((a, b) => {
    const [x, y] = [rank(a), rank(b)];
    return x[0] - y[0] || x[1] - y[1] || x[2] - y[2];
  });
  const ranking = sorted.map(({ name, method, preset, seconds, quality, failure }) => ({
    name,
    method,
    preset,
    seconds,
    status: quality?.status,
    psnr: quality?.psnr,
    ssim: quality?.ssim,
    failure: failure?.code,
  }));
  const good = sorted.filter((run) => run.quality);
  const [best, second] = good;
  if (!best) return { summary: 'No run succeeded.', ranking };
  const own = `${best.name} is the best: ${best.quality!.psnr.toFixed(1)} dB in ${Math.round(best.seconds)} s`;
  if (!second) return { best: best.name, summary: `${own}; no other run succeeded.`, ranking };
  const gain = best.quality!.psnr - second.quality!.psnr;
  const against =
    `${second.name} reached ${second.quality!.psnr.toFixed(1)} dB ` +
    `(${gain >= 0 ? '−' : '+'}${Math.abs(gain).toFixed(1)}) in ${Math.round(second.seconds)} s`;
  return { best: best.name, summary: `${own}; ${against}.`, ranking };
}
