/**
 * The `plinth` command. Exit codes: 0 success; 2 the input or an option is at fault; 3 the installation's settings; 4
 * GPU, driver, disk or memory; 5 the work succeeded but its quality is `failure` and `--fail-on` asks for that; 10 to
 * 16 the service demands a GPU that is not there or not fit (`EXIT_CODES`); 70 a defect of Plinth; 130 cancelled.
 */
import { stopWhileStarting } from './stopWhileStarting.js';

// Before the rest is loaded, which takes a moment: a service that is stopped ends with 0, and the first process of a
// container ignores signals that have no handler. Elsewhere signals do what they usually do.
const service = process.argv.slice(2).some((word) => word === 'serve' || word === 'worker');
if (service || process.pid === 1) stopWhileStarting();
await import('./program.js');
