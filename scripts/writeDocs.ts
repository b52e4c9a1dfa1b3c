/**
 * Writes the parts of the documentation that come from the code: docs/errors.md, and the table of settings in
 * docs/service.md.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { ERROR_CODES, ERROR_KINDS, type ErrorCode } from '../src/core/errors.js';
import { statusOf } from '../src/server/problem.js';
import { describeSettings } from '../src/server/settings.js';

const docs = (name: string): URL => new URL(`../docs/${name}`, import.meta.url);

const errors = Object.entries(ERROR_CODES).map(
  ([code, [kind, meaning]]) =>
    `| \`${code}\` | ${kind} | ${statusOf(code as ErrorCode)} | ${ERROR_KINDS[kind].exitCode} | ${meaning} |`,
);
writeFileSync(
  docs('errors.md'),
  `# Errors

Every error that a user can cause has a stable code, says what was found and what was expected, and what to do. The command line prints it (with
\`--json\` as an object) and ends with the exit code; the service answers it as \`application/problem+json\` (RFC 9457) with the HTTP status, in the
members \`code\`, \`detail\`, \`found\`, \`expected\`, \`remedy\`, \`field\` and \`instance\` (the id of the request in the log). A job that failed carries the
code in \`failure\`.

Kinds: \`input\` is the user's to mend and never retried; \`config\` is the installation's; \`machine\` is retried by the service from the last
checkpoint; \`internal\` is a defect of Plinth.

| code | kind | HTTP | exit | meaning |
|---|---|---|---|---|
${errors.join('\n')}
`,
);

const value = (v: unknown): string => (v === undefined ? '–' : Array.isArray(v) ? v.join(',') || '(empty)' : String(v));
const settings = describeSettings().map(
  (s) =>
    `| \`${s.path}\` | \`${s.environment}\` | \`${s.flag}\` | ${value(s.default)} | ` +
    `${s.description.replaceAll('|', '\\|')} |`,
);
const BEGIN = '<!-- settings: written by scripts/writeDocs.ts -->';
const END = '<!-- end of settings -->';
const service = readFileSync(docs('service.md'), 'utf8');
const [before, rest] = service.split(BEGIN);
const after = rest.split(END)[1];
writeFileSync(
  docs('service.md'),
  `${before}${BEGIN}\n| setting | environment | flag | default | meaning ` +
    `|\n|---|---|---|---|---|\n${settings.join('\n')}\n${END}${after}`,
);
