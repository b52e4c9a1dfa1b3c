import fastify, { LogController } from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Logger } from 'pino';
import type { JobService } from '../../jobs/service.js';
import { auditRefusals } from '../access/auditRefusals.js';
import { requireKeys } from '../access/guard.js';
import { guardHosts } from '../access/hosts.js';
import { KeyRing } from '../access/keyRing.js';
import { Refusals } from '../access/refusals.js';
import { Shares } from '../access/shares.js';
import { Throttle } from '../access/throttle.js';
import { handleErrors } from '../answerErrors.js';
import type { App, Context } from '../context.js';
import { MethodAvailability } from '../methodAvailability.js';
import { healthRoutes } from '../routes/health.js';
import { isSecured, listenFailed } from '../serve.js';
import type { Settings } from '../settings.js';
import type { HealthMonitor } from './healthMonitor.js';
import type { Metrics } from './metrics.js';

export interface WorkerHealthOptions {
  settings: Settings;
  service: JobService;
  metrics: Metrics;
  health: HealthMonitor;
  log: Logger;
}

/**
 * Answers for a worker without the API what orchestrators and Prometheus ask: health and metrics, on
 * `worker.healthPort`.
 * @returns how to stop; undefined where no port is set
 * @throws `AUTHENTICATION_REQUIRED`, `LISTEN_FAILED`
 */
export async function serveWorkerHealth(options: WorkerHealthOptions): Promise<(() => Promise<void>) | undefined> {
  const { settings, service, metrics, health, log } = options;
  const port = settings.worker.healthPort;
  if (port === undefined) return undefined;
  const secured = isSecured(settings);
  const stopping = new AbortController();
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
  const app: App = fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: true,
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  handleErrors(app);
  auditRefusals(app, context);
  guardHosts(app as never, settings);
  requireKeys(app, context);
  healthRoutes(app, context);
  try {
    const url = await app.listen({ host: settings.host, port });
    log.info({ url }, 'health is answered');
  } catch (error) {
    await app.close();
    throw listenFailed(settings.host, port, error);
  }
  health.start();
  return async () => {
    stopping.abort();
    health.stop();
    await context.refusals.flush();
    await app.close();
  };
}
