import { z } from 'zod';
import { type KeyFacts, keySchema, madeKeySchema, newKeySchema } from '../../api/key.js';
import { PlinthError } from '../../core/errors.js';
import { type ApiKey, createKey, listKeys, revokeKey } from '../apiKeys.js';
import type { App, Context } from '../context.js';

const toKey = (key: ApiKey): KeyFacts => ({
  id: key.id,
  name: key.name,
  scope: key.scope,
  createdAt: key.createdAt.toISOString(),
  lastUsedAt: key.lastUsedAt?.toISOString() ?? null,
  revokedAt: key.revokedAt?.toISOString() ?? null,
});

export function keyRoutes(app: App, { service, keys }: Context): void {
  app.get(
    '/v1/keys',
    {
      schema: {
        operationId: 'listKeys',
        tags: ['keys'],
        summary: 'API keys, without their text',
        response: { 200: z.object({ keys: z.array(keySchema) }) },
      },
      config: { scope: 'admin' },
    },
    async () => ({ keys: (await listKeys(service.db)).map(toKey) }),
  );

  app.post(
    '/v1/keys',
    {
      schema: {
        operationId: 'createKey',
        tags: ['keys'],
        summary: 'Make an API key',
        body: newKeySchema,
        response: { 201: madeKeySchema },
      },
      config: { scope: 'admin' },
    },
    async (request, reply) => {
      const { key, ...facts } = await createKey(service.db, request.body.name, request.body.scope);
      return reply
        .code(201)
        .header('cache-control', 'no-store')
        .send({ ...toKey(facts), key });
    },
  );

  app.delete(
    '/v1/keys/:id',
    {
      schema: {
        operationId: 'revokeKey',
        tags: ['keys'],
        summary: 'Revoke an API key',
        params: z.object({ id: z.uuid() }),
        response: { 204: z.undefined().describe('It no longer works.') },
      },
      config: { scope: 'admin', errors: ['ROUTE_NOT_FOUND'] },
    },
    async (request, reply) => {
      if (!(await revokeKey(service.db, request.params.id))) {
        throw new PlinthError('ROUTE_NOT_FOUND', {
          found: `There is no key ${request.params.id} that works`,
          subject: 'id',
        });
      }
      keys.forget();
      return reply.code(204).send();
    },
  );
}
