import { join } from 'node:path';
import type { CheckpointStore } from '../core/platform.js';
import { cacheFolder } from '../gpu/driver/softwareDriver.js';
import { checkpointFolder } from '../platform/checkpointFolder.js';
import { pruneFolder } from '../platform/pruneFolder.js';

/** Days for which what was found in pictures is kept without being used. */
const DAYS = 30;

/** The folder where what was found in pictures is kept: the one that is given, else one in the cache. */
export function workFolder(given?: string): string {
  if (given !== undefined) return given;
  const folder = join(cacheFolder(), 'photos');
  pruneFolder(folder, DAYS);
  return folder;
}

/** The same as a store. */
export const workStore = (given?: string): CheckpointStore => checkpointFolder(workFolder(given));
