import type { StatedLength } from '../capture/options.js';
import { PlinthError } from '../core/errors.js';

/** The words of `--scale` in the help. */
export const SCALE_HELP =
  "the cameras' mean distance from the object, or A.jpg,B.jpg=LENGTH: how far two cameras stood apart";

/** @throws OPTION_INVALID */
export function parseLength(text: string): StatedLength {
  const [names, apart] = text.includes('=') ? text.split(/=(?=[^=]*$)/) : ['', text];
  const value = Number(apart);
  const between = names.split(',');
  if (value >= 1e-6 && value <= 1e6) {
    if (names === '') return { meanDistance: value };
    if (between.length === 2) return { between: [between[0], between[1]], distance: value };
  }
  throw new PlinthError('OPTION_INVALID', {
    found: `--scale ${text}`,
    expected:
      "the cameras' mean distance from the object, as 0.6, or that of two cameras, as IMG_1.jpg,IMG_2.jpg=0.25; " +
      'from 0.000001 to 1000000',
    subject: 'scale',
  });
}
