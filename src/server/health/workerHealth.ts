import fastify, { LogController } from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Logger } from 'pino';
import type { JobService } from '../../jobs/service.js';
import { KeyRing } from '../apiKeys.js';
import { handleErrors, requireKeys } from '../app.js';
import type { App, Context } from '../context.js';
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
 * Answers for a worker without the API what orchestrators and Prometheus ask: health and metrics, on `worker.healthPort`.
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
    keys: new KeyRing(service.db),
    secured,
    stopping: stopping.signal,
    uploads: { count: 0 },
  };
  const app: App = fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: true,
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  requireKeys(app, context);
  handleErrors(app);
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
    await app.close();
  };
}
