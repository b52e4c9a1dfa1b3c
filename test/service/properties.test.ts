import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createKey } from '../../src/server/access/apiKeys.js';
import type { OpenApiDocument } from '../../src/server/openapi/openapi.js';
import { startTestServer, type TestServer } from './testServer.js';

/**
 * Whatever is sent, the answer is one that the API document names for the operation, in the form that it says, and
 * never a defect. The seed is fixed, so that a failure is the same every time.
 */
const RUNS = 400;
const SEED = 20_261_128;

let server: TestServer;
/** Keys are on and everything is sent with an administrator's, since keys cannot be made while they are off. */
let authorization: string;
let document: OpenApiDocument;
let ajv: Ajv2020;
beforeAll(async () => {
  server = await startTestServer({
    flags: {
      'auth.mode': 'on',
      'worker.adapters': '',
      'limits.openUploadsPerKey': 5,
      'limits.bodyBytes': 2 ** 20,
      'limits.queuedJobs': 20,
    },
  });
  const { key } = await createKey(server.service.db, { name: 'boss', scope: 'admin' }, { name: 'test' });
  authorization = `Bearer ${key}`;
  document = (await (await server.ask('/openapi.json', { headers: { authorization } })).json()) as OpenApiDocument;
  ajv = new Ajv2020({ strict: false });
  addFormats.default(ajv);
  ajv.addSchema(document, 'document');
});
afterAll(() => server.destroy());

/** Text as people, scripts and attackers send it. */
const text = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)), maxLength: 8 }),
  fc.constantFrom('', '\0', '\ud800', '..', '../x', 'a/b', 'a', '%', '_', '\\', "'", 'null', '-1', '1e309', 'vase-six'),
);
const uuid = fc.oneof(
  { weight: 3, arbitrary: fc.uuid() },
  { weight: 1, arbitrary: fc.constantFrom('0', '-'.repeat(36), 'nil') },
);
const number = fc.oneof(fc.integer(), fc.double(), fc.constantFrom(0, -1, 2 ** 53, 1e300));
/** Bodies that are nearly right, by operation. */
const BODIES: Record<string, fc.Arbitrary<unknown>> = {
  submitJob: fc.record(
    {
      example: fc.constantFrom('vase-six', 'none', '\0'),
      upload: uuid,
      name: text,
      seed: number,
      priority: number,
      methods: fc.array(
        fc.record({ method: fc.oneof(fc.constant('fusion'), text), options: fc.dictionary(text, text) }),
        { maxLength: 3 },
      ),
      formats: fc.array(fc.oneof(fc.constant('glb'), text), { maxLength: 3 }),
    },
    { requiredKeys: ['example'] },
  ),
  beginUpload: fc.record({
    files: fc.array(fc.record({ name: text, bytes: fc.oneof(fc.integer({ min: 0, max: 2000 }), number) }), {
      maxLength: 2,
    }),
  }),
  createKey: fc.record({ name: text, scope: fc.oneof(fc.constantFrom('read', 'admin'), text) }),
};
const anyBody = fc.jsonValue({ maxDepth: 3 });
const query = fc.dictionary(
  fc.constantFrom('state', 'search', 'limit', 'cursor', 'after', 'name', 'preset', 'nonsense'),
  fc.oneof(
    text,
    number.map(String),
    uuid.map((id) => `2024-02-30T00:00:00.000Z_${id}`),
  ),
  { maxKeys: 3 },
);
const headers = fc.dictionary(
  fc.constantFrom(
    'range',
    'last-event-id',
    'idempotency-key',
    'upload-offset',
    'upload-length',
    'tus-resumable',
    'accept',
  ),
  fc.oneof(
    fc.constantFrom('1.0.0', 'bytes=0-1', 'bytes=9-1', 'text/event-stream', 'application/json'),
    fc.string({ unit: fc.constantFrom(...'abc019 =-,/'), minLength: 1, maxLength: 20 }).map((s) => `x${s}`.trim()),
    fc.integer().map(String),
  ),
  { maxKeys: 3 },
);
const request = fc.record({
  /** Which one, counted around. */
  operation: fc.nat(),
  id: uuid,
  name: text,
  query,
  headers,
  body: fc.nat(),
  bodies: fc.record({ any: anyBody, ...BODIES }),
  type: fc.constantFrom('application/json', 'application/json', 'application/zip', 'application/offset+octet-stream'),
});

/** Operations that do not answer until something happens, or that end others' work, are left to their own tests. */
const LEFT_OUT = ['watchJob', 'getReadiness'];

/** One in four bodies is anything at all. */
function bodyOf(given: { body: number; bodies: Record<string, unknown> }, operation: string | undefined): unknown {
  return (given.body % 4 > 0 && operation ? given.bodies[operation] : undefined) ?? given.bodies.any;
}

/** Half a character cannot be written into an address. */
const encode = (part: string): string => encodeURIComponent(part.replace(/\p{Surrogate}/gu, '\ufffd'));

test('every answer to every request is one that the document names', async () => {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, operation]) => !LEFT_OUT.includes(operation.operationId ?? ''))
      .map(([method, operation]) => ({ path, method, operation })),
  );
  const checks = new Map<string, ValidateFunction>();
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(request, async (given) => {
      const { path, method, operation } = operations[given.operation % operations.length];
      const address = path.replace('{id}', encode(given.id)).replace('{name}', encode(given.name) || 'x');
      const search = Object.entries(given.query).map(([name, value]) => `${name}=${encode(value)}`);
      const hasBody = ['post', 'patch'].includes(method);
      const response = await server.ask(`${address}${search.length > 0 ? `?${search.join('&')}` : ''}`, {
        method: method.toUpperCase(),
        headers: { ...given.headers, authorization, ...(hasBody && { 'content-type': given.type }) },
        body: hasBody ? JSON.stringify(bodyOf(given, operation.operationId)) : undefined,
      });
      const bytes = Buffer.from(await response.arrayBuffer());
      // A name such as `..` leads to another address, of which this operation says nothing.
      if (response.status === 404 && bytes.includes('ROUTE_NOT_FOUND')) return;
      if (response.status === 405) return;
      const { operationId, responses } = operation;
      const where = `${operationId} ${response.status} ${bytes.toString().slice(0, 300)}`;
      seen.add(`${operationId} ${response.status}`);
      expect(response.status === 500, where).toBe(false);
      expect(Object.keys(responses), where).toContain(String(response.status));
      const type = response.headers.get('content-type')?.split(';')[0];
      if (method === 'head' || !type?.endsWith('json') || !responses[response.status].content?.[type]) return;
      const pointer = `/paths/${[path, method, 'responses', String(response.status), 'content', type, 'schema']
        .map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1')))
        .join('/')}`;
      const check = checks.get(pointer) ?? ajv.getSchema(`document#${pointer}`)!;
      checks.set(pointer, check);
      expect(check(JSON.parse(bytes.toString())), `${where} ${ajv.errorsText(check.errors)}`).toBe(true);
    }),
    { numRuns: RUNS, seed: SEED },
  );
  // Not only refusals were seen.
  expect(seen.size).toBeGreaterThan(40);
  for (const some of ['listJobs 200', 'listJobs 400', 'submitJob 400', 'beginUpload 201', 'createKey 400'])
    expect(seen).toContain(some);
}, 60_000);
