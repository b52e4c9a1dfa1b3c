import type { Command } from 'commander';
import { whenRun } from '../whenRun.js';

export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description(
      "show this machine's adapters, limits and drivers, test what they compute (also at the sizes of networks), " +
        'and say what to do about each failure',
    )
    .option('--fix', 'set up the software Vulkan driver where no adapter answers (no root needed)')
    .option('--adapter-only', 'only say whether an adapter answers; no self-test')
    .option('--json', 'print the diagnosis as JSON')
    .action(whenRun(async () => (await import('../actions/doctor.js')).runDoctor));
}
