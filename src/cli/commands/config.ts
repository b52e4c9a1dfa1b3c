import type { Command } from 'commander';
import { type Origin, printableSettings } from '../../server/settings.js';
import { addSettings, settingsOf } from '../serviceSettings.js';
import { emit } from '../terminal.js';

export function addConfig(program: Command): void {
  const command = program
    .command('config')
    .description('print every setting of the service with its value and where that comes from')
    .option('--json', 'print as JSON');
  addSettings(command).action((options: { json?: boolean }) => {
    const settings = printableSettings(settingsOf(command));
    if (options.json) {
      for (const setting of settings) emit({ ...setting, value: setting.value ?? null });
      return;
    }
    const width = Math.max(...settings.map((s) => s.path.length));
    for (const { path, value, origin } of settings) {
      process.stdout.write(`${path.padEnd(width)}  ${show(value)}${from(origin)}\n`);
    }
  });
}

const show = (value: unknown): string =>
  value === undefined ? '–' : Array.isArray(value) ? value.join(',') || '–' : String(value);
const from = (origin: Origin): string => (origin === 'default' ? '' : `  (${origin})`);
