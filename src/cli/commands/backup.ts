import type { Command } from 'commander';
import { addSettings } from '../serviceSettings.js';
import { whenRun } from '../whenRun.js';

export async function addBackup(program: Command): Promise<void> {
  const saving = program
    .command('backup')
    .description('write everything that the service keeps, database and files, into a folder')
    .argument('<folder>', 'the folder to make')
    .option('--json', 'print as JSON');
  (await addSettings(saving)).action(whenRun(async () => (await import('../actions/backup.js')).runBackup));

  const bringing = program
    .command('restore')
    .description('bring a backup back, into a service that is empty')
    .argument('<folder>', 'a folder that `plinth backup` made')
    .option('--json', 'print as JSON');
  (await addSettings(bringing)).action(whenRun(async () => (await import('../actions/backup.js')).runRestore));
}
