import type { Command } from 'commander';
import { addCaptureOptions, addObjectOptions } from '../captureOptions.js';
import { whenRun } from '../whenRun.js';

export function addInspect(program: Command): void {
  const command = program
    .command('inspect')
    .description('show what is understood of a capture: cameras, masks, depth ranges, warnings')
    .argument('<capture>', 'the capture')
    .option('-o, --output <folder>', 'write cameras.png and views.png there')
    .option('--json', 'print as JSON');
  addObjectOptions(command);
  addCaptureOptions(command);
  command.action(whenRun(async () => (await import('../actions/inspect.js')).runInspect));
}
