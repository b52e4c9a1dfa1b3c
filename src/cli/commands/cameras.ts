import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { findCameras } from '../../photos/findCameras.js';
import { listPhotos } from '../../photos/listPhotos.js';
import { photosReport } from '../../photos/write/photosJson.js';
import { writeCameras } from '../../photos/write/writeCameras.js';
import { photosText } from '../photosText.js';
import { cancelOnInterrupt, emit, numberFlag, outputMode, progressPrinter } from '../terminal.js';

interface Flags {
  output: string;
  format: 'binary' | 'text';
  focal?: number;
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
      const found = await findCameras(await listPhotos(path), {
        focal: flags.focal,
        features: flags.features,
        longerSide: flags.photoSize,
        maxPixels: flags.maxPixels,
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
