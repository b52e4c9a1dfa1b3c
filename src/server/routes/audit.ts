import { z } from 'zod';
import { auditSchema } from '../../api/audit.js';
import { listAudit } from '../access/audit.js';
import type { App, Context } from '../context.js';

export function auditRoutes(app: App, { service }: Context): void {
  app.get(
    '/v1/audit',
    {
      schema: {
        operationId: 'listAudit',
        tags: ['keys'],
        summary: 'Who changed what or was refused, when and from where, newest first',
        querystring: z.object({
          limit: z.coerce.number().int().min(1).max(500).default(100),
          before: z
            .string()
            .regex(/^\d{1,18}$/)
            .optional()
            .describe('`next` of the page before.'),
          action: z.string().max(100).optional().describe('Operation of the API, such as `deleteJob`.'),
          key: z.uuid().optional().describe('API key that did it.'),
          refused: z
            .enum(['true', 'false'])
            .optional()
            .describe('Only requests that were refused, or only what was done. Default: both.'),
        }),
        response: {
          200: z.object({
            entries: z.array(auditSchema),
            next: z.string().nullable().describe('`before` of the next page; null on the last.'),
          }),
        },
      },
      config: { scope: 'admin' },
    },
    async (request) => {
      const { limit, refused } = request.query;
      const filter = {
        ...request.query,
        refused: refused === undefined ? undefined : refused === 'true',
        limit: limit + 1,
      };
      const entries = await listAudit(service.db, filter);
      const page = entries.slice(0, limit);
      return {
        entries: page.map((entry) => ({ ...entry, at: entry.at.toISOString() })),
        next: entries.length > limit ? (page.at(-1)?.id ?? null) : null,
      };
    },
  );
}
