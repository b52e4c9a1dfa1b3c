/**
 * The commands of `plinth`, and the run of the one that was asked for. What is imported here is loaded for every
 * command line, help included: the words of the commands. What a command does is in `actions/`, loaded when it is run.
 */
import { Command } from 'commander';
import { VERSION } from '../core/version.js';
import { addAssess } from './commands/assess.js';
import { addAudit } from './commands/audit.js';
import { addBackup } from './commands/backup.js';
import { addCameras } from './commands/cameras.js';
import { addConfig } from './commands/config.js';
import { addConvert } from './commands/convert.js';
import { addDoctor } from './commands/doctor.js';
import { addInspect } from './commands/inspect.js';
import { addKeys } from './commands/keys.js';
import { addMethods } from './commands/methods.js';
import { addReconstruct } from './commands/reconstruct.js';
import { addRender } from './commands/render.js';
import { addServe } from './commands/serve.js';
import { addWeights } from './commands/weights.js';
import { addWorker } from './commands/worker.js';
import { fail } from './terminal.js';

const program = new Command('plinth')
  .description('From pictures of an object to a measured, textured 3D asset.')
  .version(VERSION)
  .showHelpAfterError()
  .showSuggestionAfterError()
  .configureOutput({ outputError: (text, write) => write(text) })
  .exitOverride((error) => {
    process.exit(error.exitCode === 0 ? 0 : 2);
  });

program.hook('preAction', async () => {
  const { checkEnvironment } = await import('../server/settings.js');
  checkEnvironment();
});

addReconstruct(program);
addInspect(program);
addCameras(program);
addConvert(program);
addRender(program);
addAssess(program);
addMethods(program);
addDoctor(program);
addWeights(program);
await addServe(program);
await addWorker(program);
addKeys(program);
addAudit(program);
await addConfig(program);
await addBackup(program);

try {
  await program.parseAsync();
} catch (error) {
  fail(error, process.argv.includes('--json'));
}
