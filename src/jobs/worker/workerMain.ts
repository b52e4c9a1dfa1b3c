/**
 * Main module of a worker process: one engine, one job at a time, spoken to over IPC. It ends with its parent, and at
 * the end of a job that a failing machine spoiled, since a device that was lost takes the process's later devices with
 * it.
 */
import { PlinthError, toFailure, toPlinthError } from '../../core/errors.js';
import { dieWithParent } from './dieWithParent.js';
import type { Engine, EngineTask } from './engine.js';
import type { FromWorker, ToWorker } from './messages.js';

const ALIVE_MS = 1_000;

dieWithParent();
const [engineModule, adapterText] = process.argv.slice(2);
const adapter = adapterText || undefined;

const send = (message: FromWorker): void => {
  process.send?.(message);
};
// Nobody would take the result any more, and the job is given to another worker.
process.on('disconnect', () => process.exit(1));
// Ctrl-C reaches the whole process group; the parent decides what happens to the job.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
process.on('uncaughtException', (error) => die(error));
process.on('unhandledRejection', (error) => die(error));

function die(error: unknown): void {
  const coded = toPlinthError(error);
  process.send?.(failed(coded), () => process.exit(coded.exitCode));
}

const failed = (error: PlinthError): FromWorker => ({
  type: 'failed',
  failure: toFailure(error),
  kind: error.kind,
  detail: error.stack,
});

let told = 0;
/** Tells the service that the work goes on, but not more than once a second. */
function alive(): void {
  const now = performance.now();
  if (now - told < ALIVE_MS) return;
  told = now;
  send({ type: 'alive' });
}

const { engine } = (await import(engineModule)) as { engine: Engine };
let cancel = new AbortController();
let stop = new AbortController();

process.on('message', (message: ToWorker) => {
  switch (message.type) {
    case 'run':
      void run(message.task);
      break;
    case 'cancel':
      cancel.abort(new PlinthError('CANCELLED', 'The job was cancelled'));
      break;
    case 'stop':
      stop.abort(new PlinthError('CANCELLED', 'The service stops'));
      break;
    case 'probe':
      engine
        .probe(adapter)
        .catch((error) => ({ ok: false, seconds: 0, failure: toFailure(error) }))
        .then((report) => send({ type: 'probed', id: message.id, report }));
      break;
  }
});

async function run(task: EngineTask): Promise<void> {
  cancel = new AbortController();
  stop = new AbortController();
  const log =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (facts: object, message?: string): void =>
      send({ type: 'log', level, facts, message });
  try {
    const runs = await engine.run(task, {
      progress: (event) => send({ type: 'progress', event }),
      alive,
      warn: (name, warning) => send({ type: 'warning', run: name, warning }),
      log: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
      signal: cancel.signal,
      stopping: stop.signal,
    });
    send({ type: 'done', runs });
  } catch (error) {
    const coded = toPlinthError(error);
    if (coded.kind === 'machine') die(coded);
    else send(failed(coded));
  }
}

send({
  type: 'ready',
  facts: await engine.describe(adapter).catch((error) => ({ failure: toPlinthError(error).toJSON() })),
});
