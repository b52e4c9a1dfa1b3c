/**
 * Runs the service as its own process for tests that kill it: `serve` or `worker`. Settings come from the environment.
 */
import { PlinthError } from '../../src/core/errors.js';
import { runServer, runWorker } from '../../src/server/run.js';
import { loadSettings } from '../../src/server/settings.js';

if (process.env.FAULT_FOLDER) await import('./faultPoints.js');

try {
  const settings = loadSettings().value;
  if (process.argv[2] === 'worker') {
    await runWorker(settings);
    console.log('ready worker');
  } else console.log(`ready ${(await runServer(settings)).url}`);
} catch (error) {
  if (!(error instanceof PlinthError)) throw error;
  console.log(JSON.stringify(error));
  process.exit(error.exitCode);
}
