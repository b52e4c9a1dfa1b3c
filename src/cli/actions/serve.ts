import type { Command } from 'commander';
import { pino } from 'pino';
import { checkGpu } from '../../server/health/checkGpu.js';
import { runServer } from '../../server/run.js';
import { isSecured } from '../../server/serve.js';
import { settingsOf } from '../settingsOf.js';
import { hasStarted, stopWhileStarting } from '../stopWhileStarting.js';

export async function runServe(_: unknown, command: Command): Promise<void> {
  stopWhileStarting();
  const settings = settingsOf(command).value;
  // A refusal for its settings should not wait for the GPU.
  const secured = isSecured(settings);
  const log = pino({ level: settings.log.level, base: { service: 'plinth' } });
  const checked = await checkGpu(settings, log);
  const { url } = await runServer(checked.settings, { health: checked.health });
  hasStarted();
  if (process.stderr.isTTY) {
    const keys = secured ? ' API keys are needed: `plinth keys create`.' : '';
    process.stderr.write(`\n  Plinth is ready at ${url}${keys} Ctrl-C stops it.\n\n`);
  }
}
