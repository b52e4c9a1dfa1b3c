import type { FastifyRequest } from 'fastify';
import { PlinthError } from '../../core/errors.js';

export interface PaceLimits {
  /** A body without a byte for this long is ended. */
  stallSeconds: number;
  /** A body slower than this on average is ended; 0 = no limit. */
  minimumBytesPerSecond: number;
}

export interface Pace {
  /** Aborted, with the error as the reason, when the body is to be given up. */
  signal: AbortSignal;
  /** Rejects with that error. */
  failed: Promise<never>;
  end(): void;
}

/** Ends a body that stands still, crawls or breaks off. Only the socket knows what arrived, whoever reads from it. */
export function watchPace(request: FastifyRequest, limits: PaceLimits): Pace {
  const { socket } = request.raw;
  const controller = new AbortController();
  const begin = Date.now();
  const first = socket.bytesRead;
  let last = { bytes: first, at: begin };
  let reject: (error: PlinthError) => void = () => {};
  const failed = new Promise<never>((_, r) => {
    reject = r;
  });
  failed.catch(() => {});
  const fail = (error: PlinthError): void => {
    reject(error);
    controller.abort(error);
  };
  const timer = setInterval(() => {
    if (request.raw.complete) return;
    const now = Date.now();
    if (socket.bytesRead > last.bytes) last = { bytes: socket.bytesRead, at: now };
    const stalled = now - last.at > limits.stallSeconds * 1000;
    const seconds = (now - begin) / 1000;
    const crawls = seconds > limits.stallSeconds && (last.bytes - first) / seconds < limits.minimumBytesPerSecond;
    if (stalled || crawls) {
      const arrived = `${last.bytes - first} bytes arrived in ${Math.round(seconds)} s`;
      fail(tooSlow(stalled ? `No byte arrived for ${limits.stallSeconds} s` : arrived, limits));
    }
  }, 500);
  const closed = (): void => {
    if (!request.raw.complete) fail(truncated());
  };
  request.raw.once('close', closed);
  // The client may have left before anybody looked.
  if (request.raw.destroyed) closed();
  const end = (): void => {
    clearInterval(timer);
    request.raw.off('close', closed);
  };
  return { signal: controller.signal, failed, end };
}

export const truncated = (cause?: unknown): PlinthError =>
  new PlinthError('UPLOAD_TRUNCATED', {
    found: 'The body ended before it was complete',
    remedy: 'Send it again',
    cause,
  });

const tooSlow = (found: string, limits: PaceLimits): PlinthError =>
  new PlinthError('UPLOAD_TOO_SLOW', {
    found,
    expected: `at least ${limits.minimumBytesPerSecond} bytes a second`,
    remedy: 'Use a resumable upload (POST /v1/uploads), which may be interrupted',
  });
