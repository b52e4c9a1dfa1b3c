/** The part of the S3 protocol that Plinth uses, in memory. */
import { createHash, createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';

export interface StandInS3 {
  url: string;
  /** Keys with their contents. */
  objects: Map<string, Buffer>;
  /** Uploads in parts that were neither completed nor given up. */
  open: Map<string, Map<number, Buffer>>;
  /** Answers 503 while set. */
  broken: boolean;
  /** Answers 503 to what it says yes to: method and key. */
  turnsAway?: (asked: string) => boolean;
  /** What was asked for while it was broken: method and key. */
  turnedAway: string[];
  /** Answers 503 to whoever comes with a signed address, while set. */
  unreachable: boolean;
  /** Milliseconds that its clock is ahead. */
  ahead: number;
  /** Requests with signed addresses that were refused. */
  refused: string[];
  stop(): Promise<void>;
}

/** Clients that sign their requests do so with it. */
export const S3_SECRET = 'secret';

const etag = (data: Buffer): string => `"${createHash('md5').update(data).digest('hex')}"`;
const escapeXml = (text: string): string => text.replace(/[&<>]/g, (c) => `&#${c.charCodeAt(0)};`);

export async function startS3(bucket: string): Promise<StandInS3> {
  const state: StandInS3 = {
    url: '',
    objects: new Map(),
    open: new Map(),
    broken: false,
    turnedAway: [],
    unreachable: false,
    ahead: 0,
    refused: [],
    stop: async () => {},
  };
  const server = createServer((request, response) => void answer(state, bucket, request, response)).listen(
    0,
    '127.0.0.1',
  );
  await new Promise((resolve) => server.once('listening', resolve));
  state.url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  state.stop = () =>
    new Promise((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  return state;
}

async function answer(
  state: StandInS3,
  bucket: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url!, 'http://x');
  const { searchParams: query } = url;
  const key = decodeURIComponent(url.pathname).replace(`/${bucket}/`, '').replace(`/${bucket}`, '');
  const body = unchunk(request, await buffer(request));
  const end = (status: number, headers: Record<string, string | number> = {}, data: Buffer | string = ''): void => {
    response.writeHead(status, headers).end(request.method === 'HEAD' ? undefined : data);
  };
  const xml = (text: string): void => end(200, { 'content-type': 'application/xml' }, `<?xml version="1.0"?>${text}`);
  if (state.unreachable && query.has('X-Amz-Signature')) return end(503);
  const refusal = query.has('X-Amz-Signature') ? refusalOf(request, url, Date.now() + state.ahead) : undefined;
  if (refusal) {
    state.refused.push(refusal);
    return end(403, {}, `<Error><Code>${refusal}</Code></Error>`);
  }
  const asked = `${request.method} ${key || query.get('prefix')}`;
  if (state.broken || state.turnsAway?.(asked)) {
    state.turnedAway.push(asked);
    return end(503, {}, '<Error><Code>SlowDown</Code></Error>');
  }
  const upload = query.get('uploadId');
  if (request.method === 'POST' && query.has('delete')) {
    for (const [, name] of body.toString().matchAll(/<Key>([^<]*)<\/Key>/g))
      state.objects.delete(name.replaceAll('&amp;', '&'));
    return xml('<DeleteResult/>');
  }
  if (request.method === 'POST' && query.has('uploads')) {
    const id = `upload-${state.open.size + 1}`;
    state.open.set(id, new Map());
    return xml(`<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`);
  }
  if (request.method === 'PUT' && upload) {
    state.open.get(upload)!.set(Number(query.get('partNumber')), body);
    return end(200, { etag: etag(body) });
  }
  if (request.method === 'POST' && upload) {
    const parts = [...state.open.get(upload)!].sort(([a], [b]) => a - b).map(([, data]) => data);
    state.objects.set(key, Buffer.concat(parts));
    state.open.delete(upload);
    return xml('<CompleteMultipartUploadResult/>');
  }
  const source = request.headers['x-amz-copy-source'];
  if (request.method === 'PUT' && source) {
    const original = state.objects.get(decodeURIComponent(String(source)).replace(`${bucket}/`, ''));
    if (!original) return end(404, {}, '<Error><Code>NoSuchKey</Code></Error>');
    state.objects.set(key, original);
    return xml(`<CopyObjectResult><ETag>${escapeXml(etag(original))}</ETag></CopyObjectResult>`);
  }
  if (request.method === 'PUT') {
    state.objects.set(key, body);
    return end(200, { etag: etag(body) });
  }
  if (request.method === 'GET' && query.get('list-type') === '2') return xml(list(state, query));
  const data = state.objects.get(key);
  if (!data) return end(404, {}, '<Error><Code>NoSuchKey</Code></Error>');
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
  const part = range ? data.subarray(Number(range[1]), Number(range[2]) + 1) : data;
  end(
    range ? 206 : 200,
    { etag: etag(data), 'content-length': part.length, 'last-modified': new Date().toUTCString() },
    part,
  );
}

/** Why a signed address is refused, as AWS Signature Version 4 says for signatures in the query. */
function refusalOf(request: IncomingMessage, url: URL, now: number): string | undefined {
  const encode = (text: string): string =>
    encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  const query = [...url.searchParams].filter(([name]) => name !== 'X-Amz-Signature');
  const given = (name: string): string => url.searchParams.get(`X-Amz-${name}`)!;
  const signed = given('SignedHeaders').split(';');
  const canonical = [
    request.method,
    url.pathname,
    query
      .map((pair) => pair.map(encode).join('='))
      .sort()
      .join('&'),
    ...signed.map((name) => `${name}:${request.headers[name]}`),
    '',
    signed.join(';'),
    'UNSIGNED-PAYLOAD',
  ].join('\n');
  const [, ...scope] = given('Credential').split('/');
  const date = given('Date');
  const hash = createHash('sha256').update(canonical).digest('hex');
  const sign = (key: Buffer | string, text: string): Buffer => createHmac('sha256', key).update(text).digest();
  const key = scope.reduce<Buffer | string>(sign, `AWS4${S3_SECRET}`);
  const text = ['AWS4-HMAC-SHA256', date, scope.join('/'), hash].join('\n');
  if (sign(key, text).toString('hex') !== given('Signature')) return 'SignatureDoesNotMatch';
  const begin = Date.parse(date.replace(/(....)(..)(..T..)(..)(..Z)/, '$1-$2-$3:$4:$5'));
  return now > begin + Number(given('Expires')) * 1000 ? 'AccessDenied' : undefined;
}

/** Two keys a page, so that paging is exercised. */
function list(state: StandInS3, query: URLSearchParams): string {
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter');
  const after = query.get('continuation-token') ?? '';
  const names = new Set<string>();
  for (const key of state.objects.keys()) {
    if (!key.startsWith(prefix)) continue;
    const cut = delimiter ? key.indexOf(delimiter, prefix.length) : -1;
    names.add(cut < 0 ? key : key.slice(0, cut + 1));
  }
  const rest = [...names].sort().filter((n) => n > after);
  const page = rest.slice(0, 2);
  const items = page.map((n) =>
    delimiter && n.endsWith(delimiter)
      ? `<CommonPrefixes><Prefix>${escapeXml(n)}</Prefix></CommonPrefixes>`
      : `<Contents><Key>${escapeXml(n)}</Key><Size>${state.objects.get(n)!.length}</Size></Contents>`,
  );
  const more = rest.length > page.length;
  return `<ListBucketResult>${items.join('')}<IsTruncated>${more}</IsTruncated>${more ? `<NextContinuationToken>${escapeXml(page.at(-1)!)}</NextContinuationToken>` : ''}</ListBucketResult>`;
}

/** Bodies of streams come in the `aws-chunked` form: size in hexadecimal and signature before each piece. */
function unchunk(request: IncomingMessage, body: Buffer): Buffer {
  if (!/aws-chunked/.test(String(request.headers['content-encoding']))) return body;
  const pieces: Buffer[] = [];
  for (let at = 0; at < body.length; ) {
    const line = body.indexOf('\r\n', at);
    const size = Number.parseInt(body.toString('latin1', at, line), 16);
    if (!size) break;
    pieces.push(body.subarray(line + 2, line + 2 + size));
    at = line + 4 + size;
  }
  return Buffer.concat(pieces);
}
