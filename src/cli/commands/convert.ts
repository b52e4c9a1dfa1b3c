import { type Command, Option } from 'commander';
import { CONVERT_FORMATS } from '../../capture/convert/formats.js';
import { addCaptureOptions } from '../captureOptions.js';
import { whenRun } from '../whenRun.js';

export function addConvert(program: Command): void {
  const command = program
    .command('convert')
    .description(
      'write what is understood of a capture as a clean one: undistorted pictures, pinhole cameras, masks, depth',
    )
    .argument('<capture>', 'the capture')
    .requiredOption('-o, --output <folder>', 'a new folder')
    .addOption(new Option('--to <format>', 'form of the cameras').choices(CONVERT_FORMATS).default('transforms'))
    .option('--json', 'print as JSON');
  addCaptureOptions(command);
  command.action(whenRun(async () => (await import('../actions/convert.js')).runConvert));
}
