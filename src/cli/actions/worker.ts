import type { Command } from 'commander';
import { pino } from 'pino';
import { PlinthError } from '../../core/errors.js';
import { checkGpu } from '../../server/health/checkGpu.js';
import { runWorker as runJobs } from '../../server/run.js';
import { settingsOf } from '../settingsOf.js';
import { hasStarted, stopWhileStarting } from '../stopWhileStarting.js';

export async function runWorker(_: unknown, command: Command): Promise<void> {
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
  await runJobs(checked.settings, { health: checked.health });
  hasStarted();
}
