import { readFile, stat } from 'node:fs/promises';
import { PlinthError } from '../../core/errors.js';
import { anyOf, option, step } from '../../core/remedy.js';
import { invalidMetadata } from '../layout/metadata.js';

/** Cameras of ten thousand views take about 10 MB; a file beyond this is something else. */
const MAX_METADATA_BYTES = 256 * 2 ** 20;

/** A capture of more pictures than the option `maxViews` allows. */
export const tooManyViews = (found: string, maxViews: number, subject: string): PlinthError =>
  new PlinthError('CAPTURE_METADATA_INVALID', {
    found,
    expected: `at most ${maxViews}`,
    remedy: anyOf(step`take every n-th picture`, step`raise ${option('maxViews')}`),
    subject,
  });

/** Reads a metadata file whole. Throws `CAPTURE_METADATA_INVALID` where it is too large to be one. */
export async function readMetadata(file: string): Promise<Uint8Array> {
  const { size } = await stat(file);
  if (size > MAX_METADATA_BYTES) {
    throw invalidMetadata(file, `it has ${(size / 2 ** 20).toFixed(0)} MB`, 'at most 256 MB of metadata');
  }
  return readFile(file);
}
