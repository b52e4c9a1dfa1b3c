import type { Command } from 'commander';
import { addSettings } from '../serviceSettings.js';
import { whenRun } from '../whenRun.js';

export async function addServe(program: Command): Promise<void> {
  const command = program
    .command('serve')
    .description(
      'serve reconstruction over HTTP with a page, API and job queue; the GPU is validated before it listens',
    );
  (await addSettings(command)).action(whenRun(async () => (await import('../actions/serve.js')).runServe));
}
