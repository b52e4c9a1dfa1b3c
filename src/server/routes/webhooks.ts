import { z } from 'zod';
import { type DeliveryFacts, deliverySchema, rotatedSecretSchema } from '../../api/webhook.js';
import { type DeliveryRecord, listDeliveries, redeliver, rotateSecret } from '../../jobs/webhooks/webhookStore.js';
import { visibleJob } from '../access/guard.js';
import type { App, Context } from '../context.js';
import { jobParams } from './jobs.js';

const toDelivery = (record: DeliveryRecord): DeliveryFacts => ({
  ...record,
  state: record.deliveredAt ? 'delivered' : record.nextAt ? 'waiting' : 'given-up',
  createdAt: record.createdAt.toISOString(),
  deliveredAt: record.deliveredAt?.toISOString() ?? null,
  nextAt: record.nextAt?.toISOString() ?? null,
});

export function webhookRoutes(app: App, context: Context): void {
  const { service } = context;

  app.get(
    '/v1/jobs/:id/deliveries',
    {
      schema: {
        operationId: 'listDeliveries',
        tags: ['webhooks'],
        summary: 'Webhook messages of a job',
        params: jobParams,
        response: { 200: z.object({ deliveries: z.array(deliverySchema) }) },
      },
      config: { errors: ['JOB_NOT_FOUND'] },
    },
    async (request) => {
      const { id } = await visibleJob(request, context, request.params.id);
      return { deliveries: (await listDeliveries(service.db, id)).map(toDelivery) };
    },
  );

  app.post(
    '/v1/jobs/:id/deliveries/:delivery/redeliver',
    {
      schema: {
        operationId: 'redeliver',
        tags: ['webhooks'],
        summary: 'Send a webhook message again',
        description: 'With the same id, so that a receiver which had it already can tell.',
        params: jobParams.extend({ delivery: z.uuid() }),
        response: { 202: z.object({ deliveries: z.array(deliverySchema) }) },
      },
      config: { scope: 'submit', errors: ['JOB_NOT_FOUND', 'DELIVERY_NOT_FOUND'] },
    },
    async (request, reply) => {
      const { id } = await visibleJob(request, context, request.params.id);
      await redeliver(service.db, id, request.params.delivery);
      return reply.code(202).send({ deliveries: (await listDeliveries(service.db, id)).map(toDelivery) });
    },
  );

  app.post(
    '/v1/webhooks/secret',
    {
      schema: {
        operationId: 'rotateWebhookSecret',
        tags: ['webhooks'],
        summary: 'Make a new secret that signs the messages of jobs without one of their own',
        description: 'For a day messages carry the signatures of both, the new secret and the one before.',
        response: { 201: rotatedSecretSchema },
      },
      // It, too, would outlive keys being turned on: whoever knows it can sign as the service does.
      config: { scope: 'admin', managesKeys: true, errors: ['KEYS_OFF'] },
    },
    async (_request, reply) => {
      const { secret, overlapUntil } = await rotateSecret(service.db);
      return reply
        .code(201)
        .header('cache-control', 'no-store')
        .send({ secret, overlapUntil: overlapUntil.toISOString() });
    },
  );
}
