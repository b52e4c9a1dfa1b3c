import cors from '@fastify/cors';
import helmet from '@fastify/helmet';
import type { App } from './context.js';

/** Headers that keep the page safe from what it shows. */
export async function addHeaders(app: App, origins: string[]): Promise<void> {
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        baseUri: ["'none'"],
        connectSrc: ["'self'", 'blob:'],
        fontSrc: ["'self'", 'data:'],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
        frameSrc: ["'self'", 'blob:'],
        imgSrc: ["'self'", 'data:', 'blob:'],
        manifestSrc: ["'self'"],
        mediaSrc: ["'self'", 'blob:'],
        objectSrc: ["'none'"],
        // Mesh decompression is WebAssembly.
        scriptSrc: ["'self'", "'wasm-unsafe-eval'"],
        styleSrc: ["'self'"],
        workerSrc: ["'self'", 'blob:'],
      },
    },
    crossOriginEmbedderPolicy: false,
    crossOriginResourcePolicy: { policy: origins.length > 0 ? 'cross-origin' : 'same-origin' },
    referrerPolicy: { policy: 'no-referrer' },
    // Plinth itself speaks plain HTTP; a proxy with a certificate sets this.
    strictTransportSecurity: false,
  });
}

/** Lets pages of other origins call the API. */
export async function allowOrigins(app: App, origins: string[]): Promise<void> {
  if (origins.length > 0) {
    await app.register(cors, {
      origin: origins.includes('*') ? '*' : origins,
      methods: ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE'],
      // `OPTIONS` of the tus protocol is no question of a browser.
      strictPreflight: false,
      allowedHeaders: [
        'authorization',
        'x-api-key',
        'content-type',
        'idempotency-key',
        'last-event-id',
        'upload-offset',
        'upload-length',
        'upload-metadata',
        'upload-checksum',
        'tus-resumable',
        'x-http-method-override',
        'x-requested-with',
        'range',
        'if-range',
        'if-none-match',
        'traceparent',
      ],
      exposedHeaders: [
        'location',
        'etag',
        'content-range',
        'retry-after',
        'upload-offset',
        'upload-length',
        'upload-metadata',
        'upload-expires',
        'tus-resumable',
        'tus-version',
        'tus-extension',
        'tus-max-size',
        'tus-checksum-algorithm',
        'x-request-id',
        'idempotent-replayed',
      ],
      maxAge: 600,
    });
  }
}
