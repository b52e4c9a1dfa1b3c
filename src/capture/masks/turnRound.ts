import { PlinthError } from '../../core/errors.js';
import type { Capture } from '../capture.js';

/** A mask with object and background exchanged. */
export const turnRound = <T extends Uint8Array | Uint8ClampedArray>(mask: T): T => mask.map((v) => 255 - v) as T;

/**
 * Throws `OPTION_INVALID` where masks were to be turned round and none were given: what is found from a plain
 * background or from depth has its one way round.
 */
export function demandGivenMasks(masks: Capture['masks'], invertMasks: boolean): void {
  if (!invertMasks || masks === 'files' || masks === 'alpha') return;
  const from = { depth: 'gaps in the depth maps', background: 'a plain background', object: 'the pictures', none: '' }[
    masks
  ];
  throw new PlinthError('OPTION_INVALID', {
    found: from === '' ? 'Option invertMasks for a capture without masks' : `Option invertMasks for masks from ${from}`,
    expected: 'mask files or transparency, which can be the wrong way round',
    remedy: 'Give the masks, or leave the option out',
    subject: 'invertMasks',
  });
}
