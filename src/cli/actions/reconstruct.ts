import { rmSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Capture } from '../../capture/capture.js';
import type { AssetFormat } from '../../core/asset.js';
import { PlinthError } from '../../core/errors.js';
import type { Preset } from '../../core/presets.js';
import { wordRemedy } from '../../core/remedy.js';
import type { ResultPart } from '../../core/resultParts.js';
import { getMethod } from '../../methods/registry.js';
import { readAnyCapture } from '../../photos/readAnyCapture.js';
import { partialFolder } from '../../pipeline/output.js';
import { checkedTraceFile, reportProfile } from '../../pipeline/profile.js';
import {
  checkRequest,
  type ReconstructedParts,
  type ReconstructionResult,
  type ReconstructOptions,
  reconstruct,
  reconstructParts,
} from '../../pipeline/reconstruct.js';
import { checkpointFolder } from '../../platform/checkpointFolder.js';
import { type CaptureFlags, captureOptions, type ObjectFlags } from '../captureOptions.js';
import { objectHints } from '../objectHints.js';
import { bytes, cancelOnInterrupt, duration, emit, outputMode, progressPrinter, reportReading } from '../terminal.js';
import { totalsTable } from '../totalsTable.js';
import { unpackFolder } from '../unpackFolder.js';
import { CLI_WORDS } from '../words.js';
import { workFolder } from '../workStore.js';

interface Flags extends CaptureFlags, ObjectFlags {
  output: string;
  method: string;
  preset: Preset;
  option: Record<string, unknown>;
  formats: AssetFormat[];
  only?: ResultPart[];
  meshopt?: boolean;
  webp?: boolean;
  holdout?: number;
  seed: number;
  adapter?: string;
  previews: boolean;
  overwrite: boolean;
  checkpoint?: string;
  weights?: string;
  profile?: string | true;
  failOn?: 'warning' | 'failure';
  json?: boolean;
}

export async function runReconstruct(
  path: string,
  flags: Flags & { triangles?: number; textureSize?: number },
  given: Command,
): Promise<void> {
  checkOnly(flags, given);
  checkUsed(flags);
  const mode = outputMode(flags.json);
  const printer = progressPrinter(mode);
  const unpacked = unpackFolder(path);
  const signal = cancelOnInterrupt(() => {
    rmSync(partialFolder(flags.output), { recursive: true, force: true });
    unpacked.remove();
  });
  const begin = performance.now();
  const work = workFolder(flags.work);
  const options = { ...flags.option };
  if (flags.triangles !== undefined) options.triangles = flags.triangles;
  if (flags.textureSize !== undefined) options.textureSize = flags.textureSize;
  const profile = flags.profile === true ? `${resolve(flags.output)}.profile.json` : flags.profile;
  const trace = profile === undefined ? undefined : checkedTraceFile(profile, '--profile');
  const request: ReconstructOptions = {
    output: flags.output,
    method: flags.method,
    preset: flags.preset,
    options,
    formats: flags.formats,
    meshopt: flags.meshopt,
    webp: flags.webp,
    holdout: flags.holdout,
    object: flags.object,
    hints: await objectHints(flags),
    seed: flags.seed,
    adapter: flags.adapter,
    previews: flags.previews,
    overwrite: flags.overwrite,
    checkpointFolder: flags.checkpoint,
    weights: flags.weights,
    workFolder: work,
    signal,
    onProgress: printer.report,
    onProfile:
      trace === undefined
        ? undefined
        : (measured) => {
            printer.end();
            reportProfile(measured, trace);
          },
  };
  let capture: Capture | undefined;
  try {
    await checkRequest(request);
    capture = await readAnyCapture(path, {
      ...captureOptions(flags),
      withoutCameras: getMethod(flags.method).withoutCameras,
      tempFolder: unpacked.folder,
      checkpoints: checkpointFolder(work),
      onProgress: reportReading(printer.report),
      signal,
    });
    const result: ReconstructedParts = flags.only
      ? await reconstructParts(capture, request, flags.only)
      : await reconstruct(capture, request);
    printer.end();
    const seconds = (performance.now() - begin) / 1000;
    const { quality } = result;
    if (mode === 'json') emit({ event: 'result', ...result, seconds });
    else if (quality) process.stdout.write(`${summary({ ...result, quality }, seconds)}\n`);
    else process.stdout.write(`${partsSummary(result, seconds)}\n`);
    if (flags.failOn && quality && (quality.status === 'failure' || quality.status === flags.failOn)) {
      process.exitCode = 5;
    }
  } finally {
    printer.end();
    await capture?.dispose();
    unpacked.remove();
  }
}

