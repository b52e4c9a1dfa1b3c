import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Capture } from '../../capture/capture.js';
import type { Warning } from '../../core/context.js';
import { PlinthError, throwIfCancelled } from '../../core/errors.js';
import { identity } from '../../core/math.js';
import { LIBRARY_WORDS, wordRemedy } from '../../core/remedy.js';
import type { AdapterFacts } from '../../gpu/runtime/adapterFacts.js';
import { type Assessment, QUALITY_SCHEMA_VERSION, type QualityData, qualitySchema, type Series } from '../schema.js';
import { adviseOn } from '../verdict/advice.js';
import { evidenceOf } from '../verdict/evidence.js';
import { type Judgement, judge } from '../verdict/judge.js';
import { counted, decibel, listed } from '../verdict/words.js';

export const QUALITY_FILE = 'quality.json';
export const REPORT_FILE = 'report.html';

export interface QualityInput {
  assessment: Assessment;
  capture: Capture;
  method: { name: string; preset: string; options: Record<string, unknown>; facts?: Record<string, unknown> };
  seed: number;
  /** Version of Plinth. */
  plinth: string;
  warnings: readonly Warning[];
  /**
   * Curves for the report, such as loss and PSNR over steps; thinned to 300 points each. Default: `series` of the
   * method's facts.
   */
  series?: readonly Series[];
  /** Files of the result, from `describeFiles`. Default: none. */
  files?: QualityData['files'];
  run: {
    adapter: Pick<AdapterFacts, 'device' | 'vendor' | 'kind' | 'backend' | 'description'>;
    timings: QualityData['run']['timings'];
    /** Wall time of the whole run. Default: sum of the timings. */
    seconds?: number;
    peakMemoryBytes?: number;
    peakGpuBytes?: number;
  };
}

/**
 * Puts together what `quality.json` holds: verdict and advice are made here. Numbers are rounded to nine significant
 * digits.
 */
export function buildQuality(input: QualityInput): QualityData {
  const { assessment, capture, method, run } = input;
  const { series: ownSeries, ...facts } = method.facts ?? {};
  const evidence = evidenceOf(assessment, capture, unseenShareOf(facts));
  const judgement = judge(evidence);
  const { device, vendor, kind, backend, description } = run.adapter;
  const data: QualityData = {
    schemaVersion: QUALITY_SCHEMA_VERSION,
    plinth: input.plinth,
    verdict: verdictOf(assessment, judgement),
    ...assessment,
    ...judgement,
    texture: evidence.texture,
    capture: evidence.capture,
    frame: frameOf(capture),
    method: {
      name: method.name,
      preset: method.preset,
      options: method.options,
      facts: Object.keys(facts).length > 0 ? facts : null,
    },
    seed: input.seed,
    advice: adviseOn({ ...evidence, status: judgement.status }),
    warnings: input.warnings.map(({ code, message, subject, remedy }) => ({
      code,
      message,
      subject,
      remedy: wordRemedy(remedy, LIBRARY_WORDS),
    })),
    series: thinned(input.series ?? seriesIn(ownSeries)),
    files: input.files ?? [],
    run: {
      adapter: { device, vendor, kind, backend, description },
      timings: run.timings,
      seconds: run.seconds ?? run.timings.reduce((s, t) => s + t.seconds, 0),
      peakMemoryBytes: run.peakMemoryBytes ?? null,
      peakGpuBytes: run.peakGpuBytes ?? null,
    },
  };
  // Through JSON, so that what is written and what is handed on are the same.
  return parseQuality(JSON.parse(JSON.stringify(data, rounded)), 'the assessment');
}

/**
 * Checks the contents of a `quality.json`.
 * @param source for the message.
 * @throws `ASSET_UNREADABLE` where it is not of this version's form.
 */
export function parseQuality(value: unknown, source: string): QualityData {
  const result = qualitySchema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new PlinthError('ASSET_UNREADABLE', {
    found:
      `${source} is not a quality.json of version ${QUALITY_SCHEMA_VERSION}: ` +
      `${issue.path.join('.') || 'the whole'}: ${issue.message}`,
    remedy: 'Assess the asset again',
    subject: source,
  });
}

/** Writes `quality.json` into the result folder: two spaces of indent, short arrays of numbers on one line. */
export async function writeQuality(folder: string, data: QualityData): Promise<string> {
  const text = JSON.stringify(data, rounded, 2).replace(
    /\[\s+(-?[\d.e+-]+(?:,\s+-?[\d.e+-]+)*)\s+\]/g,
    (_, list: string) => {
      return `[${list.replace(/\s+/g, ' ')}]`;
    },
  );
  const path = join(folder, QUALITY_FILE);
  try {
    await writeFile(path, `${text}\n`);
  } catch (cause) {
    throw new PlinthError('OUTPUT_NOT_WRITABLE', {
      found: `${path} cannot be written: ${(cause as Error).message}`,
      remedy: 'Check free space and permissions',
      subject: path,
      cause,
    });
  }
  return path;
}

