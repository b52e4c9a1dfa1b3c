import type { Database } from './database.js';

export interface DatabaseChoice {
  /** `postgres://…`; absent = embedded. */
  url?: string;
  /** Folder of the embedded database. */
  folder: string;
}

/**
 * Opens the database. The embedded one first takes the exclusive lock of its folder.
 * @throws `DATA_FOLDER_IN_USE`, `DATABASE_UNAVAILABLE`
 */
export async function openDatabase(choice: DatabaseChoice): Promise<Database> {
  // Each is loaded only where it is used: the embedded database is 20 MB of WebAssembly.
  if (choice.url) {
    const { openPostgres } = await import('./postgresDatabase.js');
    return await openPostgres(choice.url);
  }
  const { openEmbedded } = await import('./embeddedDatabase.js');
  return await openEmbedded(choice.folder);
}
