import type { Command } from 'commander';
import { addSettings } from '../serviceSettings.js';
import { whenRun } from '../whenRun.js';

export async function addConfig(program: Command): Promise<void> {
  const command = program
    .command('config')
    .description('print every setting of the service with its value and where that comes from')
    .option('--json', 'print as JSON');
  (await addSettings(command)).action(whenRun(async () => (await import('../actions/config.js')).runConfig));
}
