import { resolve } from 'node:path';
import { ApiError, PlinthClient } from '../api/client.js';
import { type ErrorCode, PlinthError } from '../core/errors.js';
import type { Database } from '../jobs/database/database.js';
import { migrate } from '../jobs/database/migrations.js';
import { openDatabase } from '../jobs/database/openDatabase.js';
import { keepPrivate } from '../platform/dataFolder.js';
import { readOperatorAccess } from '../server/access/operator.js';
import { loadSettings } from '../server/settings.js';
import type { Place } from './place.js';

/**
 * Does something in the service's database, or, where the running service holds it, through the service: whoever may
 * read its data folder may.
 * @throws `DATA_FOLDER_IN_USE` where something holds the folder that is no service, and what the action throws
 */
export async function manage<T>(
  place: Place,
  local: (db: Database) => Promise<T>,
  remote: (client: PlinthClient) => Promise<T>,
): Promise<T> {
  keepPrivate();
  const flags = { data: place.data, 'database.url': place.databaseUrl };
  const { data, database } = loadSettings({ flags, file: place.config }).value;
  let db: Database;
  try {
    db = await openDatabase({ url: database.url, folder: data });
  } catch (error) {
    if (!(error instanceof PlinthError) || error.code !== 'DATA_FOLDER_IN_USE') throw error;
    const access = await readOperatorAccess(resolve(data));
    if (!access) throw error;
    return await remote(new PlinthClient(access)).catch((refusal: unknown) => {
      if (!(refusal instanceof ApiError)) throw refusal;
      const { code, found, expected, remedySteps, remedy, field } = refusal.problem;
      throw new PlinthError((code ?? 'INTERNAL') as ErrorCode, {
        found: found ?? refusal.message,
        expected,
        remedy: remedySteps ?? remedy,
        subject: field,
      });
    });
  }
  try {
    await migrate(db);
    return await local(db);
  } finally {
    await db.close();
  }
}
