import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ApiError, OPERATIONS, PlinthClient } from '../../src/api/client.js';
import { ERROR_CODES } from '../../src/core/errors.js';
import type { OpenApiDocument } from '../../src/server/openapi/openapi.js';
import { startTestServer, type TestServer } from './testServer.js';

let server: TestServer;
let client: PlinthClient;
beforeAll(async () => {
  server = await startTestServer();
  client = new PlinthClient({ url: server.url });
});
afterAll(() => server.destroy());

describe('the API document', () => {
  test('holds every operation of the client, every error code, and no other way round', async () => {
    const document = (await (await server.ask('/openapi.json')).json()) as OpenApiDocument;
    expect(document.openapi).toBe('3.1.1');
    const documented: Record<string, string> = {};
    for (const [path, operations] of Object.entries(document.paths)) {
      for (const [method, operation] of Object.entries(operations)) {
        if (method === 'head') continue;
        documented[operation.operationId!] = `${method.toUpperCase()} ${path}`;
        expect(operation.responses, path).toHaveProperty('500');
      }
    }
    expect(documented).toEqual(OPERATIONS);
    expect((document.components!.schemas!.ErrorCode as { enum: string[] }).enum).toEqual(Object.keys(ERROR_CODES));
    // Every reference leads somewhere.
    const text = JSON.stringify(document);
    for (const [, name] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g))
      expect(document.components!.schemas).toHaveProperty(name);
    const submit = document.paths['/v1/jobs'].post as unknown as {
      requestBody: { content: object };
      responses: Record<string, { content: object }>;
    };
    expect(Object.keys(submit.requestBody.content)).toEqual([
      'multipart/form-data',
      'application/zip',
      'application/json',
    ]);
    expect(JSON.stringify(submit.responses['413'])).toMatch(/UPLOAD_TOO_LARGE.*ARCHIVE_TOO_LARGE/);
  });

  test(
    'is valid OpenAPI 3.1, and every operation has an example of its answers and bodies that fits its ' + 'schema',
    async () => {
      const document = (await (await server.ask('/openapi.json')).json()) as OpenApiDocument;
      const { valid, errors } = await new Validator().validate(structuredClone(document));
      expect(errors).toBeUndefined();
      expect(valid).toBe(true);

      const ajv = new Ajv2020({ strict: false });
      addFormats.default(ajv);
      ajv.addSchema(document, 'document');
      const fits = (pointer: string, value: unknown): void => {
        const check = ajv.getSchema(`document#${pointer}`)!;
        expect(check(value), `${pointer}: ${ajv.errorsText(check.errors)}`).toBe(true);
      };
      const escaped = (part: string): string => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'));
      interface Media {
        example?: unknown;
        examples?: Record<string, { value: unknown }>;
      }
      let examined = 0;
      const examine = (pointer: string, content: Record<string, Media> = {}): void => {
        for (const [type, { examples, example }] of Object.entries(content)) {
          if (/octet-stream|zip|form-data|\*/.test(type)) continue;
          const where = `${pointer}/content/${escaped(type)}`;
          expect(example ?? examples, where).toBeDefined();
          for (const { value } of Object.values(examples ?? { example: { value: example } })) {
            fits(`${where}/schema`, value);
            examined++;
          }
        }
      };
      const all = [...Object.entries(document.paths), ...Object.entries(document.webhooks as typeof document.paths)];
      for (const [path, operations] of all) {
        for (const [method, operation] of Object.entries(operations)) {
          if (method === 'head') continue;
          const base = `/${path in document.paths ? 'paths' : 'webhooks'}/${escaped(path)}/${method}`;
          const body = operation.requestBody as { content?: Record<string, Media> } | undefined;
          examine(`${base}/requestBody`, body?.content);
          for (const [status, answer] of Object.entries(operation.responses)) {
            examine(`${base}/responses/${status}`, answer.content as Record<string, Media> | undefined);
          }
        }
      }
      expect(examined).toBeGreaterThan(200);
      // Each schema is used, and headers that clients depend on are told.
      for (const name of Object.keys(document.components!.schemas!)) expect(name).not.toMatch(/Input$/);
      expect(document.paths['/v1/jobs'].post.responses['202'].headers).toHaveProperty('Location');
      expect(document.paths['/v1/jobs/{id}/files/{name}'].get.responses['206'].headers).toHaveProperty('Content-Range');
    },
  );

  test('/docs brings all it needs itself', async () => {
    const page = await server.ask('/docs/');
    expect(page.status).toBe(200);
    const html = await page.text();
    expect(html).not.toMatch(/(src|href)="https?:/);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(page.headers.get('content-security-policy')).not.toContain("script-src 'self' 'unsafe");
  });

  test('unknown addresses and methods are problems too, and headers keep pages safe', async () => {
    await expect(client.get('00000000-0000-4000-8000-000000000000')).rejects.toBeInstanceOf(ApiError);
    const put = await server.ask('/v1/jobs', { method: 'PUT' });
    expect([put.status, put.headers.get('allow')]).toEqual([405, expect.stringContaining('POST')]);
    const nothing = await server.ask('/v1/nothing');
    expect([nothing.status, nothing.headers.get('content-type')]).toEqual([
      404,
      expect.stringContaining('problem+json'),
    ]);
    expect(nothing.headers.get('content-security-policy')).toContain("script-src 'self' 'wasm-unsafe-eval'");
    expect(nothing.headers.get('x-content-type-options')).toBe('nosniff');
    expect(nothing.headers.get('x-request-id')).toMatch(/^req-/);
  });
});
