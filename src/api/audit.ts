import { z } from 'zod';

/** One line of the audit log. */
export const auditSchema = z
  .object({
    id: z.string(),
    at: z.iso.datetime(),
    key: z.uuid().nullable().describe('API key; null while keys are off, and for whoever works on the machine itself.'),
    name: z.string().describe('Name of the key, `operator`, or `anybody` while keys are off.'),
    action: z.string().describe('Operation of the API, such as `submitJob`.'),
    subject: z.string().nullable().describe('Id of what it was done to, or would have been.'),
    address: z.string().nullable().describe('Address of the client.'),
    request: z.string().nullable().describe('Id of the request, as in the log.'),
    refusal: z
      .string()
      .nullable()
      .describe('Code of the error, where the request was refused for who asked; null where it was done.'),
    times: z.int().describe('Requests that the line stands for: like refusals of one minute are one.'),
  })
  .meta({ id: 'AuditEntry' });
/** One line of the audit log, as the API gives it. */
export type AuditEntry = z.infer<typeof auditSchema>;
