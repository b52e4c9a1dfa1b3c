import { PlinthError } from '../../core/errors.js';

/** Runs statements: the database itself, or one transaction of it. */
export interface Queryable {
  /** Rows of the last statement. Without values, `text` may hold several statements. */
  query<Row extends object = Record<string, unknown>>(text: string, values?: unknown[]): Promise<Row[]>;
}

/**
 * The one face of the two databases that Plinth runs on: PostgreSQL, and the same PostgreSQL embedded in the process.
 * Statements, types and transactions are alike; nothing above this file knows which one it is, save for what `kind`
 * decides.
 */
export interface Database extends Queryable {
  /** `embedded`: this process is the only one that can reach the data. */
  readonly kind: 'embedded' | 'postgres';
  /** All statements of `work` or none. Inside, use only the given `Queryable`. */
  transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T>;
  /**
   * Calls `heard` for every NOTIFY on the channel; silently reconnects. Messages may be lost meanwhile, so callers poll
   * as well.
   */
  listen(channel: string, heard: (payload: string) => void): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

/** Wraps what the driver throws when the database cannot be reached. */
export const databaseUnavailable = (where: string, cause: unknown): PlinthError =>
  new PlinthError('DATABASE_UNAVAILABLE', {
    found: `${where}: ${(cause as Error).message || String(cause)}`,
    expected: 'a database that answers',
    remedy: 'Check that it runs, and the address and password in DATABASE_URL or the data folder',
    subject: where,
    cause,
  });
