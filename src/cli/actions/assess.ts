import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { openGpu } from '../../gpu/adapter/openGpu.js';
import { readAnyCapture } from '../../photos/readAnyCapture.js';
import { assess } from '../../quality/assess/assess.js';
import { evidenceOf } from '../../quality/verdict/evidence.js';
import { type Judgement, judge } from '../../quality/verdict/judge.js';
import { type CaptureFlags, captureOptions } from '../captureOptions.js';
import { cancelOnInterrupt, emit, outputMode, progressPrinter, reportReading } from '../terminal.js';
import { totalsTable } from '../totalsTable.js';

export async function runAssess(
  asset: string,
  path: string,
  flags: CaptureFlags & { output?: string; adapter?: string; json?: boolean },
): Promise<void> {
  const mode = outputMode(flags.json);
  const signal = cancelOnInterrupt(() => {});
  const printer = progressPrinter(mode);
  const capture = await readAnyCapture(path, {
    ...captureOptions(flags),
    onProgress: reportReading(printer.report),
    signal,
  });
  try {
    const gpu = await openGpu({ adapter: flags.adapter });
    try {
      if (flags.output) await mkdir(flags.output, { recursive: true });
      const begin = performance.now();
      const assessment = await assess(gpu, resolve(asset), capture, {}, flags.output, {
        signal,
        progress: (e) =>
          printer.report({ ...e, overall: e.fraction, elapsedSeconds: (performance.now() - begin) / 1000 }),
      });
      printer.end();
      const judgement = judge(evidenceOf(assessment, capture));
      if (mode === 'json') emit({ event: 'assessment', ...assessment, ...judgement });
      else process.stdout.write(`\n${totalsTable(assessment.totals)}\n\n${judgementText(judgement)}`);
    } finally {
      gpu.dispose();
    }
  } finally {
    printer.end();
    await capture.dispose();
  }
}

function judgementText({ status, limits, likelyCause }: Judgement): string {
  const lines = [`  status    ${status}`, ...limits.map((limit) => `            ${limit.message}`)];
  if (likelyCause !== null) lines.push(`            ${likelyCause}`);
  return `${lines.join('\n')}\n`;
}
