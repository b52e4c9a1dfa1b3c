import type { Warning } from '../../core/context.js';

/** The first names of a list, and that there are more. */
export const counted = (names: readonly string[], most: number): string =>
  names.slice(0, most).join(', ') + (names.length > most ? ', …' : '');

/** One warning of a kind, with the number of pictures it is about. */
export function collapse(warnings: readonly Warning[]): Warning[] {
  const kinds = new Map<string, Warning & { count: number }>();
  for (const warning of warnings) {
    // What was counted already stands by itself.
    const key = PER_PICTURE.has(warning.code) ? warning.code : `${warning.code} ${warning.message}`;
    const known = kinds.get(key);
    if (known) known.count++;
    else kinds.set(key, { ...warning, count: 1 });
  }
  return [...kinds.values()].map(({ count, ...warning }) =>
    count === 1 ? warning : { ...warning, message: `${warning.message} The same holds for ${count - 1} more.` },
  );
}

/** Codes of warnings that are given for every picture. */
const PER_PICTURE = new Set(['IMAGE_SIZE_MISMATCH', 'CAPTURE_FOCAL_FROM_EXIF']);
