import { type Command, Option } from 'commander';
import { ASSET_FORMATS, type AssetFormat } from '../../core/asset.js';
import { PlinthError } from '../../core/errors.js';
import { PRESETS } from '../../core/presets.js';
import { RESULT_PARTS, type ResultPart } from '../../core/resultParts.js';
import { addCaptureOptions, addObjectOptions } from '../captureOptions.js';
import { numberFlag } from '../terminal.js';
import { whenRun } from '../whenRun.js';

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
    .option('--formats <list>', `comma-separated: ${ASSET_FORMATS.join(',')}`, parseFormats, ALL_FORMATS)
    .option(
      '--only <list>',
      `make nothing else, in less time; comma-separated: ${RESULT_PARTS.join(',')} (report: assessment, ` +
        'quality.json and report.html, with asset.glb)',
      parseParts,
    )
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
    .option('--weights <folder>', 'folder of network weights, for methods that read some (see `plinth weights path`)')
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
  addObjectOptions(command);
  addCaptureOptions(command);
  command.action(whenRun(async () => (await import('../actions/reconstruct.js')).runReconstruct));
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

const ALL_FORMATS: AssetFormat[] = [...ASSET_FORMATS];

// Lists that are given several times add up, so that none of them is dropped.
const parseFormats = (text: string, previous: AssetFormat[]): AssetFormat[] => [
  ...(previous === ALL_FORMATS ? [] : previous),
  ...parseList(text, '--formats', 'format', ASSET_FORMATS),
];
const parseParts = (text: string, previous: ResultPart[] = []): ResultPart[] => [
  ...previous,
  ...parseList(text, '--only', 'part of a result', RESULT_PARTS),
];

function parseList<Name extends string>(text: string, flag: string, what: string, known: readonly Name[]): Name[] {
  const names = text.split(',').map((name) => name.trim().toLowerCase());
  const unknown = names.find((name) => !known.includes(name as Name));
  if (unknown !== undefined) {
    throw new PlinthError('OPTION_INVALID', {
      found: `${flag}: there is no ${what} "${unknown}"`,
      expected: known.join(', '),
      subject: flag.slice(2),
    });
  }
  return names as Name[];
}
