import { PlinthError } from '../../core/errors.js';
import type { Assessment, QualityData } from '../schema.js';

/** One result among those compared. `run` and `files` are used where it is a whole `quality.json`. */
export interface ComparedResult {
  /** Name of the column, such as the method's. */
  label: string;
  quality: Assessment & Partial<Pick<QualityData, 'run' | 'files'>>;
}

export interface ComparisonRow {
  /** Stable, such as `input.psnr`. */
  key: string;
  title: string;
  /** `dB`, `s`, `bytes`, `units`, or empty for plain numbers. */
  unit: string;
  better: 'higher' | 'lower' | null;
  /** One per result; `null` where it has no such value. */
  values: (number | null)[];
  /** Columns with the best value; empty where there is nothing to choose. */
  best: number[];
}

export interface Comparison {
  labels: string[];
  statuses: Assessment['status'][];
  rows: ComparisonRow[];
  /** PSNR of every view, for bars: `values[i]` belongs to `labels[i]`. */
  views: { name: string; group: Assessment['views'][number]['group']; values: number[] }[];
}

type Measure = [key: string, title: string, unit: string, better: 'higher' | 'lower' | null];
type Getter = (q: ComparedResult['quality']) => number | null | undefined;

/**
 * Sets assessments of the same capture side by side.
 * @throws `OPTION_INVALID` for fewer than two, or where views, their groups or their sizes differ, since figures then are not comparable.
 */
export function compareAssessments(results: readonly ComparedResult[]): Comparison {
  if (results.length < 2) {
    throw new PlinthError('OPTION_INVALID', {
      found: `${results.length} assessments to compare`,
      expected: 'two or more',
    });
  }
  const [first, ...others] = results;
  for (const other of others) assertSameViews(first, other);
  const rows: ComparisonRow[] = [];
  const row = ([key, title, unit, better]: Measure, pick: Getter) => {
    const values = results.map((r) => pick(r.quality) ?? null);
    if (values.every((v) => v === null)) return;
    rows.push({ key, title, unit, better, values, best: bestOf(values, better) });
  };
  for (const [group, title] of [
    ['input', 'Input views'],
    ['heldOut', 'Held-out views'],
    ['test', 'Test views'],
  ] as const) {
    row([`${group}.psnr`, `${title}: PSNR`, 'dB', 'higher'], (q) => q.totals[group]?.psnr.mean);
    row([`${group}.ssim`, `${title}: SSIM`, '', 'higher'], (q) => q.totals[group]?.ssim.mean);
    row(
      [`${group}.psnrInMask`, `${title}: PSNR in the mask`, 'dB', 'higher'],
      (q) => q.totals[group]?.psnrInMask?.mean,
    );
    row([`${group}.ssimInMask`, `${title}: SSIM in the mask`, '', 'higher'], (q) => q.totals[group]?.ssimInMask?.mean);
    row([`${group}.maskIou`, `${title}: mask IoU`, '', 'higher'], (q) => q.totals[group]?.maskIou?.mean);
    row([`${group}.depthMae`, `${title}: depth MAE`, 'units', 'lower'], (q) => q.totals[group]?.depthMae?.mean);
    row([`${group}.depthRmse`, `${title}: depth RMSE`, 'units', 'lower'], (q) => q.totals[group]?.depthRmse?.mean);
  }
  row(['heldOutGap', 'Gap to unseen views', 'dB', 'lower'], (q) => q.heldOutGap);
  row(['triangles', 'Triangles', '', null], (q) => q.mesh.triangles);
  row(['components', 'Parts', '', null], (q) => q.mesh.components);
  row(['boundaryEdges', 'Open edges', '', 'lower'], (q) => q.mesh.boundaryEdges);
  row(['nonManifoldEdges', 'Non-manifold edges', '', 'lower'], (q) => q.mesh.nonManifoldEdges);
  row(['glbBytes', 'Size of asset.glb', 'bytes', null], (q) => q.files?.find((f) => f.path === 'asset.glb')?.bytes);
  row(['seconds', 'Time', 's', 'lower'], (q) => q.run?.seconds);
  row(['peakMemory', 'Peak memory', 'bytes', 'lower'], (q) => q.run?.peakMemoryBytes);
  return {
    labels: results.map((r) => r.label),
    statuses: results.map((r) => r.quality.status),
    rows,
    views: first.quality.views.map((v, i) => ({
      name: v.name,
      group: v.group,
      values: results.map((r) => r.quality.views[i].psnr),
    })),
  };
}

function bestOf(values: readonly (number | null)[], better: ComparisonRow['better']): number[] {
  const known = values.filter((v) => v !== null);
  if (!better || known.length < 2) return [];
  const best = better === 'higher' ? Math.max(...known) : Math.min(...known);
  const winners = values.flatMap((v, i) => (v === best ? [i] : []));
  return winners.length === values.length ? [] : winners;
}

function assertSameViews(a: ComparedResult, b: ComparedResult): void {
  const key = (v: Assessment['views'][number]) => `${v.name} (${v.group}, ${v.width} × ${v.height})`;
  const [left, right] = [a.quality.views.map(key), b.quality.views.map(key)];
  const i = Array.from({ length: Math.max(left.length, right.length) }).findIndex((_, k) => left[k] !== right[k]);
  if (i < 0) return;
  throw new PlinthError('OPTION_INVALID', {
    found: `"${a.label}" and "${b.label}" were assessed on different views: ${left[i] ?? 'none'} and ${right[i] ?? 'none'}`,
    expected: 'assessments of the same capture with the same held-out views and size',
  });
}
