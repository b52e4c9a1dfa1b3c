import { JOB_STATES, type JobState } from '../jobRecord.js';

export interface JobFilter {
  /** Default: every state. */
  state?: JobState[];
  /** Part of the name, in whatever case. */
  search?: string;
  /** API key that made the job. Default: everybody's. */
  owner?: string;
  limit: number;
  /** The last job of the page before: `at` an ISO date, `id` a UUID. */
  cursor?: { at: string; id: string };
}

/** Of so many newest jobs the names are looked at one by one, before the index of names is asked. */
const WINDOW = 1000;

const NEWEST_FIRST = 'ORDER BY created_at DESC, id DESC';

type Statement = [text: string, values: unknown[]];

/**
 * The newest jobs of the filter, from an index in its order. Where it holds a search, of the newest `WINDOW` jobs:
 * words that many names share fill a page from those, and the index of names would find them all.
 */
export function listStatement(columns: string, filter: JobFilter): Statement {
  const values: unknown[] = [];
  const bind = (value: unknown): string => `$${values.push(value)}`;
  const limit = bind(filter.limit);
  const conditions = common(filter, bind);
  // One scan for each state: a list of states in one scan would read past the jobs of all the others. The jobs of one
  // owner are in the order of their states as well, so that one index serves both.
  const asked = filter.state?.length ? [...new Set(filter.state)] : filter.owner ? JOB_STATES : undefined;
  const states = asked ? asked.map((s) => `state = ${bind(s)}`) : [undefined];
  const scan = (what: string, state: string | undefined, most: string): string =>
    `SELECT ${what} FROM plinth.jobs ${where([state, ...conditions])} ${NEWEST_FIRST} LIMIT ${most}`;
  if (states.length === 1 && !filter.search) return [scan(columns, states[0], limit), values];
  const inner = filter.search ? bind(Math.max(WINDOW, filter.limit)) : limit;
  const scans = states.map((state) => `(${scan('id, created_at, name', state, inner)})`);
  const names = filter.search ? where([nameMatches('newest.name', filter.search, bind)]) : '';
  const ids = `SELECT id FROM (${scans.join(' UNION ALL ')}) AS newest ${names} ${NEWEST_FIRST} LIMIT ${limit}`;
  return [`${byIds(columns, ids)} LIMIT ${limit}`, values];
}

/** All jobs of the filter whose names match, by the index of names. */
export function searchStatement(columns: string, filter: JobFilter & { search?: string }): Statement {
  const values: unknown[] = [];
  const bind = (value: unknown): string => `$${values.push(value)}`;
  const limit = bind(filter.limit);
  const conditions = common(filter, bind);
  const states = filter.state?.length ? `state IN (${filter.state.map(bind).join(', ')})` : undefined;
  // Apart, so that nobody thinks of reading all jobs in their order until enough have matched.
  const found = `WITH found AS MATERIALIZED (
      SELECT id, created_at FROM plinth.jobs ${where([nameMatches('name', filter.search ?? '', bind), states, ...conditions])}
    )`;
  const ids = `SELECT id FROM found ${NEWEST_FIRST} LIMIT `;
  return [`${found} ${byIds(columns, ids + limit)} LIMIT ${limit}`, values];
}

const byIds = (columns: string, ids: string): string =>
  `SELECT ${columns} FROM plinth.jobs WHERE id = ANY(ARRAY(${ids})) ${NEWEST_FIRST}`;

const where = (conditions: (string | undefined)[]): string => {
  const given = conditions.filter((c) => c !== undefined);
  return given.length > 0 ? `WHERE ${given.join(' AND ')}` : '';
};

function common({ owner, cursor }: JobFilter, bind: (value: unknown) => string): string[] {
  const conditions: string[] = [];
  if (owner) conditions.push(`owner = ${bind(owner)}::uuid`);
  if (cursor) conditions.push(`(created_at, id) < (${bind(cursor.at)}::timestamptz, ${bind(cursor.id)}::uuid)`);
  return conditions;
}

const nameMatches = (column: string, search: string, bind: (value: unknown) => string): string =>
  `lower(${column}) LIKE lower(${bind(`%${search.replace(/[\\%_]/g, '\\$&')}%`)})`;
