import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { PlinthError } from '../../core/errors.js';
import { type Database, databaseUnavailable, type Queryable } from './database.js';

/** Connections per process: API requests, events and worker slots share them. */
const POOL_SIZE = 10;
/**
 * A database that is away is answered for within two seconds: so long may a connection take, a free one of the pool
 * included.
 */
const CONNECT_TIMEOUT_MS = 1_500;
/** The first connection of a process may take longer: both may just be starting. */
const FIRST_CONNECT_MS = 10_000;
/**
 * A statement that takes longer than this makes Plinth ask, on another connection, whether the database still answers.
 */
const DOUBT_MS = 500;
const PROBE_MS = 1_000;
/** No statement of the service takes this long; migrations have no limit. */
const STATEMENT_MS = 30_000;

/** Rows of the last statement; node-postgres answers a text of several statements with one result for each. */
const rowsOf = <Row>(result: unknown): Row[] => {
  const results = Array.isArray(result) ? result : [result];
  return results.flatMap((r: { rows?: Row[] }) => r.rows ?? []);
};

/** PostgreSQL by its address, without the password, for messages. */
function label(url: string): string {
  try {
    const parsed = new URL(url);
    return `PostgreSQL at ${parsed.host || parsed.searchParams.get('host') || 'local socket'}${parsed.pathname}`;
  } catch {
    return 'PostgreSQL';
  }
}

/**
 * SQLSTATE classes and codes, and codes of the network, that say that the database cannot be reached, is starting or
 * stopping, or has no room.
 */
const AWAY = /^(08...|53...|57P0[1235]|57014|E(CONN\w+|PIPE|HOSTUNREACH|NETUNREACH|NOTFOUND|AI_AGAIN|TIMEDOUT))$/;
const AWAY_WORDS = /connection terminated|timeout exceeded when trying to connect|timeout expired|not queryable/i;

const isAway = (error: unknown): boolean => {
  const { code, message } = error as { code?: string; message?: string };
  return AWAY.test(code ?? '') || AWAY_WORDS.test(message ?? '');
};

/** @throws `DATABASE_UNAVAILABLE`, as every method of the database does while it is away */
export async function openPostgres(url: string): Promise<Database> {
  const where = label(url);
  const coded = (error: unknown): unknown => (isAway(error) ? databaseUnavailable(where, error) : error);
  await answers(url, FIRST_CONNECT_MS).catch((error) => {
    throw databaseUnavailable(where, error);
  });
  const pool = new pg.Pool({
    connectionString: url,
    max: POOL_SIZE,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_MS,
    idle_in_transaction_session_timeout: STATEMENT_MS,
    application_name: 'plinth',
    keepAlive: true,
  });
  // An idle connection that breaks is replaced on the next use; without a listener it would end the process.
  pool.on('error', () => {});
  const listeners = new Set<() => Promise<void>>();

  let probing: Promise<void> | undefined;
  /** Waits for a statement, as long as the database answers others. */
  async function patiently<T>(statement: Promise<T>): Promise<T> {
    statement.catch(() => {});
    for (let pause = DOUBT_MS; ; pause = 2_000) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<typeof LATE>((resolve) => {
        timer = setTimeout(() => resolve(LATE), pause);
      });
      const first = await Promise.race([statement, late]).finally(() => clearTimeout(timer));
      if (first !== LATE) return first as T;
      probing ??= answers(url, PROBE_MS).finally(() => {
        probing = undefined;
      });
      // The statement may still be quicker, or know better why the database is away.
      const alive = await Promise.race([
        probing.then(
          () => undefined,
          (error: Error) => error,
        ),
        statement.then(
          () => undefined,
          () => undefined,
        ),
      ]);
      if (alive) throw databaseUnavailable(where, alive);
    }
  }

  /** Runs `work` on a connection, which is given up when it broke or hangs. */
  async function connected<T>(work: (run: <Row>(text: string, values?: unknown[]) => Promise<Row[]>) => Promise<T>) {
    let broken: Error | boolean = false;
    const client = await pool.connect().catch((error) => {
      // Whatever is wrong with a connection that cannot be had, the database is away.
      throw databaseUnavailable(where, error);
    });
    const onError = (error: Error): void => {
      broken = error;
    };
    client.on('error', onError);
    try {
      return await work(async <Row>(text: string, values?: unknown[]) => {
        try {
          return rowsOf<Row>(await patiently(client.query(text, values)));
        } catch (error) {
          const known = coded(error);
          if (known instanceof PlinthError) broken = true;
          throw known;
        }
      });
    } finally {
      client.removeListener('error', onError);
      client.release(broken);
    }
  }

  return {
    kind: 'postgres',
    query: <Row extends object>(text: string, values?: unknown[]) => connected((run) => run<Row>(text, values)),
    async transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T> {
      return await connected(async (run) => {
        await run('BEGIN');
        try {
          const result = await work({ query: run });
          await run('COMMIT');
          return result;
        } catch (error) {
          // A connection that was lost has rolled back by itself.
          if (!(error instanceof PlinthError && error.code === 'DATABASE_UNAVAILABLE'))
            await run('ROLLBACK').catch(() => {});
          throw error;
        }
      });
    },
    async listen(channel, heard) {
      const close = await listenOn(url, channel, heard);
      listeners.add(close);
      return async () => {
        listeners.delete(close);
        await close();
      };
    },
    async close() {
      // A server that hangs says no farewell.
      const ended = Promise.all([...listeners].map((stop) => stop())).then(() => pool.end());
      await Promise.race([ended, sleep(PROBE_MS, undefined, { ref: false })]);
    },
  };
}

const LATE = Symbol('late');

/** Resolves when the database answers on a new connection. */
async function answers(url: string, timeoutMs: number): Promise<void> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'plinth-probe',
    connectionTimeoutMillis: timeoutMs,
    query_timeout: timeoutMs,
  });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query('SELECT 1');
  } finally {
    // Its farewell may wait for a server that hangs.
    void client.end().catch(() => {});
  }
}

/** A connection of its own for LISTEN, opened again with growing pauses whenever it breaks. */
async function listenOn(url: string, channel: string, heard: (payload: string) => void): Promise<() => Promise<void>> {
  let closed = false;
  let client: pg.Client | undefined;
  let timer: NodeJS.Timeout | undefined;
  let pause = 250;

  const connect = async (): Promise<void> => {
    const next = new pg.Client({ connectionString: url, application_name: 'plinth-listen', keepAlive: true });
    client = next;
    const lost = (): void => {
      if (client !== next) return;
      client = undefined;
      if (closed) return;
      timer = setTimeout(() => void connect().catch(() => {}), pause);
      pause = Math.min(pause * 2, 10_000);
    };
    next.on('error', lost);
    next.on('end', lost);
    next.on('notification', (message) => heard(message.payload ?? ''));
    try {
      await next.connect();
      await next.query(`LISTEN ${channel}`);
      pause = 250;
    } catch (error) {
      await next.end().catch(() => {});
      lost();
      throw error;
    }
  };
  await connect().catch(() => {});
  return async () => {
    closed = true;
    clearTimeout(timer);
    await client?.end().catch(() => {});
  };
}
