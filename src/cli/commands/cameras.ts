import { type Command, Option } from 'commander';
import { PlinthError } from '../../core/errors.js';
import type { KnownLens } from '../../photos/read/lenses.js';
import { parseLength, SCALE_HELP } from '../statedLength.js';
import { numberFlag } from '../terminal.js';
import { whenRun } from '../whenRun.js';

export function addCameras(program: Command): void {
  program
    .command('cameras')
    .description(
      'find the cameras of photos: a COLMAP model, transforms.json, a drawing and what is wrong with which photo',
    )
    .argument('<photos>', 'a folder of photos, or a video')
    .requiredOption('-o, --output <folder>', 'where the files go')
    .addOption(new Option('--format <form>', 'of the COLMAP model').choices(['binary', 'text']).default('binary'))
    .option('--focal <pixels>', 'focal length of the photos as stored, where it is known', numberFlag('--focal'))
    .option('--lens <f,cx,cy[,k1,k2]>', 'a calibrated lens in pixels of the photos as stored, which is kept', parseLens)
    .option('--features <count>', 'most features of a photo (default: 8192)', numberFlag('--features'))
    .option(
      '--photo-size <pixels>',
      'longer side at which features are sought (default: 3200)',
      numberFlag('--photo-size'),
    )
    .option('--max-pixels <count>', 'refuse photos with more pixels than this', numberFlag('--max-pixels'))
    .option('--scale <length>', SCALE_HELP, parseLength)
    .option('--seed <n>', 'seed of the random numbers', numberFlag('--seed'), 0)
    .option('--refine', 'refine the cameras that the folder states, in their own world, instead of finding new ones')
    .option('--json', 'print the findings as JSON')
    .action(whenRun(async () => (await import('../actions/cameras.js')).runCameras));
}

function parseLens(text: string): KnownLens {
  const [f, cx, cy, k1 = 0, k2 = 0, ...more] = text.split(',').map(Number);
  if ([f, cx, cy, k1, k2].every(Number.isFinite) && f > 0 && more.length === 0) return { f, cx, cy, k1, k2 };
  throw new PlinthError('OPTION_INVALID', {
    found: `--lens ${text}`,
    expected: 'focal length, principal point and, where there are any, radial distortions: f,cx,cy or f,cx,cy,k1,k2',
    subject: 'lens',
  });
}
