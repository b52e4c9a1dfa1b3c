import { wordRemedy } from '../core/remedy.js';
import type { PhotosReport } from '../photos/write/photosJson.js';
import { table } from './terminal.js';
import { CLI_WORDS } from './words.js';

/** What was found out about photos, for people: the set, a table of photos, warnings. */
export function photosText({ set, photos, warnings }: PhotosReport): string {
  const lines = [
    `  ${set.registered} of ${set.photos} photos have a camera, ${set.points.toLocaleString('en')} points, ` +
      `${set.error.toFixed(2)} pixels off`,
    ...set.lenses.map(
      ({ title, photos: count, focal, focalDeviation, statedFocal }) =>
        `  lens  ${title} (${count}): focal length ${focal.toFixed(1)} px ± ` +
        `${(100 * focalDeviation).toFixed(2)} %${statedFocal ? `, stated ${statedFocal.toFixed(0)}` : ''}`,
    ),
  ];
  const rows = [['photo', 'points', 'error px', 'features', 'sharpness', '']];
  for (const v of photos) {
    rows.push([
      v.photo,
      v.registered ? String(v.points) : '–',
      v.error === undefined ? '–' : v.error.toFixed(2),
      String(v.features),
      v.sharpness.toFixed(2),
      v.code ?? '',
    ]);
  }
  const notes = warnings.map(({ message, remedy }) => {
    const help = wordRemedy(remedy, CLI_WORDS);
    return `\n  ! ${message}${help ? ` ${help}` : ''}`;
  });
  return `${lines.join('\n')}\n\n${table(rows)}\n${notes.join('\n')}`;
}
