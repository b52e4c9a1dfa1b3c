import { z } from 'zod';
import { SCOPES } from './scopes.js';
import { storedText } from './text.js';

/** What one key may use, in the place of the installation's `quotas`; 0 = no limit. */
export const quotasSchema = z.strictObject({
  jobs: z.int().min(0).optional().describe('Jobs that wait or run.'),
  runningJobs: z.int().min(0).optional().describe('Jobs that run at the same time; what goes beyond waits.'),
  storedBytes: z.int().min(0).optional().describe('Bytes of the inputs and results of its jobs.'),
  gpuSecondsPerDay: z.int().min(0).optional().describe('Seconds that its jobs may run in a day (UTC).'),
});

const projectSchema = storedText(100).trim().min(1);

export const keySchema = z
  .object({
    id: z.uuid(),
    name: z.string(),
    scope: z.enum(SCOPES),
    project: projectSchema
      .nullable()
      .describe('Keys of one project see the same jobs; without one a key sees its own.'),
    quotas: quotasSchema,
    createdAt: z.iso.datetime(),
    lastUsedAt: z.iso.datetime().nullable(),
    revokedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'ApiKey' });
/** A key, without its text. */
export type KeyFacts = z.infer<typeof keySchema>;

/** What a new key is to be. */
export const newKeySchema = z.strictObject({
  name: storedText(100).trim().min(1),
  scope: z.enum(SCOPES),
  project: projectSchema.optional(),
  quotas: quotasSchema.optional(),
});
/** What a key is made from. */
export type NewKey = z.input<typeof newKeySchema>;

export const madeKeySchema = keySchema.extend({ key: z.string().describe('Its text, shown this once.') });
/** A new key with its text. */
export type MadeKey = z.infer<typeof madeKeySchema>;

export const ownKeySchema = z
  .object({
    key: keySchema.nullable().describe('The key of the request; null while keys are off.'),
    quotas: quotasSchema.describe("What holds for it: its own, else the installation's. 0 = no limit."),
    used: z
      .object({
        jobs: z.int().describe('Its jobs that wait or run.'),
        runningJobs: z.int(),
        storedBytes: z.number().describe('Of the inputs and results of its jobs.'),
        gpuSecondsToday: z.number().describe('Seconds that its jobs have run since midnight UTC.'),
      })
      .nullable()
      .describe('Null while keys are off.'),
  })
  .meta({ id: 'OwnKey' });
/** The key of whoever asks, with its quotas and what it has used of them. */
export type OwnKey = z.infer<typeof ownKeySchema>;