/** `--only` says by itself what is made, and there is no quality to fail on without a report. */
function checkOnly({ only, failOn }: Flags, given: Command): void {
  if (!only) return;
  const other = ['formats', 'previews'].find((name) => given.getOptionValueSource(name) === 'cli');
  if (other) {
    throw new PlinthError('OPTION_INVALID', {
      found: `--only together with ${other === 'formats' ? '--formats' : '--no-previews'}`,
      expected: 'one of both: --only names formats, previews and report',
      subject: 'only',
    });
  }
  if (failOn && !only.includes('report')) {
    throw new PlinthError('OPTION_INVALID', {
      found: `--fail-on ${failOn} together with --only ${only.join(',')}`,
      expected: 'report among the parts, since only it tells the quality',
      subject: 'only',
    });
  }
}

/** Refuses what would have no effect on what is made. */
function checkUsed(flags: Flags & { triangles?: number; textureSize?: number }): void {
  const refuse = (found: string, expected: string, subject: string): never => {
    throw new PlinthError('OPTION_INVALID', { found, expected, subject });
  };
  for (const name of ['triangles', 'textureSize'] as const) {
    if (flags[name] === undefined || flags.option[name] === undefined) continue;
    refuse(`${name} twice, as an option of its own and with -O`, 'one of both, since they mean the same', name);
  }
  const { only, object, box, rectangles, weights, method } = flags;
  const packing = (['meshopt', 'webp'] as const).find((name) => flags[name]);
  if (packing && only && !only.includes('glb') && !only.includes('report')) {
    refuse(`--${packing} together with --only ${only.join(',')}`, 'glb or report among the parts', packing);
  }
  if (object === 'none' && (box || rectangles !== undefined)) {
    const hint = box ? 'box' : 'rectangles';
    refuse(`--${hint} together with --object none`, 'one of both: it says where the object to cut out is', hint);
  }
  if (weights !== undefined && !getMethod(method).weights) {
    refuse(`--weights for the method ${method}, which reads none`, 'a method that reads weights', 'weights');
  }
}

/** What was made, where nothing says how good it is. */
function partsSummary({ output, files, warnings }: ReconstructedParts, seconds: number): string {
  return [
    '',
    `  made in ${duration(seconds)}; nothing was assessed`,
    '',
    ...warnings.map(({ message, remedy }) => `  • ${[message, wordRemedy(remedy, CLI_WORDS) ?? []].flat().join(' ')}`),
    ...(warnings.length > 0 ? [''] : []),
    ...files.filter((f) => !f.startsWith('previews/')).map((f) => `    ${output}/${f}`),
    ...(files.includes('previews/contact-sheet.png') ? [`    ${output}/previews/contact-sheet.png`] : []),
  ].join('\n');
}

/** What a person wants to know at the end: the measures, what is wrong, where to look. */
function summary(result: ReconstructionResult, seconds: number): string {
  const q = result.quality;
  const mesh = q.mesh;
  const lines = [
    '',
    `  ${q.capture.name}: ${q.verdict}`,
    '',
    totalsTable(q.totals),
    '',
    `  mesh      ${mesh.triangles.toLocaleString('en')} triangles, ${mesh.components} ` +
      `part${mesh.components === 1 ? '' : 's'}, ` +
      `${mesh.watertight ? 'watertight' : `${mesh.boundaryEdges} open edges`}`,
    `  time      ${duration(seconds)}, peak memory ${bytes(q.run.peakMemoryBytes ?? 0)}, on ` +
      `${q.run.adapter.description || q.run.adapter.device}`,
    '',
    ...q.advice.map((a) => `  • ${a.message}`),
    ...(q.advice.length > 0 ? [''] : []),
    '  Look at',
    `    ${result.output}/report.html`,
    ...(result.files.includes('previews/contact-sheet.png') ? [`    ${result.output}/previews/contact-sheet.png`] : []),
    ...result.files
      .filter((f) => /^(asset\.(glb|usdz)|mesh\.(obj|ply))$/.test(f))
      .map((f) => `    ${result.output}/${f}`),
  ];
  return lines.join('\n');
}
