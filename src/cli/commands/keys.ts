import { type Command, Option } from 'commander';
import { SCOPES } from '../../api/scopes.js';
import { withPlace } from '../place.js';
import { numberFlag } from '../terminal.js';
import { whenRun } from '../whenRun.js';

export function addKeys(program: Command): void {
  const keys = program
    .command('keys')
    .description(
      'make, list and revoke API keys, also while the service runs: read sees jobs, submit also starts and ' +
        'ends them, admin sees all jobs and manages keys',
    );

  withPlace(keys.command('create').description('make a key and print it; it is not shown again'))
    .requiredOption('--name <name>', 'who or what it is for')
    .addOption(new Option('--scope <scope>', 'what it may do').choices(SCOPES).default('submit'))
    .option('--project <name>', "keys of one project see each other's jobs; without one a key sees its own")
    .option('--quota-jobs <n>', 'jobs that may wait or run', numberFlag('--quota-jobs'))
    .option('--quota-running-jobs <n>', 'jobs that may run at the same time', numberFlag('--quota-running-jobs'))
    .option('--quota-stored-bytes <n>', 'bytes that its jobs may hold', numberFlag('--quota-stored-bytes'))
    .option('--quota-gpu-seconds <n>', 'seconds that its jobs may run in a day', numberFlag('--quota-gpu-seconds'))
    .action(whenRun(async () => (await import('../actions/keys.js')).runKeysCreate));

  withPlace(
    keys
      .command('webhook-secret')
      .description('make a new secret that signs webhooks and print it; for a day messages carry both signatures'),
  ).action(whenRun(async () => (await import('../actions/keys.js')).runRotateWebhookSecret));

  withPlace(keys.command('list').description('list the keys, without their text')).action(
    whenRun(async () => (await import('../actions/keys.js')).runKeysList),
  );

  withPlace(
    keys.command('revoke').description('revoke a key for good').argument('<id>', 'as `plinth keys list` shows'),
  ).action(whenRun(async () => (await import('../actions/keys.js')).runKeysRevoke));
}
