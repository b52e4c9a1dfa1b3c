import { buffer } from 'node:stream/consumers';
import { PlinthError } from '../../core/errors.js';
import type { ArtifactStore } from './artifactStore.js';

/** What is known of a zip that a client brings to the storage itself; lies beside it, so that every process knows. */
export interface DirectUploadRecord {
  id: string;
  owner: string;
  name: string;
  bytes: number;
  /** ISO 8601. */
  createdAt: string;
  /** When it is removed if no job takes it. */
  expiresAt: string;
  /** Until then its address takes the file, even anew. */
  addressExpiresAt: string;
  /** Taken by a job or abandoned. It keeps its place while its address works, or any number could be kept so. */
  isGone?: true;
}

/** Below it: `<owner>/<id>/{upload.json,capture.zip}`. */
export const DIRECT_UPLOADS = 'uploads';
export const directPrefix = (owner: string, id: string): string => `${DIRECT_UPLOADS}/${owner}/${id}`;
/** What the file is called, in the storage and in messages. */
export const DIRECT_FILE = 'capture.zip';

/** Absent when there is none. */
export async function readDirectUpload(
  artifacts: ArtifactStore,
  owner: string,
  id: string,
): Promise<DirectUploadRecord | undefined> {
  try {
    const text = await buffer(await artifacts.read(`${directPrefix(owner, id)}/upload.json`));
    return JSON.parse(text.toString()) as DirectUploadRecord;
  } catch (error) {
    if (error instanceof PlinthError && error.code === 'FILE_NOT_FOUND') return undefined;
    throw error;
  }
}

export async function writeDirectUpload(artifacts: ArtifactStore, record: DirectUploadRecord): Promise<void> {
  const key = `${directPrefix(record.owner, record.id)}/upload.json`;
  await artifacts.put(key, Buffer.from(JSON.stringify(record)));
}

/** Removes what nobody took in time, and what came to an address after its upload was gone. */
export async function expireDirectUploads(artifacts: ArtifactStore): Promise<void> {
  const now = Date.now();
  for (const owner of await artifacts.children(DIRECT_UPLOADS)) {
    for (const id of await artifacts.children(`${DIRECT_UPLOADS}/${owner}`)) {
      const record = await readDirectUpload(artifacts, owner, id);
      const end = record && (record.isGone ? record.addressExpiresAt : record.expiresAt);
      // The record is written before there is an address, so a file without one came late.
      if (!end || Date.parse(end) <= now) await artifacts.remove(directPrefix(owner, id));
    }
  }
}
