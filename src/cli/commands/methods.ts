import type { Command } from 'commander';
import { whenRun } from '../whenRun.js';

export function addMethods(program: Command): void {
  program
    .command('methods')
    .description('list the methods with every option, its range and default')
    .option('--json', 'print as JSON, options as JSON schema')
    .action(whenRun(async () => (await import('../actions/methods.js')).runMethods));
}
