import type { Command } from 'commander';
import { addSettings } from '../serviceSettings.js';
import { whenRun } from '../whenRun.js';

export async function addWorker(program: Command): Promise<void> {
  const command = program
    .command('worker')
    .description('run jobs for a server elsewhere: the same PostgreSQL and storage, no API');
  (await addSettings(command)).action(whenRun(async () => (await import('../actions/worker.js')).runWorker));
}
