import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { PlinthError } from '../core/errors.js';
import { anyOf, command, setting, step } from '../core/remedy.js';
import { type JobService, openService, type ServiceOptions } from '../jobs/service.js';
import { isLoopback } from '../jobs/webhooks/privateAddress.js';
import { pruneAudit } from './access/audit.js';
import { KeyRing } from './access/keyRing.js';
import { offerOperatorAccess } from './access/operator.js';
import { Refusals } from './access/refusals.js';
import { Shares } from './access/shares.js';
import { Throttle } from './access/throttle.js';
import { buildApp } from './app.js';
import type { Context } from './context.js';
import { HealthMonitor } from './health/healthMonitor.js';
import { type HealthSource, unknownHealth } from './health/healthSource.js';
import { Metrics } from './health/metrics.js';
import { MethodAvailability } from './methodAvailability.js';
import { pathOf } from './recordRequests.js';
import type { Settings } from './settings.js';
import { startTelemetry, traceAttempt } from './telemetry.js';

/** Addresses in the log have no query: it may hold a secret. */
const serializers = {
  req: ({ method, url, id }: { method?: string; url?: string; id?: string }) => ({
    id,
    method,
    path: pathOf(url ?? ''),
  }),
};

/** Time for a clean stop. Orchestrators kill after 10 s. */
const GRACE_MS = 8_000;
/** For the audit log's last counts, should the database be slow. */
const FLUSH_MS = 1_000;
const PRUNE_MS = 6 * 3_600_000;

export interface ServeHooks {
  /** GPU facts and live figures. Default: nothing is known. */
  health?: HealthSource;
}

export interface RunningServer {
  /** Where it listens, such as `http://127.0.0.1:7878`. */
  url: string;
  service: JobService;
  /**
   * Stops: takes nothing new, lets running jobs reach a point to resume from, puts them back into the queue. At most 10
   * s.
   */
  close(): Promise<void>;
}

/**
 * Whether API keys are asked for. @throws `AUTHENTICATION_REQUIRED` where they are off on an address that others can
 * reach.
 */
export function isSecured(settings: Settings): boolean {
  const { mode, allowOpen } = settings.auth;
  const local = isLoopback(settings.host);
  if (mode === 'on') return true;
  if (mode === 'auto') return !local;
  if (local || allowOpen) return false;
  throw new PlinthError('AUTHENTICATION_REQUIRED', {
    found: `auth.mode is off, and ${settings.host} can be reached by others`,
    expected: 'API keys on, or a loopback address',
    remedy: anyOf(
      step`set ${setting('auth.mode', 'on')} and make a key with ${command('keys create')}`,
      step`to serve anybody, set ${setting('auth.allowOpen', 'true')}`,
    ),
    subject: 'auth.mode',
  });
}

/** What the job service takes from the settings. */
export function serviceOptions(settings: Settings, log: ServiceOptions['log']): ServiceOptions {
  const { storage } = settings;
  const { pixels, unpackedBytes, files } = settings.limits;
  return {
    data: settings.data,
    databaseUrl: settings.database.url,
    storage:
      storage.kind === 's3'
        ? { ...storage, kind: 's3', bucket: storage.bucket! }
        : { kind: 'folder', path: storage.path },
    adapters: settings.worker.adapters.map((adapter) => (adapter === 'auto' ? undefined : adapter)),
    engine: settings.worker.engine,
    ...settings.jobs,
    limits: { pixels, unpackedBytes, files },
    retention: settings.retention,
    webhooks: settings.webhooks,
    log,
  };
}

/**
 * Starts the service: database, storage, workers, HTTP. The GPU is to be validated before.
 * @throws `AUTHENTICATION_REQUIRED`, `LISTEN_FAILED`, and what `openService` throws
 */
export async function startServer(settings: Settings, hooks: ServeHooks = {}): Promise<RunningServer> {
  const secured = isSecured(settings);
  const log = pino({
    level: settings.log.level,
    base: { service: 'plinth' },
    redact: ['req.headers.authorization'],
    serializers,
  });
  const metrics = new Metrics();
  const telemetry = settings.telemetry.endpoint ? startTelemetry(settings.telemetry.endpoint, log) : undefined;
  const service = await openService({
    ...serviceOptions(settings, log),
    onEnd: (end) => {
      metrics.attempt(end);
      health.attempt(end);
      traceAttempt(end);
    },
  });
  const stopping = new AbortController();
  const health = new HealthMonitor(service, hooks.health ?? unknownHealth, {
    onSelfTest: (test) => metrics.selfTest(test),
  });
  const context: Context = {
    settings,
    service,
    health,
    metrics,
    availability: new MethodAvailability(settings.worker.adapters.length > 0, () =>
      service.pool.states().map(({ adapter }) => adapter),
    ),
    keys: new KeyRing(service.db),
    refusals: new Refusals(service.db, (error) => log.error({ err: error }, 'the audit log cannot be written')),
    throttle: new Throttle(settings.limits.failuresPerMinute),
    secured,
    stopping: stopping.signal,
    uploads: { count: 0 },
    streams: new Shares(settings.limits.eventStreams, settings.limits.eventStreamsPerKey),
  };
  const { keys } = context;
  const prune = (): void => {
    pruneAudit(service.db, settings.audit.days).catch((error) =>
      log.warn({ err: error }, 'the audit log cannot be pruned'),
    );
  };
  let app: Awaited<ReturnType<typeof buildApp>> | undefined;
  let pruning: NodeJS.Timeout | undefined;
  try {
    app = await buildApp(context, log);
    const url = await app.listen({ host: settings.host, port: settings.port });
    await keys.start();
    const withdrawAccess = await offerOperatorAccess(resolve(settings.data), {
      url: reachable(url),
      key: keys.operatorKey,
    });
    await service.start();
    health.start();
    prune();
    pruning = setInterval(prune, PRUNE_MS).unref();
    log.info({ url, secured, database: service.db.kind, storage: service.artifacts.place }, 'listening');
    const running = app;
    let closing: Promise<void> | undefined;
    return {
      url,
      service,
      close() {
        closing ??= (async () => {
          log.info('stopping');
          stopping.abort();
          health.stop();
          clearInterval(pruning);
          await withdrawAccess();
          await keys.stop();
          await Promise.race([context.refusals.flush(), sleep(FLUSH_MS, undefined, { ref: false })]);
          // Requests and jobs end side by side; the database goes last.
          const drained = Promise.race([
            running.close(),
            new Promise<void>((done) => setTimeout(done, GRACE_MS).unref()),
          ]);
          await Promise.all([drained, service.close(GRACE_MS)]);
          await telemetry?.stop();
          log.info('stopped');
        })();
        return closing;
      },
    };
  } catch (error) {
    clearInterval(pruning);
    await app?.close();
    await keys.stop();
    await service.close(0);
    throw listenFailed(settings.host, settings.port, error);
  }
}

/** Where this machine reaches a server that listens on all its addresses. */
const reachable = (url: string): string => url.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:');

/** `LISTEN_FAILED` where the address is at fault; any other error as it is. */
export function listenFailed(host: string, port: number, error: unknown): unknown {
  const { code } = error as { code?: string };
  if (code !== 'EADDRINUSE' && code !== 'EACCES' && code !== 'EADDRNOTAVAIL') return error;
  return new PlinthError('LISTEN_FAILED', {
    found: `${host}:${port} cannot be listened on (${code})`,
    remedy: 'Choose another port or host in the settings',
    subject: 'port',
    cause: error,
  });
}
