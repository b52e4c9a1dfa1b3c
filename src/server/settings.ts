import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import { isServiceLink, VARIABLES } from '../core/environment.js';
import { PlinthError } from '../core/errors.js';
import { nearest } from '../core/nearest.js';
import { environmentName, flagName } from './settingNames.js';

const MiB = 2 ** 20;
const GiB = 2 ** 30;

/** From a flag or an environment variable numbers, booleans and lists come as text. */
const number = (schema: z.ZodNumber) =>
  z.preprocess((v) => (typeof v === 'string' && v.trim() !== '' ? Number(v) : v), schema);
const flag = z.preprocess(
  (v) => (v === 'true' || v === '1' ? true : v === 'false' || v === '0' ? false : v),
  z.boolean(),
);
const list = z.preprocess(
  (v) =>
    typeof v === 'string'
      ? v
          .split(',')
          .map((s) => s.trim())
          .filter(Boolean)
      : v,
  z.array(z.string()),
);
const integer = (minimum: number, maximum = Number.MAX_SAFE_INTEGER) =>
  number(z.number().int().min(minimum).max(maximum));

/**
 * Every setting of the service with its default. A setting's name is its path, such as `limits.bodyBytes`; in the
 * environment that is `PLINTH_LIMITS_BODY_BYTES`, on the command line `--limits-body-bytes`.
 */
