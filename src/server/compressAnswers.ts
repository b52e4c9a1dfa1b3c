import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { App } from './context.js';

/** Bytes from which an answer is worth compressing: less fits into one packet anyway. */
const WORTHWHILE = 1400;
/** Quick and nearly as small as it gets, for text that is made anew each time. */
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } };

/**
 * Compresses JSON that is read, for clients that take it (RFC 9110, 12.5.3). Files of results are sent as they are:
 * they are compressed in themselves, and their ranges and checksums are those of their bytes. Answers to other methods
 * may hold secrets, which compression beside chosen text would betray.
 */
export function compressAnswers(app: App): void {
  app.addHook('onSend', async (request, reply, payload) => {
    // HEAD says what GET would: its length is that of what is compressed.
    if (!['GET', 'HEAD'].includes(request.method) || typeof payload !== 'string' || payload.length < WORTHWHILE)
      return payload;
    if (!String(reply.getHeader('content-type')).startsWith('application/json')) return payload;
    if (reply.hasHeader('content-encoding') || reply.hasHeader('etag')) return payload;
    reply.header('vary', [reply.getHeader('vary'), 'accept-encoding'].filter(Boolean).join(', '));
    const encoding = preferred(request.headers['accept-encoding']);
    if (encoding === undefined) return payload;
    reply.header('content-encoding', encoding).removeHeader('content-length');
    return encoding === 'br'
      ? await promisify(brotliCompress)(payload, BROTLI)
      : await promisify(gzip)(payload, { level: 6 });
  });
}

/** Brotli where it is taken, else gzip; undefined where neither is. Weights other than refusals do not matter here. */
function preferred(header: string | string[] | undefined): 'br' | 'gzip' | undefined {
  const taken = new Map(
    String(header ?? '')
      .toLowerCase()
      .split(',')
      .map((part) => {
        const [name, ...parameters] = part.split(';').map((text) => text.trim());
        return [name, !parameters.some((p) => /^q=0(\.0*)?$/.test(p))] as const;
      }),
  );
  return (['br', 'gzip'] as const).find((name) => taken.get(name) ?? taken.get('*') ?? false);
}
