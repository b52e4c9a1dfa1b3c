import type { Command } from 'commander';
import { pino } from 'pino';
import { checkGpu } from '../../server/health/checkGpu.js';
import { runServer } from '../../server/run.js';
import { isSecured } from '../../server/serve.js';
import { addSettings, settingsOf } from '../serviceSettings.js';
import { hasStarted, stopWhileStarting } from '../stopWhileStarting.js';

export function addServe(program: Command): void {
  const command = program
    .command('serve')
    .description(
      'serve reconstruction over HTTP with a page, API and job queue; the GPU is validated before it listens',
    );
  addSettings(command).action(async () => {
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
  });
}
