import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { READ_DEFAULTS } from '../../capture/options.js';
import { PlinthError, throwIfCancelled } from '../../core/errors.js';
import { findCameras } from '../../photos/findCameras.js';
import { listPhotos } from '../../photos/listPhotos.js';
import { convertHeic, isHeicName } from '../../photos/read/convertHeic.js';
import type { KnownLens } from '../../photos/read/lenses.js';
import { photosReport } from '../../photos/write/photosJson.js';
import { writeCameras } from '../../photos/write/writeCameras.js';
import { photosText } from '../photosText.js';
import { cancelOnInterrupt, emit, numberFlag, outputMode, progressPrinter } from '../terminal.js';

interface Flags {
  output: string;
  format: 'binary' | 'text';
  focal?: number;
  lens?: KnownLens;
  features?: number;
  photoSize?: number;
  maxPixels?: number;
  seed: number;
  json?: boolean;
}

export function addCameras(program: Command): void {
  program
    .command('cameras')
    .description(
      'find the cameras of photos: a COLMAP model, transforms.json, a drawing and what is wrong with which photo',
    )
    .argument('<photos>', 'a folder of photos')
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
    .option('--seed <n>', 'seed of the random numbers', numberFlag('--seed'), 0)
    .option('--json', 'print the findings as JSON')
    .action(async (path: string, flags: Flags) => {
      const signal = cancelOnInterrupt(() => {});
      const printer = progressPrinter(outputMode(flags.json));
      const begin = performance.now();
      const maxPixels = flags.maxPixels ?? READ_DEFAULTS.maxPixels;
      // What was HEIC is kept as JPEG beside the cameras, which are for those pictures.
      const photos: string[] = [];
      for (const file of await listPhotos(path)) {
        throwIfCancelled(signal);
        photos.push(isHeicName(file) ? await convertHeic(file, join(flags.output, 'images'), maxPixels) : file);
      }
      const found = await findCameras(photos, {
        focal: flags.focal,
        lens: flags.lens,
        features: flags.features,
        longerSide: flags.photoSize,
        maxPixels,
        seed: flags.seed,
        signal,
        onProgress: flags.json
          ? undefined
          : (overall, title) => {
              const elapsedSeconds = (performance.now() - begin) / 1000;
              printer.report({ stage: title, title, fraction: overall, overall, elapsedSeconds });
            },
      });
      printer.end();
      const files = await writeCameras(found, flags.output, flags.format);
      const report = photosReport(found);
      if (flags.json) {
        emit({ event: 'cameras', ...report, files });
        return;
      }
      process.stdout.write(`\n${photosText(report)}\n\n${files.map((f) => `  ${join(flags.output, f)}`).join('\n')}\n`);
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
