import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * In the data folder, which nobody but its owner can read: how the command line reaches the service that holds the
 * folder.
 */
const FILE = 'operator.json';

export interface OperatorAccess {
  url: string;
  /** Works as long as the process that wrote it. */
  key: string;
}

export async function offerOperatorAccess(data: string, access: OperatorAccess): Promise<() => Promise<void>> {
  const path = join(data, FILE);
  await writeFile(`${path}.partial`, JSON.stringify(access), { mode: 0o600 });
  await rename(`${path}.partial`, path);
  return async () => {
    // Another process may have taken the folder over.
    if ((await readOperatorAccess(data))?.key === access.key) await rm(path, { force: true });
  };
}

/** Absent where no service has written it. */
export async function readOperatorAccess(data: string): Promise<OperatorAccess | undefined> {
  try {
    return JSON.parse(await readFile(join(data, FILE), 'utf8')) as OperatorAccess;
  } catch {
    return undefined;
  }
}
