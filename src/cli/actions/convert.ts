import { join } from 'node:path';
import { convertCapture } from '../../capture/convert/convertCapture.js';
import type { ConvertFormat } from '../../capture/convert/formats.js';
import { readAnyCapture } from '../../photos/readAnyCapture.js';
import { type CaptureFlags, captureOptions } from '../captureOptions.js';
import { cancelOnInterrupt, emit, outputMode, progressPrinter, reportReading } from '../terminal.js';

interface Flags extends CaptureFlags {
  output: string;
  to: ConvertFormat;
  json?: boolean;
}

export async function runConvert(path: string, flags: Flags): Promise<void> {
  const signal = cancelOnInterrupt(() => {});
  const printer = progressPrinter(outputMode(flags.json));
  const begin = performance.now();
  const capture = await readAnyCapture(path, {
    ...captureOptions(flags),
    onProgress: flags.json ? undefined : reportReading(printer.report),
    signal,
  });
  try {
    const { output, views, warnings } = await convertCapture(capture, flags.output, flags.to, {
      signal,
      progress: flags.json
        ? undefined
        : (e) => printer.report({ ...e, overall: e.fraction, elapsedSeconds: (performance.now() - begin) / 1000 }),
    });
    printer.end();
    const all = [...capture.warnings, ...warnings];
    if (flags.json) {
      emit({ event: 'conversion', output, format: flags.to, views: views.length, warnings: all });
      return;
    }
    process.stdout.write(`\n  ${capture.name}: ${views.length} views of ${capture.format} as ${flags.to}\n`);
    for (const w of all) process.stdout.write(`\n  ! ${w.message}\n`);
    process.stdout.write(
      `\n  ${flags.to === 'transforms' ? join(output, 'transforms.json') : join(output, 'sparse/0')}\n`,
    );
  } finally {
    printer.end();
    await capture.dispose();
  }
}
