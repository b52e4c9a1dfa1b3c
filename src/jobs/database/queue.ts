import { PgBoss } from 'pg-boss';
import type { Database, Queryable } from './database.js';
import { aloneOnDatabase } from './migrations.js';

const QUEUE = 'jobs';
/**
 * A ticket is claimed and completed in one transaction, so none stays active; the bound only guards against a defect.
 */
const TICKET_SECONDS = 60;

/** Turns that are told apart within one priority; priorities up to 2,000 fit the queue's integers. */
const TURNS = 1_000_000;

/** What is queued: which job to run. The job's row is the truth; a ticket that does not match the row is void. */
interface Ticket {
  job: string;
}

/**
 * The order of work, kept by pg-boss in the same database as the job rows, so that both change together or not at all.
 */
export class Queue {
  private constructor(private readonly boss: PgBoss) {}

  static async open(db: Database, onError: (error: Error) => void): Promise<Queue> {
    const boss = new PgBoss({
      db: adapter(db),
      backend: db.kind === 'embedded' ? 'pglite' : 'postgres',
      schema: 'plinth_queue',
      schedule: false,
      registerInstance: false,
      reindex: false,
      monitorVacuum: false,
      maintenanceIntervalSeconds: 300,
    });
    boss.on('error', onError);
    const start = async (): Promise<void> => {
      await boss.start();
      await boss.createQueue(QUEUE, { retryLimit: 1000, expireInSeconds: TICKET_SECONDS, deleteAfterSeconds: 600 });
    };
    // Of several processes that start at once on a new database one makes the tables: its schema is made without a
    // lock.
    if (db.kind === 'embedded') await start();
    else await aloneOnDatabase(db, start);
    // Inside a transaction the embedded database cannot answer on another connection, so the queue's facts are read
    // before.
    await boss.getQueue(QUEUE);
    await boss.fetch(QUEUE, { batchSize: 1, minPriority: 2_000_000_000 });
    return new Queue(boss);
  }

  /**
   * Queues a job inside `tx`; the ticket's id goes into the job's row. Higher priorities come first; of one priority
   * lower turns, and of one turn whoever came first.
   */
  async send(tx: Queryable, job: string, priority = 0, turn = 0): Promise<string> {
    const id = await this.boss.send(QUEUE, { job } satisfies Ticket, {
      db: adapter(tx),
      priority: priority * TURNS - Math.min(turn, TURNS - 1),
      retentionSeconds: 86_400 * 365,
    });
    if (id === null) throw new Error('the queue did not take the job');
    return id;
  }

  /** The next ticket, taken off the queue inside `tx`. */
  async take(tx: Queryable): Promise<{ ticket: string; job: string } | undefined> {
    const db = adapter(tx);
    const [ticket] = await this.boss.fetch<Ticket>(QUEUE, { db, batchSize: 1 });
    if (!ticket) return undefined;
    await this.boss.complete(QUEUE, ticket.id, null, { db });
    return { ticket: ticket.id, job: ticket.data.job };
  }

  /** Removes the ticket of a job that is cancelled or deleted before it began. */
  async withdraw(ticket: string): Promise<void> {
    await this.boss.deleteJob(QUEUE, ticket);
  }

  async close(): Promise<void> {
    await this.boss.stop({ graceful: false, close: false });
  }
}

const adapter = (db: Queryable) => ({
  executeSql: async (text: string, values?: unknown[]) => ({ rows: await db.query(text, values) }),
});
