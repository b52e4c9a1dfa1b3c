import type { Command } from 'commander';
import { withPlace } from '../place.js';
import { numberFlag } from '../terminal.js';
import { whenRun } from '../whenRun.js';

export function addAudit(program: Command): void {
  withPlace(
    program
      .command('audit')
      .description('show who changed what in the service, or was refused, when and from where, newest first'),
  )
    .option('--limit <n>', 'entries to show', numberFlag('--limit'), 100)
    .option('--action <operation>', 'only this operation, such as deleteJob')
    .option('--refused', 'only requests that were refused')
    .action(whenRun(async () => (await import('../actions/audit.js')).runAudit));
}
