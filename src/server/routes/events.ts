import type { ServerResponse } from 'node:http';
import type { SSEMessage } from '@fastify/sse';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { remedyOf, toFailureResource } from '../../api/remedy.js';
import { type Failure, PlinthError } from '../../core/errors.js';
import { anyOf, type Remedy, setting, step } from '../../core/remedy.js';
import { isFinished, type JobEvent } from '../../jobs/jobRecord.js';
import { visibleJob } from '../access/guard.js';
import { type App, type Context, clientOf } from '../context.js';
import { jobParams } from './jobs.js';

/** What browsers wait before they connect again. */
const RETRY_MS = 2_000;
/** A stream of which nothing was read for twice this long is ended. */
const UNREAD_MS = 30_000;

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
      // Nothing of the stream is wanted but that there is one.
      if (request.method === 'HEAD') return reply.type('text/event-stream').send('');
      const leave = takePlace(request, context);
      // After a retry the numbers go on, so a client is never ahead; a job that was made anew begins again.
      if (seen > first.lastEvent) seen = 0;
      const gone = new AbortController();
      const signal = AbortSignal.any([gone.signal, context.stopping]);
      reply.raw.once('close', () => {
        gone.abort();
        leave();
      });
      if (reply.raw.destroyed) leave();
      endUnread(reply.raw, signal);
      reply.header('x-accel-buffering', 'no');
      const stream = async function* (): AsyncGenerator<SSEMessage> {
        yield { event: 'hello', data: { job: id }, retry: RETRY_MS };
        while (!signal.aborted) {
          const changed = events.changed(id, signal);
          const tail = await store.tail(id);
          if (!tail || (tail.finished && seen >= tail.lastEvent)) return;
          if (seen >= tail.lastEvent) await changed;
          else {
            for (const event of await store.events(id, seen)) {
              seen = event.seq;
              yield toMessage(id, event);
              if (signal.aborted) return;
            }
          }
        }
      };
      await reply.sse.send(stream());
    },
  );
}

/** @throws `RATE_LIMITED` */
function takePlace(request: FastifyRequest, { streams, settings }: Context): () => void {
  const place = streams.take(clientOf(request));
  if (typeof place === 'function') return place;
  const { eventStreams, eventStreamsPerKey } = settings.limits;
  throw new PlinthError('RATE_LIMITED', {
    found: `${place.found} streams of events are open${place.each ? ', of this client alone' : ''}`,
    expected: `at most ${place.each ? eventStreamsPerKey : eventStreams}`,
    remedy: anyOf(
      step`end one of them, or ask for the job now and then`,
      step`raise ${setting(place.each ? 'limits.eventStreamsPerKey' : 'limits.eventStreams')}`,
    ),
  });
}

/** Ends an answer of which the client takes nothing: heartbeats alone would keep its connection for ever. */
function endUnread(answer: ServerResponse, signal: AbortSignal): void {
  let drained = false;
  let waited = false;
  answer.on('drain', () => {
    drained = true;
  });
  const timer = setInterval(() => {
    if (answer.writableNeedDrain && waited && !drained) answer.destroy();
    waited = answer.writableNeedDrain;
    drained = false;
  }, UNREAD_MS).unref();
  signal.addEventListener('abort', () => clearInterval(timer), { once: true });
}

function toMessage(job: string, { seq, type, data, at }: JobEvent): SSEMessage {
  const extra: Record<string, unknown> = {};
  if (type === 'preview') extra.url = `/v1/jobs/${job}/previews/${data.name}`;
  if (type === 'warning') Object.assign(extra, remedyOf(data.remedy as Remedy | undefined));
  if (data.failure) extra.failure = toFailureResource(data.failure as Failure);
  return { id: String(seq), event: type, data: { ...data, ...extra, at: at.toISOString() } };
}
