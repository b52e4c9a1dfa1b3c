/**
 * The `plinth` command. Exit codes: 0 success; 2 the input or an option is at fault; 3 the installation's settings; 4 GPU, driver, disk or
 * memory; 5 the work succeeded but its quality is `failure` and `--fail-on` asks for that; 10 to 16 the service demands a GPU that is not
 * there or not fit (`EXIT_CODES`); 70 a defect of Plinth; 130 cancelled.
 */
import { stopWhileStarting } from './stopWhileStarting.js';

// The first process of a container: before the rest is loaded, which takes a moment. Elsewhere signals do what they usually do.
if (process.pid === 1) stopWhileStarting();
await import('./program.js');
