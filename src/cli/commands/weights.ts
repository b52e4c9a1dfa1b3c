import { type Command, Option } from 'commander';
import { whenRun } from '../whenRun.js';

/** The commands for weights of networks. */
export function addWeights(program: Command): void {
  const weights = program
    .command('weights')
    .description('list, fetch and check the network weights that the method reconviagen reads');
  const add = (name: string, description: string): Command =>
    weights
      .command(name)
      .description(description)
      .argument('[method]', 'whose weights', 'reconviagen')
      .addOption(new Option('--weights <folder>', 'folder of weights; default: weights in the cache folder'))
      .option('--json', 'print as JSON');

  add('list', 'list the files, whether they are here, and their licences').action(
    whenRun(async () => (await import('../actions/weights.js')).runWeightsList),
  );
  add('path', 'print the folder of weights').action(
    whenRun(async () => (await import('../actions/weights.js')).runWeightsPath),
  );
  add('verify', 'read every file: size, SHA-256, and the header strictly').action(
    whenRun(async () => (await import('../actions/weights.js')).runWeightsVerify),
  );
  add('download', 'show the licences, and fetch what lacks; goes on where an earlier one stopped')
    .option('--accept-licences', 'the licences shown are accepted')
    .option('--optional', 'also what the method runs without')
    .action(whenRun(async () => (await import('../actions/weights.js')).runWeightsDownload));
}
