import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { throwIfCancelled } from '../core/errors.js';
import { VERSION } from '../core/version.js';

/** What the cameras of photos are kept by: the photos' names and contents. */
export async function photosKey(files: readonly string[], signal?: AbortSignal): Promise<string> {
  const key = createHash('sha256').update(VERSION);
  for (const file of files) {
    throwIfCancelled(signal);
    const photo = createHash('sha256');
    for await (const chunk of createReadStream(file)) photo.update(chunk as Buffer);
    key.update(JSON.stringify([basename(file), photo.digest('hex')]));
  }
  return key.digest('hex').slice(0, 24);
}
