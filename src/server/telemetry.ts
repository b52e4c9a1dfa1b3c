import { randomBytes } from 'node:crypto';
import {
  type Attributes,
  type AttributeValue,
  context,
  type Exception,
  type HrTime,
  type Link,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  type SpanOptions,
  type SpanStatus,
  SpanStatusCode,
  type TimeInput,
  type Context as TraceContext,
  TraceFlags,
  type Tracer,
  type TracerProvider,
  trace,
} from '@opentelemetry/api';
import type { FastifyRequest } from 'fastify';
import type { Logger } from '../core/context.js';
import { VERSION } from '../core/version.js';
import type { AttemptEnd } from '../jobs/worker/attempt.js';

/** Spans are sent this often, in OTLP's JSON form over HTTP. */
const FLUSH_MS = 5_000;
const SEND_TIMEOUT_MS = 5_000;
/** Spans that wait while the receiver is away; beyond this the oldest are dropped. */
const WAITING = 5_000;

export interface Telemetry {
  /** Sends what waits and stops. */
  stop(): Promise<void>;
}

/** Makes this process record traces and send them to an OTLP/HTTP endpoint such as `http://collector:4318`. */
export function startTelemetry(endpoint: string, log: Logger): Telemetry {
  let waiting: object[] = [];
  const tracer = new OtlpTracer((span) => {
    waiting.push(span);
    if (waiting.length > WAITING) waiting.shift();
  });
  trace.setGlobalTracerProvider({ getTracer: () => tracer } satisfies TracerProvider);
  const url = `${endpoint.replace(/\/$/, '')}/v1/traces`;
  const flush = async (): Promise<void> => {
    if (waiting.length === 0) return;
    const spans = waiting;
    waiting = [];
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(envelope(spans)),
        signal: AbortSignal.timeout(SEND_TIMEOUT_MS),
      });
      if (!response.ok) throw new Error(`the receiver answered ${response.status}`);
    } catch (error) {
      waiting = [...spans, ...waiting].slice(-WAITING);
      log.warn({ err: error, endpoint }, 'traces could not be sent');
    }
  };
  const timer = setInterval(() => void flush(), FLUSH_MS);
  timer.unref();
  return {
    async stop() {
      clearInterval(timer);
      await flush();
      trace.disable();
    },
  };
}

const tracer = (): Tracer => trace.getTracer('plinth', VERSION);

/** The span of a request, a child of the caller's where it sent `traceparent` (W3C Trace Context). */
export function startRequestSpan(request: FastifyRequest): Span | undefined {
  const span = tracer().startSpan(
    request.method,
    {
      kind: SpanKind.SERVER,
      attributes: { 'http.request.method': request.method, 'url.path': request.url.split('?')[0] },
    },
    remoteParent(request.headers.traceparent),
  );
  return span.isRecording() ? span : undefined;
}

export function endRequestSpan({ span, id, method }: FastifyRequest, route: string, status: number): void {
  if (!span) return;
  span.updateName(`${method} ${route}`);
  span.setAttributes({ 'http.route': route, 'http.response.status_code': status, 'plinth.request.id': id });
  if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}

/** A span for an attempt, with one for each stage of its runs. */
export function traceAttempt({ job, state, failure, runs, seconds }: AttemptEnd): void {
  const end = Date.now();
  let at = end - seconds * 1000;
  const span = tracer().startSpan('job attempt', {
    startTime: at,
    attributes: { 'plinth.job.id': job.id, 'plinth.job.attempt': job.attempt, 'plinth.job.state': state },
  });
  if (!span.isRecording()) return;
  const inside = trace.setSpan(ROOT_CONTEXT, span);
  for (const run of runs) {
    for (const stage of run.stages) {
      const child = tracer().startSpan(stage.stage, { startTime: at, attributes: { 'plinth.run': run.name } }, inside);
      at += stage.seconds * 1000;
      child.end(at);
    }
  }
  if (failure) span.setStatus({ code: SpanStatusCode.ERROR, message: failure.code });
  span.end(end);
}

function remoteParent(header: unknown): TraceContext {
  const match = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(String(header ?? ''));
  if (!match || /^0+$/.test(match[1]) || /^0+$/.test(match[2])) return ROOT_CONTEXT;
  const parent: SpanContext = {
    traceId: match[1],
    spanId: match[2],
    traceFlags: Number.parseInt(match[3], 16),
    isRemote: true,
  };
  return trace.setSpanContext(ROOT_CONTEXT, parent);
}

