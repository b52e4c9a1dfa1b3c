import { join, resolve } from 'node:path';
import type { ArtifactStore } from './artifactStore.js';
import { FolderStore } from './folderStore.js';
import type { S3Choice } from './s3Store.js';

/** Where artifacts are kept: a folder, by default `store` in the data folder, or a bucket. */
export type StorageChoice = { kind: 'folder'; path?: string } | ({ kind: 's3' } & S3Choice);

/** Opens the store and proves that it can be written and read. @throws `STORAGE_UNAVAILABLE` */
export async function openArtifacts(storage: StorageChoice, data: string): Promise<ArtifactStore> {
  let store: ArtifactStore;
  if (storage.kind === 's3') {
    // Loaded only where it is used: the SDK is large.
    const { S3Store } = await import('./s3Store.js');
    store = new S3Store(storage);
  } else store = new FolderStore(resolve(storage.path ?? join(data, 'store')));
  await store.check();
  return store;
}
