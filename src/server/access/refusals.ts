import { isIP } from 'node:net';
import type { Database } from '../../jobs/database/database.js';
import { type AuditEntry, addAudit, countAudit } from './audit.js';
import { groupOf } from './throttle.js';

/** Rows that refusals may add to the audit log in one period: of one client, and of all together. */
const ROWS_OF_ONE = 10;
const ROWS = 50;
const PERIOD_MS = 60_000;

type Refusal = AuditEntry & { refusal: string };

/**
 * Writes refused requests into the audit log, without letting whoever is refused fill it: like ones are one row, which
 * says at the end of the minute how many they were, and what goes beyond the rows of a minute is one row together.
 */
export class Refusals {
  private readonly seen = new Map<string, { times: number; row: Promise<string | undefined> }>();
  private readonly rowsOf = new Map<string, number>();
  private beyond = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly db: Database,
    private readonly onError: (error: unknown) => void,
  ) {}

  /** Whether it is the first of its kind in this minute, and has a row of its own. */
  add(refusal: Refusal): boolean {
    this.timer ??= setTimeout(() => void this.flush(), PERIOD_MS).unref();
    const client = isIP(refusal.address ?? '') ? groupOf(refusal.address!) : '';
    const id = JSON.stringify([client, refusal.key, refusal.action, refusal.refusal, refusal.subject]);
    const same = this.seen.get(id);
    if (same) {
      same.times++;
      return false;
    }
    const rows = this.rowsOf.get(client) ?? 0;
    if (rows >= ROWS_OF_ONE || this.seen.size >= ROWS) {
      this.beyond++;
      return false;
    }
    this.rowsOf.set(client, rows + 1);
    const row = addAudit(this.db, refusal).catch((error) => {
      this.onError(error);
      return undefined;
    });
    this.seen.set(id, { times: 1, row });
    return true;
  }

  /** Ends the minute: writes how many there were of each kind. */
  async flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const [seen, beyond] = [[...this.seen.values()], this.beyond];
    this.seen.clear();
    this.rowsOf.clear();
    this.beyond = 0;
    try {
      for (const { times, row } of seen) {
        const id = await row;
        if (id !== undefined && times > 1) await countAudit(this.db, id, times);
      }
      if (beyond > 0)
        await addAudit(this.db, { name: 'several', action: 'several', refusal: 'several', times: beyond });
    } catch (error) {
      this.onError(error);
    }
  }
}
