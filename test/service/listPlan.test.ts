import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Database } from '../../src/jobs/database/database.js';
import { type JobFilter, listStatement, searchStatement } from '../../src/jobs/database/listJobs.js';
import { indexNames, migrate } from '../../src/jobs/database/migrations.js';
import { openDatabase } from '../../src/jobs/database/openDatabase.js';
import { onBothDatabases } from './databases.js';
import { seedJobs } from './seedJobs.js';
import { copyDatabase } from './template.js';

const OWNER = '00000000-0000-4000-8000-000000000001';

interface Plan {
  'Node Type': string;
  'Index Name'?: string;
  'Relation Name'?: string;
  'Actual Rows'?: number;
  'Rows Removed by Filter'?: number;
  'Rows Removed by Index Recheck'?: number;
  Plans?: Plan[];
}

onBothDatabases('lists of many jobs', (url) => {
  const JOBS = 3000;
  let db: Database;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'plinth-list-'));
    const address = await url();
    if (!address) await copyDatabase(folder);
    db = await openDatabase({ url: address, folder });
    await migrate(db);
    expect(await indexNames(db)).toBe(true);
    await seedJobs(db, JOBS, OWNER);
  });
  afterAll(async () => {
    await db.close();
    await rm(folder, { recursive: true, force: true });
  });

  /**
   * The indexes that a statement reads jobs by, the most rows that one step reads of them, and whether it reads the
   * whole table.
   */
  async function read(
    statement: [string, unknown[]],
  ): Promise<{ indexes: string[]; whole: boolean; most: number; rows: number }> {
    const [row] = await db.query<{ 'QUERY PLAN': [{ Plan: Plan }] }>(
      `EXPLAIN (ANALYZE, FORMAT JSON) ${statement[0]}`,
      statement[1],
    );
    const [{ Plan: root }] = row['QUERY PLAN'];
    const indexes = new Set<string>();
    let whole = false;
    let most = 0;
    const visit = (plan: Plan): void => {
      if (plan['Index Name']) {
        indexes.add(plan['Index Name']);
        most = Math.max(most, (plan['Actual Rows'] ?? 0) + (plan['Rows Removed by Filter'] ?? 0));
      }
      if (plan['Node Type'] === 'Seq Scan' && plan['Relation Name'] === 'jobs') whole = true;
      plan.Plans?.forEach(visit);
    };
    visit(root);
    return { indexes: [...indexes].sort(), whole, most, rows: root['Actual Rows'] ?? 0 };
  }

  // Several scans are merged by the ids of their jobs.
  test.each<[string, JobFilter, string[], number]>([
    ['the newest', { limit: 51 }, ['jobs_listed'], 51],
    ['a page within', { limit: 51, cursor: cursorAt() }, ['jobs_listed'], 51],
    ['a rare state', { limit: 51, state: ['failed'] }, ['jobs_listed_by_state'], 3],
    ['several states', { limit: 51, state: ['failed', 'queued'] }, ['jobs_listed_by_state', 'jobs_pkey'], 51],
    ['one key', { limit: 51, owner: OWNER }, ['jobs_listed_by_owner', 'jobs_pkey'], 51],
    ['one key and state', { limit: 51, owner: OWNER, state: ['succeeded'] }, ['jobs_listed_by_owner'], 51],
  ])(
    '%s: come from an index in their order, which is read no further than the page',
    async (_, filter, indexes, rows) => {
      const plan = await read(listStatement('name', filter));
      expect(plan.indexes).toEqual(indexes);
      expect(plan).toMatchObject({ whole: false, rows });
      expect(plan.most).toBeLessThanOrEqual(filter.limit);
    },
  );

  test('a search looks at the newest, then asks the index of names', async () => {
    const common = await read(listStatement('id', { limit: 51, search: 'CAPTURE' }));
    expect(common).toMatchObject({ whole: false, rows: 51 });
    expect(common.most).toBeLessThanOrEqual(1000);
    const rare = await read(searchStatement('id', { limit: 51, search: 'Number 1234' }));
    expect(rare).toMatchObject({ whole: false, rows: 1, indexes: ['jobs_names', 'jobs_pkey'] });
    expect(await db.query(...searchStatement('id', { limit: 51, search: '100%' }))).toEqual([]);
    expect(await db.query(...searchStatement('id', { limit: 51, search: '_' }))).toEqual([]);
    expect(await db.query(...searchStatement('id', { limit: 51, search: '\\' }))).toEqual([]);
  });
});

/** In the middle of what `seedJobs` makes. */
function cursorAt(): { at: string; id: string } {
  return { at: new Date(Date.now() - 300_000 * 1500).toISOString(), id: '00000000-0000-4000-8000-000000000000' };
}
