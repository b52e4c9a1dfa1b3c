import type { Command } from 'commander';
import { addCaptureOptions } from '../captureOptions.js';
import { whenRun } from '../whenRun.js';

export function addAssess(program: Command): void {
  const command = program
    .command('assess')
    .description('measure an asset (.glb) against the pictures of a capture in the same frame')
    .argument('<asset>', 'a GLB file')
    .argument('<capture>', 'the capture')
    .option('-o, --output <folder>', 'write renders and error maps there')
    .option('--adapter <choice>', 'which adapter (see `plinth doctor`)')
    .option('--json', 'print the assessment as JSON');
  addCaptureOptions(command);
  command.action(whenRun(async () => (await import('../actions/assess.js')).runAssess));
}
