/** Making an embedded database takes seconds of processor time, so tests start from a copy of one that is made once. */
import { cp, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbedded } from '../../src/jobs/database/embeddedDatabase.js';

const { dependencies } = createRequire(import.meta.url)('../../package.json') as {
  dependencies: Record<string, string>;
};
const TEMPLATE = join(tmpdir(), `plinth-test-database-${dependencies['@electric-sql/pglite']}`);

/** Puts an empty database into a data folder that is new. */
export async function copyDatabase(data: string): Promise<void> {
  if (!(await stat(TEMPLATE).catch(() => undefined))) {
    const making = await mkdtemp(join(tmpdir(), 'plinth-test-making-'));
    await (await openEmbedded(making)).close();
    // Another test process may have been quicker.
    await rename(join(making, 'postgres'), TEMPLATE).catch(() => {});
    await rm(making, { recursive: true, force: true });
  }
  await cp(TEMPLATE, join(data, 'postgres'), { recursive: true });
}
