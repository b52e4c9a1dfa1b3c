import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { READ_DEFAULTS } from '../../capture/options.js';
import { findCameras, type StatedLength } from '../../photos/findCameras.js';
import { listPhotos } from '../../photos/listPhotos.js';
import { decodablePhotos } from '../../photos/read/decodablePhotos.js';
import type { KnownLens } from '../../photos/read/lenses.js';
import { photosReport } from '../../photos/write/photosJson.js';
import { writeCameras } from '../../photos/write/writeCameras.js';
import { checkpointFolder } from '../../platform/checkpointFolder.js';
import { photosText } from '../photosText.js';
import { cancelOnInterrupt, emit, outputMode, progressPrinter } from '../terminal.js';

interface Flags {
  output: string;
  format: 'binary' | 'text';
  focal?: number;
  lens?: KnownLens;
  features?: number;
  photoSize?: number;
  maxPixels?: number;
  scale?: StatedLength;
  seed: number;
  json?: boolean;
}

/** Folder of the output that keeps features and matches until the work is done. */
const WORK = '.work';

export async function runCameras(path: string, flags: Flags): Promise<void> {
  const signal = cancelOnInterrupt(() => {});
  const printer = progressPrinter(outputMode(flags.json));
  const begin = performance.now();
  const maxPixels = flags.maxPixels ?? READ_DEFAULTS.maxPixels;
  // What was HEIC, and frames of videos, are kept as JPEG beside the cameras, which are for those pictures.
  const photos = await decodablePhotos(await listPhotos(path), join(flags.output, 'images'), maxPixels, signal);
  const found = await findCameras(photos, {
    focal: flags.focal,
    lens: flags.lens,
    features: flags.features,
    longerSide: flags.photoSize,
    maxPixels,
    scale: flags.scale,
    seed: flags.seed,
    work: checkpointFolder(join(flags.output, WORK)),
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
  // What was kept for a run that is stopped is of no use any more.
  await rm(join(flags.output, WORK), { recursive: true, force: true });
  const report = photosReport(found);
  if (flags.json) {
    emit({ event: 'cameras', ...report, files });
    return;
  }
  process.stdout.write(`\n${photosText(report)}\n\n${files.map((f) => `  ${join(flags.output, f)}`).join('\n')}\n`);
}
