import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Span } from '@opentelemetry/api';
import type { FastifyInstance, FastifyRequest, RawServerDefault } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Logger } from 'pino';
import type { Scope } from '../api/scopes.js';
import type { ErrorCode } from '../core/errors.js';
import type { JobService } from '../jobs/service.js';
import type { ApiKey } from './access/apiKeys.js';
import type { KeyRing } from './access/keyRing.js';
import type { Refusals } from './access/refusals.js';
import type { Shares } from './access/shares.js';
import { groupOf, type Throttle } from './access/throttle.js';
import type { HealthMonitor } from './health/healthMonitor.js';
import type { Metrics } from './health/metrics.js';
import type { MethodAvailability } from './methodAvailability.js';
import type { Settings } from './settings.js';

/** What routes are given. */
export interface Context {
  settings: Settings;
  service: JobService;
  health: HealthMonitor;
  metrics: Metrics;
  keys: KeyRing;
  /** Which methods cannot run here. */
  availability: MethodAvailability;
  /** Requests that were refused, for the audit log. */
  refusals: Refusals;
  /** Failures of each client. */
  throttle: Throttle;
  /** API keys are asked for. */
  secured: boolean;
  /** Aborted when the server begins to stop: streams end, nothing new is taken. */
  stopping: AbortSignal;
  /** Uploads on their way. */
  uploads: { count: number };
  /** Open streams of events. */
  streams: Shares;
}

export type App = FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse, Logger, ZodTypeProvider>;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Scope that the route needs; `public` = none, `optional` = none, and a key shows more. Default `read`. */
    scope?: Scope | 'public' | 'optional';
    /** Makes, lists or revokes keys, or makes another secret: nobody may while keys are off. */
    managesKeys?: boolean;
    /** Left out of the audit log, though it changes something. */
    unaudited?: boolean;
    /** Codes that the route may answer with, besides those that every route may. */
    errors?: ErrorCode[];
  }
  interface FastifyRequest {
    /** Code of the error that it is answered with. */
    refusal?: ErrorCode;
    /** It asks for a job that is there, and another's. */
    hidden?: boolean;
    /** The API key of the request, where keys are on. */
    apiKey?: ApiKey;
    /** Where traces are configured. */
    span?: Span;
  }
}

/** Who asks, for idempotency keys and uploads: keys do not see each other's. */
export const ownerOf = (request: FastifyRequest): string => request.apiKey?.id ?? 'open';

/** Who asks, for limits: the key, or where no key is asked for the address. */
export const clientOf = (request: FastifyRequest): string => request.apiKey?.id ?? groupOf(request.ip);
