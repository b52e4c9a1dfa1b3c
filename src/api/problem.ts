import { z } from 'zod';
import { remedyFields } from './remedy.js';

/** RFC 9457 problem details, with Plinth's code and the field at fault. */
export const problemSchema = z
  .object({
    type: z.string().describe('`urn:plinth:problem:` and the code; docs/errors.md describes it.'),
    title: z.string().describe('What the code means.'),
    status: z.int(),
    detail: z.string().describe('What was found, what was expected and what to do.'),
    code: z.string().describe('Stable; see docs/errors.md.'),
    found: z.string().optional(),
    expected: z.string().optional(),
    ...remedyFields,
    field: z.string().optional().describe('The field, file or option at fault.'),
    errors: z
      .array(z.object({ field: z.string(), message: z.string() }))
      .optional()
      .describe('Every field at fault, where there are several.'),
    instance: z.string().describe('Id of the request, as in the log.'),
  })
  .meta({ id: 'Problem' });

/** What an answer says that is no success (RFC 9457). */
export type Problem = z.infer<typeof problemSchema>;
