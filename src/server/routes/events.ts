import type { SSEMessage } from '@fastify/sse';
import { z } from 'zod';
import { remedyOf, toFailureResource } from '../../api/remedy.js';
import { type Failure, PlinthError } from '../../core/errors.js';
import type { Remedy } from '../../core/remedy.js';
import { isFinished, type JobEvent } from '../../jobs/jobRecord.js';
import { visibleJob } from '../access/guard.js';
import type { App, Context } from '../context.js';
import { jobParams } from './jobs.js';

/** What browsers wait before they connect again. */
const RETRY_MS = 2_000;

export function eventRoutes(app: App, context: Context): void {
  const { store, events } = context.service;

  app.get(
    '/v1/jobs/:id/events',
    {
      sse: 'only',
      schema: {
        operationId: 'watchJob',
        tags: ['jobs'],
        summary: 'Follow a job (server-sent events)',
        description:
          'All events of the job so far, then new ones as they come, until it ends. Types: `state` (state, ' +
          'failure), `progress` (stage, fractions, remaining seconds, metrics), `preview` (name, url), ' +
          '`warning`. Ids count from 1: with `Last-Event-ID` (or `after`) only later ones are sent. A job ' +
          'that has ended and has nothing new answers 204, which tells browsers not to connect again.',
        params: jobParams,
        querystring: z.object({ after: z.coerce.number().int().min(0).optional().describe('Like Last-Event-ID.') }),
        headers: z.object({ 'last-event-id': z.string().max(20).optional() }),
      },
      config: { errors: ['JOB_NOT_FOUND', 'NOT_ACCEPTABLE'] },
      onRequest: async (request) => {
        const { accept } = request.headers;
        if (accept === undefined || /text\/event-stream|text\/\*|\*\/\*/.test(accept)) return;
        throw new PlinthError('NOT_ACCEPTABLE', {
          found: `Accept is ${accept}`,
          expected: 'text/event-stream',
          subject: 'Accept',
        });
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const given = Number(request.headers['last-event-id'] ?? request.query.after ?? 0);
      let seen = Number.isInteger(given) && given >= 0 ? given : 0;
      const first = await visibleJob(request, context, id);
      if (isFinished(first.state) && seen >= first.lastEvent) {
        reply.code(204);
        return reply.send();
      }
      // After a retry the numbers go on, so a client is never ahead; a job that was made anew begins again.
      if (seen > first.lastEvent) seen = 0;
      const gone = new AbortController();
      const signal = AbortSignal.any([gone.signal, context.stopping]);
      reply.sse.onClose(() => gone.abort());
      reply.header('x-accel-buffering', 'no');
      const stream = async function* (): AsyncGenerator<SSEMessage> {
        yield { event: 'hello', data: { job: id }, retry: RETRY_MS };
        while (!signal.aborted) {
          const changed = events.changed(id, signal);
          const news = await store.events(id, seen);
          for (const event of news) {
            seen = event.seq;
            yield toMessage(id, event);
            if (signal.aborted) return;
          }
          if (news.length === 0) {
            const job = await store.get(id).catch(() => undefined);
            if (!job || (isFinished(job.state) && seen >= job.lastEvent)) return;
            await changed;
          }
        }
      };
      await reply.sse.send(stream());
    },
  );
}

function toMessage(job: string, { seq, type, data, at }: JobEvent): SSEMessage {
  const extra: Record<string, unknown> = {};
  if (type === 'preview') extra.url = `/v1/jobs/${job}/previews/${data.name}`;
  if (type === 'warning') Object.assign(extra, remedyOf(data.remedy as Remedy | undefined));
  if (data.failure) extra.failure = toFailureResource(data.failure as Failure);
  return { id: String(seq), event: type, data: { ...data, ...extra, at: at.toISOString() } };
}
