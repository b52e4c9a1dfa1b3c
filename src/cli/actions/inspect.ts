import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import type { Capture } from '../../capture/capture.js';
import { drawCameras, drawViews, inspectCapture } from '../../capture/inspect.js';
import { countLeftOut } from '../../capture/layout/leftOut.js';
import type { ColorImage } from '../../core/image.js';
import { wordRemedy } from '../../core/remedy.js';
import { readAnyCapture } from '../../photos/readAnyCapture.js';
import type { PhotosReport } from '../../photos/write/photosJson.js';
import { cutOut, masksStage, unusedHints } from '../../pipeline/complete/masks.js';
import type { CompletionOptions } from '../../pipeline/complete/stage.js';
import { holdOut } from '../../pipeline/holdout.js';
import { type CaptureFlags, captureOptions, type ObjectFlags } from '../captureOptions.js';
import { estimatedText } from '../estimatedText.js';
import { objectHints } from '../objectHints.js';
import { photosText } from '../photosText.js';
import { cancelOnInterrupt, emit, outputMode, progressPrinter, reportReading, table } from '../terminal.js';
import { CLI_WORDS } from '../words.js';
import { workStore } from '../workStore.js';

/** Rows of what was left out; beyond this number they are counted. */
const MOST_LEFT_OUT = 60;

export async function runInspect(
  path: string,
  flags: CaptureFlags & ObjectFlags & { output?: string; json?: boolean },
): Promise<void> {
  const signal = cancelOnInterrupt(() => {});
  const printer = progressPrinter(outputMode(flags.json));
  // Programs get one object and nothing else.
  const onProgress = flags.json ? undefined : reportReading(printer.report);
  const checkpoints = workStore(flags.work);
  const hints = await objectHints(flags);
  let capture = await readAnyCapture(path, { ...captureOptions(flags), checkpoints, onProgress, signal });
  try {
    capture = await asReconstructed(
      capture,
      { object: flags.object, hints },
      {
        signal,
        seed: 0,
        checkpoints,
        progress: (event) => onProgress?.(event.fraction, event.title),
      },
    );
    printer.end();
    const inspection = await inspectCapture(capture, signal);
    if (flags.output) {
      await mkdir(flags.output, { recursive: true });
      await writePng(await drawCameras(capture), join(flags.output, 'cameras.png'));
      await writePng(await drawViews(capture), join(flags.output, 'views.png'));
    }
    if (flags.json) {
      emit({ event: 'inspection', ...inspection });
      return;
    }
    const { leftOut } = inspection;
    const rows = [
      ['view', 'use', 'size', 'focal px', 'mask', 'depth', ...(leftOut.length > 0 ? ['why left out'] : [])],
    ];
    for (const v of inspection.views) {
      rows.push([
        v.name,
        v.split,
        `${v.width}×${v.height}`,
        v.focal[0].toFixed(1),
        v.maskCoverage === undefined ? '–' : `${(v.maskCoverage * 100).toFixed(1)} %`,
        v.depth ? `${v.depth.near.toFixed(3)}…${v.depth.far.toFixed(3)}` : '–',
      ]);
    }
    for (const { kind, name, why } of leftOut.slice(0, MOST_LEFT_OUT)) {
      rows.push([name, kind === 'picture' ? 'left out' : `left out (${kind})`, '–', '–', '–', '–', why]);
    }
    const more = leftOut.length - MOST_LEFT_OUT;
    if (more > 0) rows.push([`and ${more} more`, 'left out', '–', '–', '–', '–', '--json lists all']);
    const { min, max } = capture.bounds;
    const side = min.map((v, i) => (max[i] - v).toPrecision(3)).join(' × ');
    process.stdout.write(
      `\n  ${capture.name}: ${capture.format}, ${capture.views.length} views, masks from ${capture.masks}, ` +
        `object about ${side}${leftOut.length > 0 ? `; left out: ${countLeftOut(leftOut)}` : ''}\n\n`,
    );
    process.stdout.write(`${table(rows)}\n`);
    const photos = capture.estimated?.photos as PhotosReport | undefined;
    if (photos) process.stdout.write(`\n${photosText(photos)}\n`);
    else if (capture.estimated)
      process.stdout.write(`\n  Estimated or stated besides:\n\n${estimatedText(capture.estimated)}\n`);
    for (const w of capture.warnings.filter((warning) => !photos?.warnings.includes(warning))) {
      const remedy = wordRemedy(w.remedy, CLI_WORDS);
      process.stdout.write(`\n  ! ${w.message}${remedy ? ` ${remedy}` : ''}\n`);
    }
    if (flags.output)
      process.stdout.write(`\n  ${join(flags.output, 'cameras.png')}\n  ${join(flags.output, 'views.png')}\n`);
  } finally {
    await capture.dispose();
  }
}

/** With the masks that `reconstruct` would find: held-out views have no say there. */
async function asReconstructed(
  capture: Capture,
  options: CompletionOptions,
  context: Parameters<typeof cutOut>[2],
): Promise<Capture> {
  if (!masksStage.wanted(capture, options)) {
    return { ...capture, warnings: [...capture.warnings, ...unusedHints(capture, options)] };
  }
  const masked = await cutOut(holdOut(capture).capture, options.hints, context);
  const views = masked.views.map((view, i) => ({ ...view, split: capture.views[i].split }));
  return { ...masked, views };
}

async function writePng(image: ColorImage, path: string): Promise<void> {
  const raw = { width: image.width, height: image.height, channels: 4 as const };
  await sharp(Buffer.from(image.data.buffer, image.data.byteOffset, image.data.byteLength), { raw })
    .png()
    .toFile(path);
}
