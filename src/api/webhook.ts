import { z } from 'zod';

const time = z.iso.datetime();

/** A webhook message of a job, as answers and the client hold it. */
export const deliverySchema = z
  .object({
    id: z.uuid().describe('The same as the header `webhook-id` of the message.'),
    type: z.string().describe('`job.succeeded`, `job.failed` or `job.cancelled`.'),
    url: z.string(),
    state: z.enum(['waiting', 'delivered', 'given-up']),
    attempts: z.int(),
    createdAt: time,
    deliveredAt: time.nullable(),
    nextAt: time.nullable().describe('When it is sent again; null when it is not.'),
    lastStatus: z.int().nullable().describe('HTTP status of the last answer; null where there was none.'),
    lastError: z.string().nullable(),
  })
  .meta({ id: 'Delivery' });
/** What was tried to tell a receiver of a job's end. */
export type DeliveryFacts = z.infer<typeof deliverySchema>;

export const rotatedSecretSchema = z
  .object({
    secret: z.string().describe('Shown once.'),
    overlapUntil: time.describe('Until then messages are signed with the secret before as well.'),
  })
  .meta({ id: 'RotatedSecret' });
/** A new secret of a webhook, told this once. */
export type RotatedSecret = z.infer<typeof rotatedSecretSchema>;
