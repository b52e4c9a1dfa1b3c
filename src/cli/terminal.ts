import type { RunProgress } from '../core/context.js';
import { PlinthError, toPlinthError } from '../core/errors.js';
import { type Remedy, wordRemedy } from '../core/remedy.js';
import { CLI_WORDS } from './words.js';

/**
 * How a command talks: `terminal` redraws one line, `plain` prints a line per stage and tenth, `json` prints one event
 * per line.
 */
export type OutputMode = 'terminal' | 'plain' | 'json';

export const outputMode = (json: boolean | undefined): OutputMode =>
  json ? 'json' : process.stderr.isTTY ? 'terminal' : 'plain';

/** One event for programs, on standard output. Remedies are words there too. */
export function emit(event: Record<string, unknown>): void {
  const worded = (key: string, value: unknown): unknown =>
    key === 'remedy' ? wordRemedy(value as Remedy | undefined, CLI_WORDS) : value;
  process.stdout.write(`${JSON.stringify(event, worded)}\n`);
}

/** A sink that shows progress in the given mode. Progress for people goes to standard error. */
export function progressPrinter(mode: OutputMode): { report: (event: RunProgress) => void; end: () => void } {
  let last = '';
  let lastStage = '';
  let shown = 0;
  const report = (event: RunProgress): void => {
    if (mode === 'json') {
      emit({ event: 'progress', ...event });
      return;
    }
    const percent = Math.floor(event.overall * 100);
    const left = event.remainingSeconds === undefined ? '' : `, about ${duration(event.remainingSeconds)} left`;
    const text = `${String(percent).padStart(3)} %  ${event.title}${event.detail ? ` – ${event.detail}` : ''}`;
    if (mode === 'terminal') {
      const now = performance.now();
      if (event.stage === lastStage && now - shown < 80) return;
      shown = now;
      const width = (process.stderr.columns ?? 80) - 1;
      last = `${text}${left}`.slice(0, width);
      process.stderr.write(`\r\u001b[2K${last}`);
    } else if (event.stage !== lastStage) {
      process.stderr.write(`${text}${left}\n`);
    }
    lastStage = event.stage;
  };
  const end = (): void => {
    if (mode === 'terminal' && last) process.stderr.write('\r\u001b[2K');
    last = '';
  };
  return { report, end };
}

/** Shows the reading of a capture as the stage before all others. */
export function reportReading(report: (event: RunProgress) => void): (fraction: number, what: string) => void {
  const begin = performance.now();
  return (fraction, what) =>
    report({
      stage: 'read',
      title: 'Reading the capture',
      fraction,
      detail: what,
      overall: 0,
      elapsedSeconds: (performance.now() - begin) / 1000,
    });
}

/** "8 s", "2 min 05 s". */
export function duration(seconds: number): string {
  const s = Math.round(seconds);
  return s < 60 ? `${s} s` : `${Math.floor(s / 60)} min ${String(s % 60).padStart(2, '0')} s`;
}

/** "1.4 MB". */
export function bytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB'];
  let value = count;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value >= 100 || unit === 0 ? value.toFixed(0) : value.toFixed(1)} ${units[unit]}`;
}

/** Rows as aligned columns; the first row is the head. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, c) => Math.max(...rows.map((r) => (r[c] ?? '').length)));
  const line = (r: readonly string[]): string =>
    `  ${r.map((cell, c) => (c === 0 ? cell.padEnd(widths[c]) : cell.padStart(widths[c]))).join('   ')}`.trimEnd();
  const [head, ...body] = rows;
  return [line(head), `  ${widths.map((w) => '─'.repeat(w)).join('   ')}`, ...body.map(line)].join('\n');
}

/** Prints an error as people or programs want it and ends the process with its exit code. */
export function fail(error: unknown, json: boolean): never {
  const e = toPlinthError(error);
  const remedy = wordRemedy(e.remedy, CLI_WORDS);
  if (json) emit({ event: 'error', error: { ...e.toJSON(), message: e.inWords(CLI_WORDS), remedy } });
  else {
    process.stderr.write(`\nplinth: ${e.code}\n  ${e.found}\n`);
    if (e.expected) process.stderr.write(`  Expected: ${e.expected}\n`);
    if (remedy) process.stderr.write(`  ${remedy}\n`);
    if (e.kind === 'internal' && e.cause instanceof Error) process.stderr.write(`\n${e.cause.stack}\n`);
  }
  process.exit(e.exitCode);
}

/** An abort signal for Ctrl-C and SIGTERM. What has not stopped by itself a little later is ended after `cleanUp`. */
export function cancelOnInterrupt(cleanUp: () => void): AbortSignal {
  const controller = new AbortController();
  const stop = (): void => {
    if (controller.signal.aborted) return;
    controller.abort();
    setTimeout(() => {
      cleanUp();
      process.stderr.write('\nplinth: cancelled\n');
      process.exit(130);
    }, 600).unref();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return controller.signal;
}

/** A parser for a flag that takes a number. */
export const numberFlag =
  (flag: string) =>
  (text: string): number => {
    const value = Number(text);
    if (text.trim() !== '' && Number.isFinite(value)) return value;
    throw new PlinthError('OPTION_INVALID', { found: `${flag} ${text}`, expected: 'a number', subject: flag });
  };