export const settingsSchema = z.strictObject({
  host: z.string().min(1).default('127.0.0.1').describe('Address to listen on.'),
  port: integer(0, 65_535).default(7878).describe('Port to listen on; 0 = any free one.'),
  hosts: list
    .default([])
    .describe(
      'Names under which clients reach the service, besides those of this machine and its addresses; ' +
        '`*.name` = all below a name, `*` = any.',
    ),
  trustedProxies: list
    .default([])
    .describe('Addresses of proxies whose `X-Forwarded-…` headers are believed, such as 10.0.0.0/8.'),
  data: z.string().min(1).default('plinth-data').describe('Folder of database, artifacts and work in progress.'),
  database: z
    .strictObject({
      url: z
        .string()
        .regex(/^postgres(ql)?:\/\//, 'must begin with postgres://')
        .optional()
        .describe('PostgreSQL to use instead of the embedded database. Also read from DATABASE_URL.'),
    })
    .prefault({}),
  storage: z
    .strictObject({
      kind: z.enum(['folder', 's3']).default('folder').describe('Where artifacts are kept.'),
      path: z.string().min(1).optional().describe('Folder of the artifacts. Default: `store` in the data folder.'),
      bucket: z.string().min(1).optional().describe('S3 bucket.'),
      prefix: z.string().optional().describe('Prefix of the keys in the bucket.'),
      endpoint: z.url().optional().describe('Address of an S3-compatible service. Default: AWS.'),
      publicEndpoint: z
        .url()
        .optional()
        .describe(
          'Where clients reach the same S3 storage: they then may fetch results from it and bring captures to it, ' +
            'past the service, by signed addresses.',
        ),
      region: z.string().min(1).default('us-east-1').describe('S3 region.'),
      accessKeyId: z.string().optional().describe('S3 credentials. Default: those of the AWS SDK.'),
      secretAccessKey: z.string().optional().describe('S3 credentials. Default: those of the AWS SDK.'),
      forcePathStyle: flag.default(true).describe('Bucket in the path; most S3-compatible services need it.'),
    })
    .prefault({}),
  auth: z
    .strictObject({
      mode: z
        .enum(['auto', 'on', 'off'])
        .default('auto')
        .describe('API keys: `auto` = off on a loopback address, on elsewhere; `off` elsewhere needs auth.allowOpen.'),
      allowOpen: flag.default(false).describe('Allow `off` on an address that others can reach.'),
    })
    .prefault({}),
  cors: z
    .strictObject({ origins: list.default([]).describe('Origins whose pages may call the API; `*` = any.') })
    .prefault({}),
  limits: z
    .strictObject({
      bodyBytes: integer(MiB)
        .default(4 * GiB)
        .describe('Bytes of one upload.'),
      unpackedBytes: integer(MiB)
        .default(8 * GiB)
        .describe('Bytes that an archive may unpack to.'),
      files: integer(1, 100_000).default(10_000).describe('Files of one upload or archive.'),
      pixels: integer(1).default(64_000_000).describe('Pixels of one picture.'),
      requestsPerMinute: integer(1).default(1200).describe('Requests of one client in a minute; /health is free.'),
      failuresPerMinute: integer(1)
        .default(60)
        .describe('Wrong API keys and unknown addresses of one client in a minute.'),
      uploads: integer(1, 1000).default(8).describe('Requests at the same time that bring the body of an upload.'),
      openUploads: integer(1, 100_000).default(64).describe('Resumable uploads that may be open, all keys together.'),
      openUploadsPerKey: integer(1, 100_000).default(16).describe('Resumable uploads that one API key may have open.'),
      uploadExpirySeconds: integer(1, 365 * 86_400)
        .default(86_400)
        .describe('A resumable upload that nobody goes on with for this long is removed.'),
      eventStreams: integer(1, 100_000)
        .default(256)
        .describe('Streams of events that may be open, all clients together.'),
      eventStreamsPerKey: integer(1, 100_000)
        .default(64)
        .describe('Streams of events that one API key may have open, or one address while keys are off.'),
      queuedJobs: integer(1).default(10_000).describe('Jobs that may wait.'),
      stallSeconds: integer(1)
        .default(30)
        .describe('A request whose body brings no byte for this long is ended; a JSON body must be whole by then.'),
      minimumBytesPerSecond: integer(0)
        .default(1024)
        .describe('An upload slower than this on average is ended; 0 = no limit.'),
    })
    .prefault({}),
  quotas: z
    .strictObject({
      jobs: integer(0).default(0).describe('Jobs of one API key that wait or run; 0 = no limit.'),
      runningJobs: integer(0)
        .default(0)
        .describe('Jobs of one API key that run at the same time, while its others wait; 0 = no limit.'),
      storedBytes: integer(0)
        .default(0)
        .describe('Bytes of the inputs and results of the jobs of one API key; 0 = no limit.'),
      gpuSecondsPerDay: integer(0)
        .default(0)
        .describe('Seconds that the jobs of one API key may run in a day (UTC); 0 = no limit.'),
    })
    .prefault({}),
  audit: z
    .strictObject({
      days: integer(0).default(400).describe('Entries of the audit log are kept for this long; 0 = for ever.'),
    })
    .prefault({}),
  gpu: z
    .strictObject({
      policy: z
        .enum(['required', 'preferred', 'off'])
        .default('preferred')
        .describe(
          '`required`: refuse to start without a fitting GPU; `preferred`: fall back to the software ' +
            'adapter; `off`: the software adapter.',
        ),
      minimumMemoryBytes: integer(0)
        .optional()
        .describe('GPU memory needed. Default: 12 GiB when required, else none.'),
      vendors: list.default([]).describe('Allowed vendors, such as nvidia, amd, intel, apple; empty = all.'),
      allowSoftware: flag.optional().describe('Whether the software adapter will do. Default: not when required.'),
      skipSlowChecks: flag.default(false).describe('Skip the allocation at start, and shorten the self-test.'),
    })
    .prefault({}),
  worker: z
    .strictObject({
      adapters: list
        .default(['auto'])
        .describe(
          'One worker process for each: `auto`, `discrete`, an index, or a part of a name. Empty = no jobs ' +
            'are run here.',
        ),
      healthPort: integer(0, 65_535)
        .optional()
        .describe(
          'Port on which `plinth worker` answers /health, /health/live, /health/ready and /metrics. Default: none.',
        ),
      engine: z.string().optional().describe('Module that runs jobs instead of Plinth’s own engine; for tests.'),
    })
    .prefault({}),
  jobs: z
    .strictObject({
      timeLimitSeconds: integer(1, 7 * 86_400)
        .default(6 * 3600)
        .describe('Longest that one attempt may run.'),
      stallSeconds: integer(1)
        .default(30)
        .describe('A job whose work gives no sign for this long is stalled; after twice as long its process is ended.'),
      maxAttempts: integer(1, 100).default(3).describe('Attempts after failures of the machine.'),
    })
    .prefault({}),
  retention: z
    .strictObject({
      days: integer(0).default(30).describe('Finished jobs older than this are removed; 0 = never.'),
      quotaBytes: integer(0)
        .default(0)
        .describe('Bytes of inputs and results; the oldest finished jobs go first; 0 = no limit.'),
      minimumFreeBytes: integer(0)
        .default(2 * GiB)
        .describe(
          'With less free disk nothing is taken in or begun, and the service is unhealthy; what runs may use it.',
        ),
    })
    .prefault({}),
  webhooks: z
    .strictObject({
      allowPrivate: flag.default(false).describe('Allow webhook addresses of private networks and of this machine.'),
      secret: z
        .string()
        .regex(/^whsec_[A-Za-z0-9+/]{32,}={0,2}$/, 'must be `whsec_` followed by at least 24 bytes in base64')
        .optional()
        .describe('Secret that signs webhooks of jobs without one of their own, until it is rotated.'),
      dnsServers: list.default([]).describe('Name servers that are asked for receivers; empty = those of the system.'),
    })
    .prefault({}),
  telemetry: z
    .strictObject({
      endpoint: z.url().optional().describe('OTLP/HTTP address that receives traces, such as http://collector:4318.'),
    })
    .prefault({}),
  log: z
    .strictObject({
      level: z
        .enum(['silent', 'error', 'warn', 'info', 'debug'])
        .default('info')
        .describe('Least level that is logged.'),
    })
    .prefault({}),
});

export type Settings = z.infer<typeof settingsSchema>;
export type SettingsInput = z.input<typeof settingsSchema>;

/** Where a value came from. */
export type Origin = 'default' | `file ${string}` | `environment ${string}` | `flag ${string}`;

export interface LoadedSettings {
  value: Settings;
  /** For every setting by its path. */
  origin: Record<string, Origin>;
}

export interface SettingsSources {
  /** Flags by their setting's path, such as `{ 'limits.files': '100' }`. */
  flags?: Record<string, unknown>;
  /** Default: `process.env`. */
  environment?: Record<string, string | undefined>;
  /** File to read. Default: `PLINTH_CONFIG`, else `plinth.config.json` in the working folder if it is there. */
  file?: string;
}

/** Environment variables that other programs define, with the setting they stand for. */
const FOREIGN: Record<string, string> = { DATABASE_URL: 'database.url' };

export interface SettingFacts {
  path: string;
  environment: string;
  flag: string;
  description: string;
  secret: boolean;
  default: unknown;
}

/** Every setting with its names, for `--help`, `plinth config` and the documentation. */
export function describeSettings(): SettingFacts[] {
  const defaults = flatten(settingsSchema.parse({}));
  return leaves(settingsSchema).map(({ path, schema }) => ({
    path,
    environment: environmentName(path),
    flag: flagName(path),
    description: schema.description ?? '',
    secret: /secret|accessKeyId|database\.url/i.test(path),
    default: defaults[path],
  }));
}

/**
 * Settings from defaults, file, environment and flags, each overriding the ones before.
 * @throws `SETTINGS_INVALID` naming the setting and where its value came from.
 */
export function loadSettings(sources: SettingsSources = {}): LoadedSettings {
  const environment = sources.environment ?? process.env;
  checkEnvironment(environment);
  const paths = leaves(settingsSchema).map((leaf) => leaf.path);
  const values: Record<string, unknown> = {};
  const origin: Record<string, Origin> = Object.fromEntries(paths.map((path) => [path, 'default']));
  const set = (path: string, value: unknown, from: Origin): void => {
    if (!paths.includes(path)) throw unknownSetting(path, from, paths);
    values[path] = value;
    origin[path] = from;
  };

  const file =
    sources.file ?? environment.PLINTH_CONFIG ?? (existsSync('plinth.config.json') ? 'plinth.config.json' : undefined);
  if (file)
    for (const [path, value] of Object.entries(readSettingsFile(file, paths)))
      set(path, value, `file ${resolve(file)}`);

  for (const [name, path] of Object.entries(FOREIGN)) {
    if (environment[name]) set(path, environment[name], `environment ${name}`);
  }
  const byName = new Map(paths.map((path) => [environmentName(path), path]));
  for (const [name, value] of Object.entries(environment)) {
    const path = byName.get(name);
    if (path && value !== undefined && !isServiceLink(name, value)) set(path, value, `environment ${name}`);
  }
  for (const [path, value] of Object.entries(sources.flags ?? {})) {
    if (value !== undefined) set(path, value, `flag ${flagName(path)}`);
  }

  const parsed = settingsSchema.safeParse(unflatten(values));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const path = issue.path.join('.');
    throw new PlinthError('SETTINGS_INVALID', {
      found: `Setting ${path} is ${JSON.stringify(values[path])} (${origin[path] ?? 'default'}): ${issue.message}`,
      expected: describeSettings().find((s) => s.path === path)?.description,
      remedy: '`plinth config` prints every setting with its value and origin',
      subject: path,
    });
  }
  checkTogether(parsed.data);
  return { value: parsed.data, origin };
}

