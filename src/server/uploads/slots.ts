import { PlinthError } from '../../core/errors.js';
import type { Context } from '../context.js';

/**
 * Runs `work`, which takes in the body of an upload, where fewer than `limits.uploads` are on their way. @throws
 * `TOO_MANY_UPLOADS`
 */
export async function inUploadSlot<T>({ uploads, settings }: Context, work: () => Promise<T>): Promise<T> {
  if (uploads.count >= settings.limits.uploads) {
    throw new PlinthError('TOO_MANY_UPLOADS', {
      found: `${uploads.count} uploads are running`,
      expected: `at most ${settings.limits.uploads}`,
      remedy: 'Try again in a moment',
    });
  }
  uploads.count++;
  try {
    return await work();
  } finally {
    uploads.count--;
  }
}
