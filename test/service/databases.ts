import { afterAll, beforeAll, describe } from 'vitest';
import { type PrivatePostgres, postgresPrograms, startPostgres } from './postgres.js';

/**
 * Runs a suite on the embedded database and on a private PostgreSQL. `url` answers a new database's address;
 * `undefined` = embedded.
 */
export function onBothDatabases(name: string, suite: (url: () => Promise<string | undefined>) => void): void {
  describe(`${name} (embedded database)`, () => suite(async () => undefined));
  if (!postgresPrograms())
    console.warn(`${name}: PostgreSQL is not installed (apt-get install postgresql), so its half is left out`);
  describe.skipIf(!postgresPrograms())(`${name} (PostgreSQL)`, () => {
    let postgres: PrivatePostgres | undefined;
    beforeAll(async () => {
      postgres = await startPostgres();
    });
    afterAll(async () => {
      await postgres?.stop();
    });
    suite(async () => postgres!.createDatabase());
  });
}
