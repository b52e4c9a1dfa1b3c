import { z } from 'zod';
import { storedText } from './text.js';

/** What a key may do; each scope holds the ones before it. */
export const SCOPES = ['read', 'submit', 'admin'] as const;
/** What a key allows; each includes the ones before. */
export type Scope = (typeof SCOPES)[number];

export const keySchema = z
  .object({
    id: z.uuid(),
    name: z.string(),
    scope: z.enum(SCOPES),
    createdAt: z.iso.datetime(),
    lastUsedAt: z.iso.datetime().nullable(),
    revokedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'ApiKey' });
/** A key, without its text. */
export type KeyFacts = z.infer<typeof keySchema>;

export const newKeySchema = z.strictObject({ name: storedText(100).trim().min(1), scope: z.enum(SCOPES) });
/** What a new key is to be. */
export type NewKey = z.input<typeof newKeySchema>;

export const madeKeySchema = keySchema.extend({ key: z.string().describe('Its text, shown this once.') });
/** A new key with its text. */
export type MadeKey = z.infer<typeof madeKeySchema>;
