import { z } from 'zod';
import type { Warning } from '../core/context.js';
import type { Failure } from '../core/errors.js';
import { type Remedy, type RemedyWords, wordRemedy } from '../core/remedy.js';

const named = { value: z.string().optional() };
const termSchema = z
  .union([
    z.object({ option: z.string().describe('Option of reading, reconstructing or writing.'), ...named }),
    z.object({ methodOption: z.string().describe('Option of the method.'), ...named }),
    z.object({ command: z.string().describe('Command of `plinth`.') }),
    z.object({ setting: z.string().describe('Setting of the service.'), ...named }),
  ])
  .meta({ id: 'RemedyTerm' });

/**
 * A remedy as every answer carries it: in the words of this API, and as data for those who call things by other names.
 */
export const remedyFields = {
  remedy: z.string().optional().describe('What to do about it.'),
  remedySteps: z
    .array(z.array(z.union([z.string(), termSchema])))
    .optional()
    .describe('The same as data, where it names an option, command or setting: steps of which one is enough.'),
};

export const failureSchema = z
  .object({
    code: z.string().describe('Stable code, as in docs/errors.md.'),
    message: z.string().describe('What was found and what was expected.'),
    ...remedyFields,
  })
  .meta({ id: 'Failure' });

export const warningSchema = z
  .object({ code: z.string(), message: z.string(), subject: z.string().optional(), ...remedyFields })
  .meta({ id: 'Warning' });

/** Why a job, or one of its runs, gave no result. */
export type FailureResource = z.infer<typeof failureSchema>;
/** What somebody should know about a result that is there all the same. */
export type WarningResource = z.infer<typeof warningSchema>;

/** Fields of the job request that are options of the command line and the library too. */
const FIELDS = ['method', 'preset', 'formats', 'seed', 'holdout', 'name', 'invertMasks', 'scale'];
/** Options that a client of the service cannot choose; its settings can. */
const SETTINGS: Record<string, string> = {
  adapter: 'worker.adapters',
  maxPixels: 'limits.pixels',
  maxArchiveBytes: 'limits.unpackedBytes',
  maxArchiveEntries: 'limits.files',
};
const COMMANDS: Record<string, string> = { methods: 'GET /v1/methods' };

const field = (name: string, value: string | undefined): string =>
  value === undefined ? `\`${name}\`` : `\`${name}: ${value}\``;

/** How the HTTP API calls things: fields of the request, settings of the service, its own addresses. */
export const HTTP_WORDS: RemedyWords = {
  option(name, value) {
    if (FIELDS.includes(name)) return field(name, value);
    return SETTINGS[name] && HTTP_WORDS.setting(SETTINGS[name], value);
  },
  methodOption: (name, value) => field(`options.${name}`, value),
  command: (name) => `\`${COMMANDS[name] ?? `plinth ${name}`}\``,
  setting: (name, value) => `the setting ${field(name, value)}`,
};

/** A remedy in both forms. */
export function remedyOf(remedy: Remedy | undefined): {
  remedy?: string;
  remedySteps?: FailureResource['remedySteps'];
} {
  const text = wordRemedy(remedy, HTTP_WORDS);
  if (remedy === undefined || typeof remedy === 'string') return { remedy: text };
  return { remedy: text, remedySteps: remedy.map((step) => [...step]) };
}

export const toFailureResource = ({ code, message, remedy }: Failure): FailureResource => ({
  code,
  message,
  ...remedyOf(remedy),
});

export const toWarningResource = ({ code, message, subject, remedy }: Warning): WarningResource => ({
  code,
  message,
  subject,
  ...remedyOf(remedy),
});
