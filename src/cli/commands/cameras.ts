import { type Command, Option } from 'commander';
import { PlinthError } from '../../core/errors.js';
import type { StatedLength } from '../../photos/findCameras.js';
import type { KnownLens } from '../../photos/read/lenses.js';
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
    .option(
      '--scale <length>',
      "the cameras' mean distance from the object, or A.jpg,B.jpg=LENGTH: how far two cameras stood apart",
      parseLength,
    )
    .option('--seed <n>', 'seed of the random numbers', numberFlag('--seed'), 0)
    .option('--refine', 'refine the cameras that the folder states, in their own world, instead of finding new ones')
    .option('--json', 'print the findings as JSON')
    .action(whenRun(async () => (await import('../actions/cameras.js')).runCameras));
}

function parseLength(text: string): StatedLength {
  const [names, apart] = text.includes('=') ? text.split(/=(?=[^=]*$)/) : ['', text];
  const value = Number(apart);
  const between = names.split(',');
  if (value > 0 && Number.isFinite(value)) {
    if (names === '') return { meanDistance: value };
    if (between.length === 2) return { between: [between[0], between[1]], distance: value };
  }
  throw new PlinthError('OPTION_INVALID', {
    found: `--scale ${text}`,
    expected: "the cameras' mean distance from the object, as 0.6, or that of two cameras, as IMG_1.jpg,IMG_2.jpg=0.25",
    subject: 'scale',
  });
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
