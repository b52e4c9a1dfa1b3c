import { rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { Capture } from '../../capture/capture.js';
import { ASSET_FORMATS, type AssetFormat } from '../../core/asset.js';
import { PlinthError } from '../../core/errors.js';
import { PRESETS, type Preset } from '../../core/presets.js';
import { readAnyCapture, requireMasks } from '../../photos/readAnyCapture.js';
import { partialFolder } from '../../pipeline/output.js';
import { checkedTraceFile, reportProfile } from '../../pipeline/profile.js';
import {
  checkRequest,
  type ReconstructionResult,
  type ReconstructOptions,
  reconstruct,
} from '../../pipeline/reconstruct.js';
import { addCaptureOptions, type CaptureFlags, captureOptions } from '../captureOptions.js';
import {
  bytes,
  cancelOnInterrupt,
  duration,
  emit,
  numberFlag,
  outputMode,
  progressPrinter,
  reportReading,
} from '../terminal.js';
import { totalsTable } from '../totalsTable.js';
import { unpackFolder } from '../unpackFolder.js';

interface Flags extends CaptureFlags {
  output: string;
  method: string;
  preset: Preset;
  option: Record<string, unknown>;
  formats: AssetFormat[];
  meshopt?: boolean;
  webp?: boolean;
  holdout?: number;
  seed: number;
  adapter?: string;
  previews: boolean;
  overwrite: boolean;
  checkpoint?: string;
  profile?: string | true;
  failOn?: 'warning' | 'failure';
  json?: boolean;
}

export function addReconstruct(program: Command): void {
  const command = program
    .command('reconstruct')
    .description('make a textured 3D asset from a capture (folder, .zip or transforms.json)')
    .argument('<capture>', 'the capture')
    .requiredOption('-o, --output <folder>', 'result folder; an earlier Plinth result there is replaced')
    .option('-m, --method <name>', 'see `plinth methods`', 'fusion')
    .addOption(new Option('-p, --preset <name>', 'time against quality').choices(PRESETS).default('standard'))
    .option('-O, --option <name=value>', 'an option of the method; may be given several times', collectOption, {})
    .option('--triangles <count>', 'triangle budget (same as -O triangles=…)', numberFlag('--triangles'))
    .option(
      '--texture-size <pixels>',
      'texture width and height (same as -O textureSize=…)',
      numberFlag('--texture-size'),
    )
    .option('--formats <list>', `comma-separated: ${ASSET_FORMATS.join(',')}`, parseFormats, [...ASSET_FORMATS])
    .option('--meshopt', 'compress the GLB with EXT_meshopt_compression')
    .option('--webp', 'store textures as WebP in the GLB')
    .option(
      '--holdout <n>',
      'hold every n-th view out of the work and report it apart; 0 = none (default: 8, from 8 views on)',
      numberFlag('--holdout'),
    )
    .option('--seed <n>', 'seed of the random numbers', numberFlag('--seed'), 0)
    .option(
      '--adapter <choice>',
      'discrete, integrated, software, an index or a part of the name (see `plinth doctor`)',
    )
    .option('--no-previews', 'skip preview images and turntable')
    .option('--no-overwrite', 'refuse to replace an earlier result')
    .option('--checkpoint <folder>', 'keep checkpoints here, and resume from them')
    .addOption(
      new Option('--fail-on <status>', 'exit with 5 where the quality is that or worse').choices([
        'warning',
        'failure',
      ]),
    )
    .option(
      '--profile [file]',
      'print where the time on the GPU went, and write a trace for ui.perfetto.dev (default: <output>.profile.json)',
    )
    .option('--json', 'print events and the result as JSON lines on standard output');
  addCaptureOptions(command);
  command.action(async (path: string, flags: Flags & { triangles?: number; textureSize?: number }) => {
    const mode = outputMode(flags.json);
    const printer = progressPrinter(mode);
    const unpacked = unpackFolder(path);
    const signal = cancelOnInterrupt(() => {
      rmSync(partialFolder(flags.output), { recursive: true, force: true });
      unpacked.remove();
    });
    const begin = performance.now();
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
      seed: flags.seed,
      adapter: flags.adapter,
      previews: flags.previews,
      overwrite: flags.overwrite,
      checkpointFolder: flags.checkpoint,
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
        tempFolder: unpacked.folder,
        onProgress: reportReading(printer.report),
        signal,
      });
      requireMasks(capture);
      const result = await reconstruct(capture, request);
      printer.end();
      const seconds = (performance.now() - begin) / 1000;
      if (mode === 'json') emit({ event: 'result', ...result, seconds });
      else process.stdout.write(`${summary(result, seconds)}\n`);
      const { status } = result.quality;
      if (flags.failOn && (status === 'failure' || status === flags.failOn)) process.exitCode = 5;
    } finally {
      printer.end();
      await capture?.dispose();
      unpacked.remove();
    }
  });
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
    `  mesh      ${mesh.triangles.toLocaleString('en')} triangles, ${mesh.components} part${mesh.components === 1 ? '' : 's'}, ${mesh.watertight ? 'watertight' : `${mesh.boundaryEdges} open edges`}`,
    `  time      ${duration(seconds)}, peak memory ${bytes(q.run.peakMemoryBytes ?? 0)}, on ${q.run.adapter.description || q.run.adapter.device}`,
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

function collectOption(text: string, previous: Record<string, unknown>): Record<string, unknown> {
  const at = text.indexOf('=');
  if (at < 1)
    throw new PlinthError('OPTION_INVALID', { found: `--option ${text}`, expected: 'name=value', subject: 'option' });
  const raw = text.slice(at + 1);
  let value: unknown = raw;
  try {
    value = JSON.parse(raw);
  } catch {
    // Not JSON: a plain word.
  }
  return { ...previous, [text.slice(0, at)]: value };
}

function parseFormats(text: string): AssetFormat[] {
  const formats = text.split(',').map((f) => f.trim().toLowerCase());
  const unknown = formats.find((f) => !ASSET_FORMATS.includes(f as AssetFormat));
  if (unknown !== undefined) {
    throw new PlinthError('OPTION_INVALID', {
      found: `--formats: there is no format "${unknown}"`,
      expected: ASSET_FORMATS.join(', '),
      subject: 'formats',
    });
  }
  return formats as AssetFormat[];
}
