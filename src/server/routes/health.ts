import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { JOB_STATES } from '../../jobs/jobRecord.js';
import type { App, Context } from '../context.js';
import type { HealthReport } from '../health/healthMonitor.js';
import { failureSchema } from '../resource.js';

const optionalNumber = z.number().optional();
export const gpuSchema = z
  .object({
    index: z.int(),
    name: z.string(),
    vendor: z.string(),
    uuid: z.string().optional(),
    memoryTotalBytes: optionalNumber,
    memoryUsedBytes: optionalNumber,
    memoryFreeBytes: optionalNumber,
    utilization: optionalNumber.describe('0…1'),
    temperatureCelsius: optionalNumber,
    powerWatts: optionalNumber,
    powerLimitWatts: optionalNumber,
    graphicsClockHertz: optionalNumber,
    memoryClockHertz: optionalNumber,
    throttleReasons: z.array(z.string()).optional(),
    eccErrors: optionalNumber,
    lastXid: optionalNumber,
    error: z.string().optional().describe('A query that this GPU supports failed.'),
  })
  .meta({ id: 'Gpu' });

export const healthSchema = z
  .object({
    status: z.enum(['healthy', 'unhealthy', 'stopping']),
    reasons: z.array(z.string()).describe('Why it is not healthy.'),
    version: z.string(),
    uptimeSeconds: z.number(),
    adapter: z.record(z.string(), z.unknown()).nullable().describe('The WebGPU adapter of the first worker.'),
    facts: z.record(z.string(), z.unknown()).describe('What was found when the server started.'),
    gpus: z.array(gpuSchema).describe('Live figures; a figure that the driver does not offer is absent.'),
    selfTest: z
      .object({ ok: z.boolean(), seconds: z.number(), ageSeconds: z.number(), failure: failureSchema.optional() })
      .nullable()
      .describe('The last small compute job whose numbers were checked.'),
    queue: z.object({ depth: z.int(), running: z.int(), jobs: z.record(z.enum(JOB_STATES), z.int()) }).nullable(),
    workers: z.array(
      z.object({
        id: z.uuid(),
        host: z.string(),
        version: z.string(),
        own: z.boolean().describe('Runs within this server.'),
        silentSeconds: z.number(),
        slots: z.array(
          z.object({
            state: z.enum(['starting', 'idle', 'busy', 'stalled', 'broken', 'stopped']),
            adapter: z.record(z.string(), z.unknown()),
            job: z.string().optional(),
            silentSeconds: optionalNumber,
            restarts: z.int(),
            failure: failureSchema.optional(),
          }),
        ),
      }),
    ),
    disk: z.object({ freeBytes: z.number(), totalBytes: z.number() }).nullable(),
  })
  .meta({ id: 'Health' });

export function healthRoutes(app: App, context: Context): void {
  const { health, metrics } = context;
  const response = {
    200: healthSchema,
    503: healthSchema.describe('Something that is needed is broken; `reasons` says what.'),
  };

  const answer = (report: HealthReport): z.infer<typeof healthSchema> => {
    const stopping = context.stopping.aborted;
    const { jobs, selfTest, disk } = report;
    return {
      status: stopping ? 'stopping' : report.healthy ? 'healthy' : 'unhealthy',
      reasons: stopping ? ['The server is stopping', ...report.reasons] : report.reasons,
      version: report.version,
      uptimeSeconds: report.uptimeSeconds,
      adapter: report.workers.flatMap((w) => w.slots).find((s) => Object.keys(s.adapter).length > 0)?.adapter ?? null,
      facts: report.facts,
      gpus: report.gpus,
      selfTest: selfTest
        ? {
            ok: selfTest.ok,
            seconds: selfTest.seconds,
            ageSeconds: (Date.now() - selfTest.at.getTime()) / 1000,
            failure: selfTest.failure,
          }
        : null,
      queue: jobs ? { depth: jobs.queued, running: jobs.running, jobs } : null,
      workers: report.workers,
      disk: disk ? { freeBytes: disk.free, totalBytes: disk.total } : null,
    };
  };

  // Many may ask at once; what they get is the same text as long as the report is the same.
  let last: { report: HealthReport; stopping: boolean; status: number; text: string } | undefined;
  const send = (reply: FastifyReply, report: HealthReport): FastifyReply => {
    const stopping = context.stopping.aborted;
    if (last?.report !== report || last.stopping !== stopping) {
      const body = answer(report);
      const text = JSON.stringify(healthSchema.parse(body));
      last = { report, stopping, text, status: body.status === 'healthy' ? 200 : 503 };
    }
    return reply.code(last.status).header('cache-control', 'no-store').type('application/json').send(last.text);
  };

  app.get(
    '/health',
    {
      schema: {
        operationId: 'getHealth',
        tags: ['health'],
        summary: 'Health of everything the service needs, with live GPU figures',
        response,
      },
      config: { scope: 'public', rateLimit: false },
    },
    async (_request, reply) => send(reply, await health.report()),
  );

  app.get(
    '/health/live',
    {
      schema: {
        operationId: 'getLiveness',
        tags: ['health'],
        summary: 'The process answers',
        response: { 200: z.object({ status: z.literal('alive') }) },
      },
      config: { scope: 'public', rateLimit: false },
    },
    async () => ({ status: 'alive' as const }),
  );

  app.get(
    '/health/ready',
    {
      schema: {
        operationId: 'getReadiness',
        tags: ['health'],
        summary: 'Ready to take work: runs a small compute job and checks its numbers',
        description: 'The compute job is left out on workers whose real work makes progress.',
        response,
      },
      config: { scope: 'public', rateLimit: false },
    },
    async (_request, reply) => send(reply, await health.ready()),
  );

  app.get(
    '/metrics',
    {
      schema: { operationId: 'getMetrics', tags: ['health'], summary: 'Metrics in Prometheus form' },
      config: { rateLimit: false },
    },
    async (_request, reply) => {
      reply.type(metrics.registry.contentType);
      return reply.send(await metrics.text(await health.report()));
    },
  );
}
