/**
 * How well six views of hard objects are understood: reads every case of `CASES` and holds what is found against the
 * truth.
 *
 *     npx tsx bench/sixViews/understand.ts [--only lamp,knot | --half tuned|kept] [--size 512] [--cells 256]
 */
import { parseArgs } from 'node:util';
import { CASES } from './cases.js';
import { readCase, scoreReading } from './readCase.js';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    half: { type: 'string' },
    size: { type: 'string', default: '512' },
    cells: { type: 'string', default: '256' },
  },
});
const only = values.only?.split(',');
console.log('| object | kind | half | focal | error | depth | IoU | names | misfit | rivals | CPU |');
console.log('|---|---|---|---|---|---|---|---|---|---|---|');
for (const test of CASES) {
  if (only && !only.includes(test.object)) continue;
  if (values.half && (values.half === 'kept') !== test.kept) continue;
  const reading = await readCase(test, Number(values.size), Number(values.cells));
  const { focal, names, depth, iou } = scoreReading(reading);
  const { estimate, seconds } = reading;
  const cells = [
    test.object,
    test.kind,
    test.kept ? 'kept' : 'tuned',
    test.variant.focal.toFixed(2),
    `${(100 * focal).toFixed(1)} %${estimate.focalFrom === 'default' ? ' (default)' : ''}`,
    depth === undefined ? '–' : `${(100 * depth).toFixed(2)} %`,
    iou.toFixed(3),
    names ? 'right' : 'wrong',
    estimate.misfit.toFixed(4),
    `${estimate.rivals.length}`,
    `${seconds.toFixed(1)} s`,
  ];
  console.log(`| ${cells.join(' | ')} |`);
}