/**
 * Size and SHA-256 of all files below a result folder, sorted by path, without `quality.json` and `report.html`, which
 * are written last.
 * @throws CANCELLED
 */
export async function describeFiles(folder: string, signal?: AbortSignal): Promise<QualityData['files']> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((e) => e.isFile())
    .map((e) => join(e.parentPath, e.name).slice(join(folder, '/').length).replaceAll('\\', '/'))
    .filter((path) => path !== QUALITY_FILE && path !== REPORT_FILE)
    .sort();
  const files: QualityData['files'] = [];
  for (const path of paths) {
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(join(folder, path))) {
      throwIfCancelled(signal);
      hash.update(chunk as Buffer);
    }
    files.push({ path, bytes: (await stat(join(folder, path))).size, sha256: hash.digest('hex') });
  }
  return files;
}

function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(9)) : value;
}

function verdictOf(a: Assessment, { status, limits, likelyCause }: Judgement): string {
  const group = a.totals.input ?? a.totals.heldOut ?? a.totals.test;
  const kind = a.totals.input ? 'input view' : a.totals.heldOut ? 'held-out view' : 'test view';
  const score = (psnr: number, ssim: number) => `${decibel(psnr)} and SSIM ${ssim.toFixed(3)}`;
  const opening = { normal: 'A faithful model', warning: 'Usable with care', failure: 'Not a faithful model' }[status];
  const n = group!.views;
  const subject = n === 1 ? `the ${kind} comes back at` : `the ${counted(n, kind)} come back at`;
  const unseen = a.totals.input ? (a.totals.heldOut ?? a.totals.test) : null;
  const region = a.protocol.statusRegion;
  const tail = unseen
    ? `; ${counted(unseen.views, 'view')} that it never saw at ${
        region === 'whole'
          ? score(unseen.psnr.mean, unseen.ssim.mean)
          : score(unseen.psnrInMask?.mean ?? 0, unseen.ssimInMask?.mean ?? 0)
      }`
    : '';
  const but = limits.length > 0 ? `, but ${listed(limits.map((limit) => limit.message))}` : '';
  const cause = likelyCause === null ? '' : ` ${likelyCause}`;
  return `${opening}: ${subject} ${score(a.psnr, a.ssim)} on average${tail}${but}.${cause}`;
}

function frameOf(capture: Capture): string {
  const moved = [12, 13, 14].some((i) => capture.inputToWorld[i] !== 0);
  const turned = identity().some((v, i) => i < 12 && Math.abs(v - capture.inputToWorld[i]) > 1e-9);
  const axes = turned
    ? 'its axes were turned by capture.inputToWorld so that +Y is up, as glTF demands (apply the inverse to return)'
    : 'its axes are the input’s own, +Y up';
  if (capture.scaleKnown && moved) {
    return (
      'The asset keeps the input’s scale; it stands so far from the input’s origin that vertices are about one ' +
      `of their own, which capture.inputToWorld has and the nodes of GLB and USDZ undo; vertices of OBJ and PLY ` +
      `stay about it, shift.json and a comment in them have what to add; ${axes}.`
    );
  }
  return capture.scaleKnown
    ? `The asset keeps the input’s scale and origin; ${axes}.`
    : `The input states no scale: Plinth chose unit and origin, the object’s box is capture.bounds; ${axes}.`;
}

/** Methods tell the share of texels without a picture as `unseenShare`, by itself or in `texture`. */
function unseenShareOf(facts: Record<string, unknown>): number | null {
  const nested = facts.texture as Record<string, unknown> | null | undefined;
  const value = facts.unseenShare ?? nested?.unseenShare;
  return typeof value === 'number' && value >= 0 && value <= 1 ? value : null;
}

function seriesIn(value: unknown): readonly Series[] {
  const parsed = qualitySchema.shape.series.safeParse(value);
  return parsed.success ? parsed.data : [];
}

const SERIES_POINTS = 300;

function thinned(series: readonly Series[]): Series[] {
  return series.map(({ name, unit, points }) => {
    const step = Math.max(1, Math.ceil(points.length / SERIES_POINTS));
    return { name, unit, points: points.filter((_, i) => i % step === 0 || i === points.length - 1) };
  });
}
