import { PlinthError } from '../../core/errors.js';
import { fileName } from './names.js';

export function invalidMetadata(file: string, found: string, expected: string, cause?: unknown): PlinthError {
  return new PlinthError('CAPTURE_METADATA_INVALID', {
    found: `${fileName(file.replaceAll('\\', '/'))}: ${found}`,
    expected,
    remedy: 'Export the cameras again',
    subject: file,
    cause,
  });
}

/**
 * The text of a metadata file, without the byte order mark that Windows programs put before it.
 * Throws `CAPTURE_METADATA_INVALID` for an empty file and for UTF-16.
 */
export function metadataText(file: string, bytes: Uint8Array): string {
  if (bytes.length === 0) throw invalidMetadata(file, 'it is empty', 'metadata of the cameras');
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    throw invalidMetadata(file, 'it is written in UTF-16', 'UTF-8');
  }
  // The decoder takes the byte order mark away.
  return new TextDecoder('utf-8').decode(bytes);
}

/**
 * Parses JSON; the tokens NaN and Infinity, which some writers emit though JSON has none, become numbers that are not
 * finite, so that the check of what they stand for can name the view.
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
