import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { READ_DEFAULTS, type StatedLength } from '../../capture/options.js';
import { readStatedCameras } from '../../capture/readStatedCameras.js';
import { PlinthError } from '../../core/errors.js';
import { findCameras } from '../../photos/findCameras.js';
import { listPhotos } from '../../photos/listPhotos.js';
import { decodablePhotos } from '../../photos/read/decodablePhotos.js';
import type { KnownLens } from '../../photos/read/lenses.js';
import { refineCameras } from '../../photos/refineCameras.js';
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
  refine?: boolean;
  json?: boolean;
}

/** Folder of the output that keeps features and matches until the work is done. */
const WORK = '.work';

/** What was HEIC, and frames of videos, are kept as JPEG beside the cameras, which are for those pictures. */
const photosOf = async (path: string, { output }: Flags, maxPixels: number, signal: AbortSignal): Promise<string[]> =>
  decodablePhotos(await listPhotos(path), join(output, 'images'), maxPixels, signal);

/** Options that say how cameras are found, and have no meaning where given ones are refined. */
const FINDING = ['focal', 'lens', 'scale'] as const;

export async function runCameras(path: string, flags: Flags): Promise<void> {
  const idle = flags.refine ? FINDING.find((name) => flags[name] !== undefined) : undefined;
  if (idle) {
    throw new PlinthError('OPTION_INVALID', {
      found: `--${idle} beside --refine`,
      expected: 'one of both: refined cameras keep their world, and begin with their lenses',
      subject: idle,
    });
  }
  const signal = cancelOnInterrupt(() => {});
  const printer = progressPrinter(outputMode(flags.json));
  const begin = performance.now();
  const maxPixels = flags.maxPixels ?? READ_DEFAULTS.maxPixels;
  const shared = {
    features: flags.features,
    longerSide: flags.photoSize,
    maxPixels,
    seed: flags.seed,
    work: checkpointFolder(join(flags.output, WORK)),
    signal,
    onProgress: flags.json
      ? undefined
      : (overall: number, title: string): void => {
          const elapsedSeconds = (performance.now() - begin) / 1000;
          printer.report({ stage: title, title, fraction: overall, overall, elapsedSeconds });
        },
  };
  const found = flags.refine
    ? await refineCameras(await readStatedCameras(path, { maxPixels, signal }), shared)
    : await findCameras(await photosOf(path, flags, maxPixels, signal), {
        focal: flags.focal,
        lens: flags.lens,
        scale: flags.scale,
        ...shared,
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