/**
 * Refuses variables that begin with `PLINTH_` and are none of Plinth's: what was meant would have no effect, without a
 * word.
 * @throws `SETTINGS_INVALID` with the nearest name
 */
export function checkEnvironment(environment: Record<string, string | undefined> = process.env): void {
  const known = [...leaves(settingsSchema).map((leaf) => environmentName(leaf.path)), ...Object.keys(VARIABLES)];
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith('PLINTH_') || value === undefined || known.includes(name) || isServiceLink(name, value))
      continue;
    throw new PlinthError('SETTINGS_INVALID', {
      found: `The environment sets ${name}, which Plinth does not know`,
      expected: `Perhaps ${nearest(name, known)}`,
      remedy: 'Correct its name or remove it; `plinth config` prints every setting',
      subject: name,
    });
  }
}

function checkTogether(settings: Settings): void {
  if (settings.storage.kind === 's3' && !settings.storage.bucket) {
    throw new PlinthError('SETTINGS_INVALID', {
      found: 'storage.kind is s3, but storage.bucket is not set',
      remedy: 'Set PLINTH_STORAGE_BUCKET',
      subject: 'storage.bucket',
    });
  }
}

function readSettingsFile(file: string, paths: string[]): Record<string, unknown> {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new PlinthError('SETTINGS_INVALID', {
      found: `${file} cannot be read as JSON: ${(error as Error).message}`,
      remedy: 'Mend the file, or give another with --config',
      subject: file,
    });
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new PlinthError('SETTINGS_INVALID', { found: `${file} holds no JSON object`, subject: file });
  }
  const groups = new Set(paths.filter((p) => p.includes('.')).map((p) => p.split('.')[0]));
  const flat: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(content)) {
    if (key === '$schema') continue;
    if (groups.has(key) && typeof value === 'object' && value !== null && !Array.isArray(value)) {
      for (const [inner, leaf] of Object.entries(value)) flat[`${key}.${inner}`] = leaf;
    } else flat[key] = value;
  }
  return flat;
}

