import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { type Health, healthSchema } from '../../api/health.js';
import { toFailureResource } from '../../api/remedy.js';
import { isAdmin } from '../access/guard.js';
import type { App, Context } from '../context.js';
import type { HealthReport } from '../health/healthMonitor.js';
import { publicHealth } from '../health/publicHealth.js';

export function healthRoutes(app: App, context: Context): void {
  const { health, metrics } = context;
  const response = {
    200: healthSchema,
    503: healthSchema.describe('Something that is needed is broken; `reasons` says what.'),
  };

  const answer = (report: HealthReport): Health => {
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
            failure: selfTest.failure && toFailureResource(selfTest.failure),
          }
        : null,
      queue: jobs ? { depth: jobs.queued, running: jobs.running, jobs } : null,
      workers: report.workers.map((worker) => ({
        ...worker,
        slots: worker.slots.map((slot) => ({ ...slot, failure: slot.failure && toFailureResource(slot.failure) })),
      })),
      disk: disk ? { freeBytes: disk.free, totalBytes: disk.total } : null,
    };
  };

  // Many may ask at once; what they get is the same text as long as the report is the same.
  interface Answer {
    report: HealthReport;
    stopping: boolean;
    status: number;
    texts: { all: string; public: string };
  }
  let last: Answer | undefined;
  const send = (request: FastifyRequest, reply: FastifyReply, report: HealthReport): FastifyReply => {
    const stopping = context.stopping.aborted;
    if (last?.report !== report || last.stopping !== stopping) {
      const body = answer(report);
      const text = (health: Health): string => JSON.stringify(healthSchema.parse(health));
      const texts = { all: text(body), public: text(publicHealth(body)) };
      last = { report, stopping, texts, status: body.status === 'healthy' ? 200 : 503 };
    }
    const { status, texts } = last;
    const text = isAdmin(request, context) ? texts.all : texts.public;
    return reply.code(status).header('cache-control', 'no-store').type('application/json').send(text);
  };

  app.get(
    '/health',
    {
      schema: {
        operationId: 'getHealth',
        tags: ['health'],
        summary: 'Health of everything the service needs, with live GPU figures',
        description: 'Where keys are on, hosts, ids of jobs and messages are told to admins alone.',
        response,
      },
      config: { scope: 'optional', rateLimit: false },
    },
    async (request, reply) => send(request, reply, await health.report()),
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
      config: { scope: 'optional', rateLimit: false },
    },
    async (request, reply) => send(request, reply, await health.ready()),
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
