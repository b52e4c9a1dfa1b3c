import type { ServerResponse } from 'node:http';
import type { Database } from '../../jobs/database/database.js';
import { type ApiKey, COLUMNS, hashOf, KEY_PREFIX, REVOKED_CHANNEL, randomKey } from './apiKeys.js';

/** A key that was found is not looked up again for this long. */
const CACHE_MS = 5_000;
const CACHE_ENTRIES = 1000;
/** Keys of open answers are looked up this often, should the word of a revocation have been lost. */
const SWEEP_MS = 5_000;

/** Of whoever may read the data folder: the command line beside the running service. */
export const OPERATOR_ID = '00000000-0000-4000-8000-000000000000';
const OPERATOR: Omit<ApiKey, 'createdAt'> = {
  id: OPERATOR_ID,
  name: 'operator',
  scope: 'admin',
  project: null,
  quotas: {},
  lastUsedAt: null,
  revokedAt: null,
};

/** Looks keys up, with a short memory, and ends what a key holds open when it is revoked. */
export class KeyRing {
  /** The key of whoever may read the data folder; works as long as this process. */
  readonly operatorKey = randomKey();
  private readonly operator: ApiKey = { ...OPERATOR, createdAt: new Date() };
  private readonly operatorHash = hashOf(this.operatorKey);
  /** Keys that work, by the hash of their text. */
  private readonly seen = new Map<string, { key: ApiKey; until: number }>();
  private readonly open = new Map<string, Set<ServerResponse>>();
  private unlisten: (() => Promise<void>) | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly db: Database) {}

  /** Begins to hear of revocations. */
  async start(): Promise<void> {
    this.unlisten = await this.db.listen(REVOKED_CHANNEL, (id) => this.end(id));
    this.timer = setInterval(() => void this.sweep().catch(() => {}), SWEEP_MS);
    this.timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.unlisten?.();
  }

  /** The operator's key, where the text is it: without a question to the database. */
  operatorOf(text: string | undefined): ApiKey | undefined {
    return text !== undefined && hashOf(text) === this.operatorHash ? this.operator : undefined;
  }

  operatorIs(key: ApiKey | undefined): boolean {
    return key === this.operator;
  }

  /** Whether the text is that of a key that worked a moment ago: no question for the database. */
  isKnown(text: string): boolean {
    const hash = hashOf(text);
    return hash === this.operatorHash || this.seen.has(hash);
  }

  /** The key of that text, where it works. */
  async find(text: string): Promise<ApiKey | undefined> {
    if (!text.startsWith(KEY_PREFIX) || text.length > 200) return undefined;
    const hash = hashOf(text);
    if (hash === this.operatorHash) return this.operator;
    const known = this.seen.get(hash);
    if (known && known.until > Date.now()) return known.key;
    this.seen.delete(hash);
    const [key] = await this.db.query<ApiKey & { stale: boolean }>(
      `SELECT ${COLUMNS}, (last_used_at IS NULL OR last_used_at < now() - interval '1 minute') AS stale
       FROM plinth.api_keys WHERE hash = $1 AND revoked_at IS NULL`,
      [hash],
    );
    if (!key) return undefined;
    const { stale, ...facts } = key;
    if (stale) await this.db.query('UPDATE plinth.api_keys SET last_used_at = now() WHERE id = $1', [facts.id]);
    if (this.seen.size >= CACHE_ENTRIES) this.seen.delete(this.seen.keys().next().value!);
    this.seen.set(hash, { key: facts, until: Date.now() + CACHE_MS });
    return facts;
  }

  /** Ends the answer, should the key be revoked before it is over. */
  track(key: ApiKey, answer: ServerResponse): void {
    if (key === this.operator) return;
    const answers = this.open.get(key.id) ?? new Set();
    this.open.set(key.id, answers.add(answer));
    answer.once('close', () => {
      answers.delete(answer);
      if (answers.size === 0 && this.open.get(key.id) === answers) this.open.delete(key.id);
    });
  }

  /** Lets an answer end by itself, though the key is revoked: it is the one that says so. */
  spare(key: ApiKey | undefined, answer: ServerResponse): void {
    if (key) this.open.get(key.id)?.delete(answer);
  }

  /** Forgets a key that was revoked and ends what it holds open. */
  end(id: string): void {
    for (const [hash, { key }] of this.seen) if (key.id === id) this.seen.delete(hash);
    for (const answer of this.open.get(id) ?? []) answer.destroy();
  }

  private async sweep(): Promise<void> {
    const ids = [...this.open.keys()];
    if (ids.length === 0) return;
    const rows = await this.db.query<{ id: string }>(
      'SELECT id FROM plinth.api_keys WHERE id = ANY($1::uuid[]) AND revoked_at IS NULL',
      [ids],
    );
    for (const id of ids) if (!rows.some((row) => row.id === id)) this.end(id);
  }
}
