import { z } from 'zod';
import { type KeyFacts, keySchema, madeKeySchema, newKeySchema, ownKeySchema } from '../../api/key.js';
import { usageOf } from '../../jobs/database/quotas.js';
import { type ApiKey, createKey, listKeys, revokeKey } from '../access/apiKeys.js';
import { actorOf, quotasOf } from '../access/guard.js';
import type { App, Context } from '../context.js';

const toKey = (key: ApiKey): KeyFacts => ({
  id: key.id,
  name: key.name,
  scope: key.scope,
  project: key.project,
  quotas: key.quotas,
  createdAt: key.createdAt.toISOString(),
  lastUsedAt: key.lastUsedAt?.toISOString() ?? null,
  revokedAt: key.revokedAt?.toISOString() ?? null,
});

export function keyRoutes(app: App, context: Context): void {
  const { service, keys } = context;
  app.get(
    '/v1/key',
    {
      schema: {
        operationId: 'getOwnKey',
        tags: ['keys'],
        summary: 'The API key of the request, its quotas, and what it has used of them',
        response: { 200: ownKeySchema },
      },
    },
    async (request) => {
      const { apiKey } = request;
      return {
        key: apiKey ? toKey(apiKey) : null,
        quotas: quotasOf(request, context),
        used: apiKey ? await usageOf(service.db, apiKey.id) : null,
      };
    },
  );

  app.get(
    '/v1/keys',
    {
      schema: {
        operationId: 'listKeys',
        tags: ['keys'],
        summary: 'API keys, without their text',
        response: { 200: z.object({ keys: z.array(keySchema) }) },
      },
      config: { scope: 'admin', managesKeys: true, errors: ['KEYS_OFF'] },
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
      // Written in the transaction that makes it.
      config: { scope: 'admin', managesKeys: true, unaudited: true, errors: ['KEYS_OFF'] },
    },
    async (request, reply) => {
      const { key, ...facts } = await createKey(service.db, request.body, actorOf(request));
      request.log.info({ audit: { ...actorOf(request), action: 'createKey', subject: facts.id } }, 'audit');
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
      config: {
        scope: 'admin',
        managesKeys: true,
        unaudited: true,
        errors: ['KEYS_OFF', 'KEY_NOT_FOUND', 'KEY_LAST_ADMIN'],
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      keys.spare(request.apiKey, reply.raw);
      // Whoever works on the machine itself can always make another.
      await revokeKey(service.db, id, actorOf(request), !keys.operatorIs(request.apiKey));
      keys.end(id);
      request.log.info({ audit: { ...actorOf(request), action: 'revokeKey', subject: id } }, 'audit');
      return reply.code(204).send();
    },
  );
}
