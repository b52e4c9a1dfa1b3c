import { pino } from 'pino';
import { openService } from '../jobs/service.js';
import { keepPrivate } from '../platform/dataFolder.js';
import { HealthMonitor } from './health/healthMonitor.js';
import { unknownHealth } from './health/healthSource.js';
import { Metrics } from './health/metrics.js';
import { serveWorkerHealth } from './health/workerHealth.js';
import { type RunningServer, type ServeHooks, serviceOptions, startServer } from './serve.js';
import type { Settings } from './settings.js';
import { startTelemetry, traceAttempt } from './telemetry.js';

/** A clean stop that takes longer than this is given up; orchestrators kill after 10 s. */
const DEADLINE_MS = 9_500;

/** Runs the service until SIGTERM or Ctrl-C, then stops it cleanly and exits with 0. A second signal exits at once. */
export async function runServer(settings: Settings, hooks: ServeHooks = {}): Promise<RunningServer> {
  keepPrivate();
  const server = await startServer(settings, hooks);
  onSignal(() => server.close());
  return server;
}

/**
 * Runs workers without the API until SIGTERM or Ctrl-C: `plinth worker` on further machines, with the same PostgreSQL
 * and storage. Health and metrics are answered on `worker.healthPort` where that is set.
 * @throws `SETTINGS_INVALID` without a database that several processes can share, and what `openService` throws
 */
export async function runWorker(settings: Settings, hooks: ServeHooks = {}): Promise<void> {
  keepPrivate();
  const log = pino({ level: settings.log.level, base: { service: 'plinth-worker' } });
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
  const health = new HealthMonitor(service, hooks.health ?? unknownHealth, {
    onSelfTest: (test) => metrics.selfTest(test),
  });
  const stopHealth = await serveWorkerHealth({ settings, service, metrics, health, log }).catch(
    async (error: unknown) => {
      await service.close(0);
      throw error;
    },
  );
  await service.start();
  log.info({ worker: service.pool.id, database: service.db.kind, storage: service.artifacts.place }, 'taking jobs');
  onSignal(async () => {
    await stopHealth?.();
    await service.close();
    await telemetry?.stop();
  });
}

function onSignal(stop: () => Promise<void>): void {
  let asked = false;
  const handle = (): void => {
    if (asked) process.exit(1);
    asked = true;
    setTimeout(() => process.exit(1), DEADLINE_MS).unref();
    stop().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.on('SIGTERM', handle);
  process.on('SIGINT', handle);
}
