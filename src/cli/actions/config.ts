import type { Command } from 'commander';
import { type Origin, printableSettings } from '../../server/settings.js';
import { settingsOf } from '../settingsOf.js';
import { emit } from '../terminal.js';

export function runConfig(options: { json?: boolean }, command: Command): void {
  const settings = printableSettings(settingsOf(command));
  if (options.json) {
    for (const setting of settings) emit({ ...setting, value: setting.value ?? null });
    return;
  }
  const width = Math.max(...settings.map((s) => s.path.length));
  for (const { path, value, origin } of settings) {
    process.stdout.write(`${path.padEnd(width)}  ${show(value)}${from(origin)}\n`);
  }
}

const show = (value: unknown): string =>
  value === undefined ? '–' : Array.isArray(value) ? value.join(',') || '–' : String(value);
const from = (origin: Origin): string => (origin === 'default' ? '' : `  (${origin})`);
