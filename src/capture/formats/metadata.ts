import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { PlinthError } from '../../core/errors.js';

/** Cameras of ten thousand views take about 10 MB; a file beyond this is something else. */
const MAX_METADATA_BYTES = 256 * 2 ** 20;

export function invalidMetadata(file: string, found: string, expected: string, cause?: unknown): PlinthError {
  return new PlinthError('CAPTURE_METADATA_INVALID', {
    found: `${basename(file)}: ${found}`,
    expected,
    remedy: 'Export the cameras again',
    subject: file,
    cause,
  });
}

/** Reads a metadata file whole. Throws `CAPTURE_METADATA_INVALID` where it is too large to be one. */
export async function readMetadata(file: string): Promise<Buffer> {
  const { size } = await stat(file);
  if (size > MAX_METADATA_BYTES) {
    throw invalidMetadata(file, `it has ${(size / 2 ** 20).toFixed(0)} MB`, 'at most 256 MB of metadata');
  }
  return readFile(file);
}

/**
 * The text of a metadata file, without the byte order mark that Windows programs put before it.
 * Throws `CAPTURE_METADATA_INVALID` for an empty file and for UTF-16.
 */
export function metadataText(file: string, bytes: Buffer): string {
  if (bytes.length === 0) throw invalidMetadata(file, 'it is empty', 'metadata of the cameras');
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    throw invalidMetadata(file, 'it is written in UTF-16', 'UTF-8');
  }
  const text = bytes.toString('utf8');
  return text.startsWith('\ufeff') ? text.slice(1) : text;
}

/**
 * Parses JSON; the tokens NaN and Infinity, which some writers emit though JSON has none, become numbers that are not finite, so
 * that the check of what they stand for can name the view.
 */
export function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (/\b(NaN|Infinity)\b/.test(text)) {
      try {
        return JSON.parse(text.replace(/-?\b(?:NaN|Infinity)\b/g, '1e999'));
      } catch {
        // The first error says more.
      }
    }
    const why = cause instanceof Error ? cause.message : String(cause);
    throw invalidMetadata(file, `it is not JSON (${why.slice(0, 120)})`, 'a JSON object', cause);
  }
}
