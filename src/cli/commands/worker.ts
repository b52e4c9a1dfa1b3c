import type { Command } from 'commander';
import { pino } from 'pino';
import { PlinthError } from '../../core/errors.js';
import { checkGpu } from '../../server/health/checkGpu.js';
import { runWorker } from '../../server/run.js';
import { addSettings, settingsOf } from '../serviceSettings.js';
import { hasStarted, stopWhileStarting } from '../stopWhileStarting.js';

export function addWorker(program: Command): void {
  const command = program
    .command('worker')
    .description('run jobs for a server elsewhere: the same PostgreSQL and storage, no API');
  addSettings(command).action(async () => {
    stopWhileStarting();
    const settings = settingsOf(command).value;
    if (!settings.database.url) {
      throw new PlinthError('SETTINGS_INVALID', {
        found: 'There is no database.url: the embedded database serves one process',
        expected: 'the PostgreSQL that the server uses',
        remedy: 'Set DATABASE_URL here and for the server',
        subject: 'database.url',
      });
    }
    const log = pino({ level: settings.log.level, base: { service: 'plinth-worker' } });
    const checked = await checkGpu(settings, log);
    await runWorker(checked.settings, { health: checked.health });
    hasStarted();
  });
}