class OtlpTracer implements Tracer {
  constructor(private readonly finished: (span: object) => void) {}

  startSpan(name: string, options: SpanOptions = {}, parent: TraceContext = context.active()): Span {
    return new RecordedSpan(name, options, options.root ? undefined : trace.getSpanContext(parent), this.finished);
  }

  startActiveSpan<F extends (span: Span) => unknown>(name: string, ...rest: unknown[]): ReturnType<F> {
    const work = rest.pop() as F;
    const [options, parent = context.active()] = rest as [SpanOptions?, TraceContext?];
    const span = this.startSpan(name, options, parent);
    return context.with(trace.setSpan(parent, span), () => work(span)) as ReturnType<F>;
  }
}

class RecordedSpan implements Span {
  private readonly own: SpanContext;
  private readonly start: number;
  private readonly attributes: Attributes;
  private readonly events: { name: string; timeUnixNano: string; attributes: object[] }[] = [];
  private status: SpanStatus = { code: SpanStatusCode.UNSET };
  private over = false;

  constructor(
    private name: string,
    private readonly options: SpanOptions,
    private readonly parent: SpanContext | undefined,
    private readonly finished: (span: object) => void,
  ) {
    this.own = {
      traceId: parent?.traceId ?? randomBytes(16).toString('hex'),
      spanId: randomBytes(8).toString('hex'),
      traceFlags: TraceFlags.SAMPLED,
    };
    this.start = milliseconds(options.startTime);
    this.attributes = { ...options.attributes };
  }

  spanContext(): SpanContext {
    return this.own;
  }

  setAttribute(key: string, value: AttributeValue): this {
    this.attributes[key] = value;
    return this;
  }

  setAttributes(attributes: Attributes): this {
    Object.assign(this.attributes, attributes);
    return this;
  }

  addEvent(name: string, attributesOrTime?: Attributes | TimeInput, time?: TimeInput): this {
    const attributes = isTime(attributesOrTime) ? {} : (attributesOrTime ?? {});
    const at = isTime(attributesOrTime) ? attributesOrTime : time;
    this.events.push({ name, timeUnixNano: nanoseconds(milliseconds(at)), attributes: keyValues(attributes) });
    return this;
  }

  addLink(_link: Link): this {
    return this;
  }

  addLinks(_links: Link[]): this {
    return this;
  }

  setStatus(status: SpanStatus): this {
    this.status = status;
    return this;
  }

  updateName(name: string): this {
    this.name = name;
    return this;
  }

  recordException(exception: Exception, time?: TimeInput): void {
    const message = typeof exception === 'string' ? exception : exception.message;
    this.addEvent('exception', { 'exception.message': message }, time);
  }

  isRecording(): boolean {
    return !this.over;
  }

  end(time?: TimeInput): void {
    if (this.over) return;
    this.over = true;
    this.finished({
      traceId: this.own.traceId,
      spanId: this.own.spanId,
      parentSpanId: this.parent?.spanId,
      name: this.name,
      // OTLP counts kinds and states of the API from 1.
      kind: (this.options.kind ?? SpanKind.INTERNAL) + 1,
      startTimeUnixNano: nanoseconds(this.start),
      endTimeUnixNano: nanoseconds(milliseconds(time)),
      attributes: keyValues(this.attributes),
      events: this.events,
      status: { code: this.status.code, message: this.status.message },
    });
  }
}

const isTime = (value: unknown): value is TimeInput =>
  typeof value === 'number' || value instanceof Date || Array.isArray(value);

function milliseconds(time: TimeInput | undefined): number {
  if (time === undefined) return Date.now();
  if (time instanceof Date) return time.getTime();
  if (typeof time === 'number') return time;
  const [seconds, nanos] = time as HrTime;
  return seconds * 1000 + nanos / 1e6;
}

const nanoseconds = (ms: number): string => String(BigInt(Math.round(ms * 1000)) * 1000n);

const keyValues = (attributes: Attributes): object[] =>
  Object.entries(attributes).map(([key, value]) => ({ key, value: anyValue(value) }));

function anyValue(value: unknown): object {
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'number') return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(anyValue) } };
  return { stringValue: String(value) };
}

const envelope = (spans: object[]): object => ({
  resourceSpans: [
    {
      resource: { attributes: keyValues({ 'service.name': 'plinth', 'service.version': VERSION }) },
      scopeSpans: [{ scope: { name: 'plinth', version: VERSION }, spans }],
    },
  ],
});
