import pg from 'pg';
import { type Database, databaseUnavailable, type Queryable } from './database.js';

/** Connections per process: API requests, events and worker slots share them. */
const POOL_SIZE = 10;
const CONNECT_TIMEOUT_MS = 10_000;

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

/** @throws `DATABASE_UNAVAILABLE` */
export async function openPostgres(url: string): Promise<Database> {
  const pool = new pg.Pool({
    connectionString: url,
    max: POOL_SIZE,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    application_name: 'plinth',
    keepAlive: true,
  });
  // An idle connection that breaks is replaced on the next use; without a listener it would end the process.
  pool.on('error', () => {});
  try {
    await pool.query('SELECT 1');
  } catch (error) {
    await pool.end();
    throw databaseUnavailable(label(url), error);
  }
  const listeners = new Set<() => Promise<void>>();

  const query = async <Row extends object>(text: string, values?: unknown[]): Promise<Row[]> =>
    rowsOf<Row>(await pool.query(text, values));

  return {
    kind: 'postgres',
    query,
    async transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T> {
      const client = await pool.connect();
      let broken: Error | undefined;
      const onError = (error: Error) => {
        broken = error;
      };
      client.on('error', onError);
      try {
        await client.query('BEGIN');
        const result = await work({
          query: async <Row extends object>(text: string, values?: unknown[]) =>
            rowsOf<Row>(await client.query(text, values)),
        });
        await client.query('COMMIT');
        return result;
      } catch (error) {
        await client.query('ROLLBACK').catch((e: Error) => {
          broken = e;
        });
        throw error;
      } finally {
        client.removeListener('error', onError);
        client.release(broken);
      }
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
      await Promise.all([...listeners].map((stop) => stop()));
      await pool.end();
    },
  };
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
