import { plural } from '../../format.js';
import type { Quality, Status } from './quality.js';

/** The verdict as one says it to somebody who knows no decibels: the headline, and what stands behind it. */
export interface PlainVerdict {
  title: string;
  text: string;
}

const TITLES: Record<Status, string> = {
  normal: 'A faithful model.',
  warning: 'Usable with care.',
  failure: 'Not a faithful model.',
};
const LIKENESS: Record<Status, string> = {
  normal: 'it looks like its photographs',
  warning: 'it looks much like its photographs, but not everywhere',
  failure: 'it does not look like its photographs',
};

export function plainVerdict(quality: Quality): PlainVerdict {
  const { status, statusOfUnseen, totals, limits, likelyCause } = quality;
  const own = totals.input ?? totals.heldOut ?? totals.test;
  const unseen = totals.input ? (totals.heldOut ?? totals.test) : null;
  const parts = [
    `Seen from where its ${plural(own?.views ?? 0, 'picture')} were taken, ${LIKENESS[own?.status ?? status]}.`,
  ];
  if (unseen && statusOfUnseen) {
    const views = plural(unseen.views, 'picture');
    parts.push(
      statusOfUnseen === 'normal'
        ? `It also holds for ${views} that it was never shown.`
        : statusOfUnseen === 'warning'
          ? `It holds less well for ${views} that it was never shown.`
          : `It does not hold for ${views} that it was never shown.`,
    );
  } else parts.push('No picture was kept back to test it on.');
  if (limits && limits.length > 0) parts.push(`But ${limits.map((l) => l.message).join(', and ')}.`);
  if (likelyCause) parts.push(likelyCause);
  return { title: TITLES[status], text: parts.join(' ') };
}