function leaves(schema: z.ZodObject, prefix = ''): { path: string; schema: z.ZodType }[] {
  return Object.entries(schema.shape as Record<string, z.ZodType>).flatMap(([name, member]) => {
    const path = prefix + name;
    const inner = member instanceof z.ZodPrefault ? (member.unwrap() as z.ZodType) : member;
    return inner instanceof z.ZodObject ? leaves(inner, `${path}.`) : [{ path, schema: member }];
  });
}

function flatten(value: object, prefix = ''): Record<string, unknown> {
  return Object.assign(
    {},
    ...Object.entries(value).map(([key, v]) =>
      typeof v === 'object' && v !== null && !Array.isArray(v) ? flatten(v, `${prefix}${key}.`) : { [prefix + key]: v },
    ),
  );
}

function unflatten(values: Record<string, unknown>): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [path, value] of Object.entries(values)) {
    const [group, name] = path.split('.');
    if (name === undefined) result[group] = value;
    else {
      result[group] ??= {};
      (result[group] as Record<string, unknown>)[name] = value;
    }
  }
  return result;
}

function unknownSetting(path: string, from: Origin, paths: string[]): PlinthError {
  const last = path.split('.').at(-1)!.toLowerCase();
  const near = paths.filter((p) => p.toLowerCase().includes(last) || last.includes(p.split('.').at(-1)!.toLowerCase()));
  return new PlinthError('SETTINGS_INVALID', {
    found: `There is no setting ${path} (${from})`,
    expected: near.length > 0 ? near.join(', ') : paths.join(', '),
    remedy: '`plinth config` prints every setting',
    subject: path,
  });
}

/** Lines of `plinth config`: every setting with value and origin, secrets hidden. */
export function printableSettings(loaded: LoadedSettings): { path: string; value: unknown; origin: Origin }[] {
  const flat = flatten(loaded.value);
  return describeSettings().map(({ path, secret }) => ({
    path,
    value: secret && flat[path] !== undefined ? '••••' : flat[path],
    origin: loaded.origin[path],
  }));
}
