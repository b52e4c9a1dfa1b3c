import { PlinthError } from '../../core/errors.js';
import type { Database, Queryable } from './database.js';

/** Schema of Plinth's own tables. The queue's tables live in `plinth_queue`. */
export const SCHEMA = 'plinth';

/** Each entry brings the schema from its index to the next version. Entries that were released are never changed. */
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE plinth.jobs (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    state text NOT NULL CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
    request jsonb NOT NULL,
    input jsonb NOT NULL,
    owner uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    queued_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    finished_at timestamptz,
    ticket uuid,
    claim uuid,
    worker uuid,
    heartbeat_at timestamptz,
    attempt integer NOT NULL DEFAULT 0,
    machine_failures integer NOT NULL DEFAULT 0,
    interruptions integer NOT NULL DEFAULT 0,
    reduced boolean NOT NULL DEFAULT false,
    cancel_requested boolean NOT NULL DEFAULT false,
    progress jsonb,
    failure jsonb,
    result jsonb,
    result_claim uuid,
    result_bytes double precision NOT NULL DEFAULT 0,
    last_event integer NOT NULL DEFAULT 0
  );
  CREATE INDEX jobs_created ON plinth.jobs (created_at DESC, id);
  CREATE INDEX jobs_state ON plinth.jobs (state, queued_at);

  CREATE TABLE plinth.events (
    job uuid NOT NULL REFERENCES plinth.jobs ON DELETE CASCADE,
    seq integer NOT NULL,
    type text NOT NULL,
    data jsonb NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (job, seq)
  );

  CREATE TABLE plinth.idempotency (
    owner text NOT NULL,
    key text NOT NULL,
    fingerprint text NOT NULL,
    job uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (owner, key)
  );

  CREATE TABLE plinth.api_keys (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    hash text NOT NULL UNIQUE,
    scopes jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz,
    revoked_at timestamptz
  );

  CREATE TABLE plinth.webhook_deliveries (
    id uuid PRIMARY KEY,
    job uuid NOT NULL,
    url text NOT NULL,
    secret text NOT NULL,
    body text NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    next_at timestamptz DEFAULT now(),
    delivered_at timestamptz,
    last_error text,
    created_at timestamptz NOT NULL DEFAULT now()
  );
  CREATE INDEX webhook_deliveries_due ON plinth.webhook_deliveries (next_at) WHERE next_at IS NOT NULL;

  CREATE TABLE plinth.workers (
    id uuid PRIMARY KEY,
    host text NOT NULL,
    pid integer NOT NULL,
    version text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    heartbeat_at timestamptz NOT NULL DEFAULT now(),
    facts jsonb NOT NULL
  );
  `,
  // Lists are ordered by time and id. Dates in JavaScript carry milliseconds, so the column does too: an order by a
  // rounded expression would have no index.
  `
  ALTER TABLE plinth.jobs ALTER COLUMN created_at TYPE timestamptz(3) USING date_trunc('milliseconds', created_at);
  DROP INDEX plinth.jobs_created;
  DROP INDEX plinth.jobs_state;
  CREATE INDEX jobs_listed ON plinth.jobs (created_at DESC, id DESC);
  CREATE INDEX jobs_listed_by_state ON plinth.jobs (state, created_at DESC, id DESC);
  CREATE INDEX jobs_listed_by_owner ON plinth.jobs (owner, state, created_at DESC, id DESC) WHERE owner IS NOT NULL;
  CREATE INDEX jobs_finished ON plinth.jobs (finished_at) WHERE finished_at IS NOT NULL;
  `,
  // Set once nothing is left of a job that has ended but its record, input, result, log and previews.
  `
  ALTER TABLE plinth.jobs ADD COLUMN tidied boolean NOT NULL DEFAULT false;
  CREATE INDEX jobs_untidy ON plinth.jobs (finished_at) WHERE NOT tidied AND finished_at IS NOT NULL;
  `,
  // Messages have limits for each receiver, are listed for each job, and are signed with secrets that can be rotated.
  `
  ALTER TABLE plinth.webhook_deliveries ADD COLUMN receiver text NOT NULL DEFAULT '';
  ALTER TABLE plinth.webhook_deliveries ADD COLUMN last_status integer;
  ALTER TABLE plinth.webhook_deliveries ALTER COLUMN secret DROP NOT NULL;
  CREATE INDEX webhook_deliveries_job ON plinth.webhook_deliveries (job);
  CREATE TABLE plinth.webhook_secrets (
    id uuid PRIMARY KEY,
    secret text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz
  );
  `,
  // Whose a job is, what its key may use, in which order keys take turns, and who did what.
  `
  ALTER TABLE plinth.api_keys ADD COLUMN project text, ADD COLUMN quotas jsonb NOT NULL DEFAULT '{}';
  ALTER TABLE plinth.jobs ADD COLUMN key uuid, ADD COLUMN turn integer NOT NULL DEFAULT 0, ADD COLUMN claimed_at timestamptz;
  UPDATE plinth.jobs SET key = owner WHERE owner IS NOT NULL;
  UPDATE plinth.jobs SET claimed_at = now() WHERE state = 'running';
  -- Lists of waiting jobs say nothing of turns, so they cannot take this index and sort all that wait.
  CREATE INDEX jobs_turn ON plinth.jobs (turn) WHERE state = 'queued' AND turn >= 0;
  CREATE INDEX jobs_of_key ON plinth.jobs (key, state, turn);

  CREATE TABLE plinth.usage (
    key uuid NOT NULL,
    day date NOT NULL,
    gpu_seconds double precision NOT NULL,
    PRIMARY KEY (key, day)
  );
  CREATE FUNCTION plinth.count_usage() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    IF NEW.state = 'running' THEN
      NEW.claimed_at := now();
    ELSIF OLD.state = 'running' AND NEW.key IS NOT NULL AND OLD.claimed_at IS NOT NULL THEN
      INSERT INTO plinth.usage AS u (key, day, gpu_seconds)
        -- A worker that fell silent worked no longer than until then, however late that is noticed.
        VALUES (NEW.key, (now() AT TIME ZONE 'UTC')::date, greatest(0, extract(epoch FROM
          least(now(), coalesce(OLD.heartbeat_at, now()) + interval '20 seconds') - OLD.claimed_at)))
        ON CONFLICT (key, day) DO UPDATE SET gpu_seconds = u.gpu_seconds + excluded.gpu_seconds;
      NEW.claimed_at := NULL;
    END IF;
    RETURN NEW;
  END $$;
  CREATE TRIGGER count_usage BEFORE UPDATE OF state ON plinth.jobs
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION plinth.count_usage();

  CREATE TABLE plinth.audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    key uuid,
    name text NOT NULL,
    action text NOT NULL,
    subject text,
    address text,
    request text
  );
  CREATE INDEX audit_at ON plinth.audit (at);
  `,
  // The direct upload that a job was made of makes no second one; what was refused is written down as well; and jobs
  // of a key that runs as many as it may are held back, without a place in the queue.
  `
  ALTER TABLE plinth.jobs ADD COLUMN upload uuid, ADD COLUMN running_limit integer,
    ADD COLUMN held boolean NOT NULL DEFAULT false;
  CREATE INDEX jobs_held ON plinth.jobs (key, turn) WHERE held;
  CREATE UNIQUE INDEX jobs_upload ON plinth.jobs (upload) WHERE upload IS NOT NULL;
  ALTER TABLE plinth.audit ADD COLUMN refusal text, ADD COLUMN times integer NOT NULL DEFAULT 1;
  `,
  // Lists show how many files a result has and one of its pictures, and need not read the names of all. Results from
  // before keep their files where they were: with many jobs, moving them would hold up the first start for minutes.
  `
  ALTER TABLE plinth.jobs ADD COLUMN files jsonb, ADD COLUMN result_files integer NOT NULL DEFAULT 0, ADD COLUMN thumbnail text;
  `,
];

export const SCHEMA_VERSION = MIGRATIONS.length;

/** Until the transaction ends nobody else changes the schema. */
async function lockSchema(tx: Queryable): Promise<void> {
  // Large tables take their time, and whoever waits for one that changes them does.
  await tx.query('SET LOCAL statement_timeout = 0');
  await tx.query('SET LOCAL idle_in_transaction_session_timeout = 0');
  await tx.query('SELECT pg_advisory_xact_lock(7406141)');
}

/** Does what changes the schema on other connections than one of its own, while nobody else does. */
export async function aloneOnDatabase(db: Database, work: () => Promise<void>): Promise<void> {
  await db.transaction(async (tx) => {
    await lockSchema(tx);
    await work();
  });
}

/**
 * Brings the tables to this version. Safe when several processes start at once.
 * @throws `DATABASE_TOO_NEW`
 */
export async function migrate(db: Database): Promise<void> {
  await db.transaction(async (tx) => {
    await lockSchema(tx);
    const found = await readVersion(tx);
    if (found > MIGRATIONS.length) {
      throw new PlinthError('DATABASE_TOO_NEW', {
        found: `The database has schema version ${found}`,
        expected: `at most ${MIGRATIONS.length}`,
        remedy: 'Run the Plinth version that wrote it, or a newer one',
      });
    }
    await applySteps(tx, found, MIGRATIONS.length);
  });
}

/** Brings the tables from one version (0: there are none) to another, inside `tx`. */
export async function applySteps(tx: Queryable, from: number, to: number): Promise<void> {
  await readVersion(tx);
  for (const step of MIGRATIONS.slice(from, to)) await tx.query(step);
  await tx.query(`DELETE FROM ${SCHEMA}.version`);
  await tx.query(`INSERT INTO ${SCHEMA}.version VALUES ($1)`, [to]);
}

/** The version of the tables; 0 where there are none. Makes the schema that keeps it. */
async function readVersion(tx: Queryable): Promise<number> {
  await tx.query(`CREATE SCHEMA IF NOT EXISTS ${SCHEMA}`);
  await tx.query(`CREATE TABLE IF NOT EXISTS ${SCHEMA}.version (version integer NOT NULL)`);
  const [row] = await tx.query<{ version: number }>(`SELECT version FROM ${SCHEMA}.version`);
  return row?.version ?? 0;
}

/**
 * The index that serves searches in names. It needs PostgreSQL's extension pg_trgm, which the embedded database brings;
 * where an installation lacks it, or its user may not add it, searches read every name instead. False then.
 */
export async function indexNames(db: Database): Promise<boolean> {
  try {
    await db.transaction(async (tx) => {
      await lockSchema(tx);
      await tx.query('CREATE EXTENSION IF NOT EXISTS pg_trgm');
      const [{ schema }] = await tx.query<{ schema: string }>(
        `SELECT quote_ident(nspname) AS schema FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace
         WHERE extname = 'pg_trgm'`,
      );
      // Without the list of pending entries, which every search would have to read whole.
      await tx.query(
        `CREATE INDEX IF NOT EXISTS jobs_names ON ${SCHEMA}.jobs USING gin (lower(name) ${schema}.gin_trgm_ops)
         WITH (fastupdate = off)`,
      );
    });
    return true;
  } catch (error) {
    // SQLSTATE 0A000: the extension is not installed; 42501: it may not be added; 58P01: its files are missing.
    if (['0A000', '42501', '58P01'].includes((error as { code?: string }).code ?? '')) return false;
    throw error;
  }
}
