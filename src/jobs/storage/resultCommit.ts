/**
 * How a result becomes a job's, so that it is never lost, half or doubled, whoever is killed when:
 *
 * 1. The files are copied into the store below the claim that made them. The worker's own stay where they are.
 * 2. They are checked against the manifest: names, sizes, SHA-256.
 * 3. The manifest is put beside them (`pending/<claim>.json`): from here on anybody can tell that they are whole, and
 * take them.
 * 4. One transaction makes the job `succeeded`, with the manifest in its row.
 * 5. Everything else of the job goes: other claims' files, pending manifests, the work folder.
 *
 * Until 4 the next attempt finds either the worker's files, which the engine takes for finished runs after checking
 * them, or the stored ones, which it adopts after checking them. After 4 only tidying is left, which the janitor does
 * where nobody else could.
 */
import { buffer } from 'node:stream/consumers';
import type { JobResult } from '../jobRecord.js';
import type { ArtifactStore } from './artifactStore.js';
import { type ManifestFile, storedFault } from './manifest.js';

export const resultPrefix = (job: string, claim: string): string => `jobs/${job}/results/${claim}`;
const pendingPrefix = (job: string): string => `jobs/${job}/pending`;

/** A whole result in the store, and the claim that made it. */
export interface StoredResult {
  claim: string;
  result: JobResult & { files: ManifestFile[] };
}

/** Steps 1 to 3. `source` is the local folder that holds the result's files. */
export async function storeResult(
  store: ArtifactStore,
  job: string,
  { claim, result }: StoredResult,
  source: string,
): Promise<void> {
  const prefix = resultPrefix(job, claim);
  await store.keep(
    source,
    prefix,
    result.files.map((f) => f.name),
  );
  const fault = await storedFault(store, prefix, result.files, false);
  if (fault) throw new Error(`The stored result is not what was written: ${fault}`);
  await store.put(`${pendingPrefix(job)}/${claim}.json`, Buffer.from(JSON.stringify(result)));
}

/**
 * A whole result that an earlier attempt stored without living to see the job's end. One that is not whole is left to
 * the tidying.
 */
export async function findResult(store: ArtifactStore, job: string): Promise<StoredResult | undefined> {
  for (const name of await store.children(pendingPrefix(job))) {
    const claim = name.replace(/\.json$/, '');
    const text = (await buffer(await store.read(`${pendingPrefix(job)}/${name}`))).toString();
    const result = JSON.parse(text) as StoredResult['result'];
    if (!(await storedFault(store, resultPrefix(job, claim), result.files, true))) return { claim, result };
  }
  return undefined;
}

/**
 * Step 5: removes what a job that has ended does not need. `claim`: whose result is the job's; absent where it has
 * none.
 */
export async function tidyJob(store: ArtifactStore, job: string, claim: string | null): Promise<void> {
  await store.remove(pendingPrefix(job));
  await store.remove(`jobs/${job}/resume`);
  for (const other of await store.children(`jobs/${job}/results`)) {
    if (other !== claim) await store.remove(resultPrefix(job, other));
  }
}
