import type { StatedLength } from '../capture/options.js';
import { PlinthError } from '../core/errors.js';
import type { KnownLength } from './frame.js';

/**
 * Which photos the names of a stated length mean: a path in the capture, or the name of a file where only one has it.
 * @param photos the names that each photo goes by
 * @throws OPTION_INVALID for names of no photo or of several, and for the same photo twice
 */
export function lengthOfPhotos(stated: StatedLength, photos: readonly (readonly string[])[]): KnownLength {
  if ('meanDistance' in stated) return stated;
  const refuse = (found: string, expected: string): never => {
    throw new PlinthError('OPTION_INVALID', { found, expected, subject: 'scale' });
  };
  const [a, b] = stated.between.map((name): number => {
    const meant = photos.flatMap((names, i) => (names.includes(name) ? [i] : []));
    if (meant.length === 1) return meant[0];
    const such = (meant.length > 1 ? meant : [0, 1]).flatMap((i) => photos[i]?.[0] ?? []).slice(0, 3);
    return meant.length === 0
      ? refuse(
          `A length is stated for ${name || 'a photo without a name'}, which is no photo here`,
          `names such as ${such.join(', ')}`,
        )
      : refuse(
          `A length is stated for ${name}, and ${meant.length} photos have that name`,
          `one of ${such.join(', ')}`,
        );
  });
  if (a === b) refuse(`A length between ${stated.between.join(' and ')}, which are one photo`, 'two photos');
  return { between: [a, b], distance: stated.distance };
}
