/**
 * How well six views without cameras are understood: makes degraded captures with a known truth and holds what the
 * reader finds against it.
 *
 *     npx tsx bench/sixViews/run.ts --captures ../shared/captures [--objects vase,suzanne] [--only 28mm,no-depth] [--seed 1] [--output out/six-views]
 *
 * The captures stay in the output folder, so that `plinth reconstruct` can be run on them.
 */
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Capture } from '../../src/capture/capture.js';
import { VIEW_NAMES } from '../../src/capture/layout/names.js';
import { readCapture } from '../../src/capture/readCapture.js';
import { type Truth, type Variant, writeVariant } from './degrade.js';
import { draw, readTrueObject, type TrueObject } from './trueObject.js';

/** Focal length over width of a lens of this many millimetres on 36 mm film. */
const mm = (length: number): number => length / 36;

const VARIANTS: Variant[] = [
  { name: '28mm', focal: mm(28) },
  { name: '35mm-jpeg', focal: mm(35), format: 'jpg', quality: 70 },
  { name: '50mm-2048', focal: mm(50), size: 2048, shift: 4 },
  { name: '85mm', focal: mm(85) },
  { name: '200mm', focal: mm(200) },
  { name: 'brighter-nearer', focal: mm(45), encoding: 'nearer' },
  { name: 'disparity', focal: mm(40), encoding: 'disparity' },
  { name: 'smooth-depth', focal: mm(60), smoothDepth: true, depthSize: 512 },
  { name: 'specks', focal: mm(50), specks: 80, noise: 2.5 },
  { name: 'transparent', focal: mm(70), background: 'transparent' },
  { name: 'dark', focal: mm(35), background: 'dark', bits: 16 },
  { name: 'grey-webp', focal: mm(55), background: 'grey', format: 'webp', quality: 75, size: 768, depthSize: 768 },
  { name: 'small', focal: mm(50), fill: 0.4 },
  { name: 'four-depths', focal: mm(50), withoutDepth: ['top', 'right'] },
  { name: 'no-depth', focal: mm(50), withoutDepth: 'all' },
];

const { values } = parseArgs({
  options: {
    captures: { type: 'string', default: '../shared/captures' },
    objects: { type: 'string', default: 'vase,suzanne' },
    only: { type: 'string' },
    seed: { type: 'string', default: '1' },
    output: { type: 'string', default: 'out/six-views' },
  },
});
const only = values.only?.split(',');
const head = [
  'capture',
  'focal/width',
  'focal error',
  'names',
  'depth error',
  'worst view',
  'masks IoU',
  'silhouettes IoU',
  'CPU',
  'warnings',
];
console.log(`| ${head.join(' | ')} |\n|${head.map(() => '---').join('|')}|`);
for (const name of values.objects.split(',')) {
  const object = await readTrueObject(resolve(values.captures), name);
  for (const [i, variant] of VARIANTS.entries()) {
    if (only && !only.includes(variant.name)) continue;
    const folder = join(values.output, `${name}-${variant.name}`);
    await mkdir(values.output, { recursive: true });
    const truth = await writeVariant(object, variant, Number(values.seed) * 100 + i, folder);
    const before = process.cpuUsage();
    let cells: string[];
    try {
      const capture = await readCapture(folder);
      const { user, system } = process.cpuUsage(before);
      cells = [...(await score(object, truth, capture)), `${((user + system) / 1e6).toFixed(1)} s`];
      cells.push(capture.warnings.map((w) => w.code).join(' ') || '–');
      await capture.dispose();
    } catch (error) {
      cells = [String(error)];
    }
    console.log(`| ${name} ${variant.name} | ${variant.focal.toFixed(3)} | ${cells.join(' | ')} |`);
  }
}

async function score(object: TrueObject, truth: Truth, capture: Capture): Promise<string[]> {
  const found = capture.estimated as {
    focal: number;
    focalFrom: string;
    distance: number;
    leftConvention: string;
    topTurn: number;
    bottomTurn: number;
  };
  const { arrangement } = truth;
  const right =
    found.leftConvention === arrangement.left &&
    found.topTurn === 90 * arrangement.topTurn &&
    found.bottomTurn === 90 * arrangement.bottomTurn;
  const unit = truth.distance / found.distance;
  // An object seen through a longer lens from the same distance is the smaller for it: as large at its centre as it
  // appears.
  const shrink = truth.focal / found.focal / unit;
  const scaled = { ...object, positions: object.positions.map((v) => v * shrink) };
  let [sum, count, worst, masks, silhouettes] = [0, 0, 0, 1, 1];
  for (const view of capture.views) {
    const i = VIEW_NAMES.indexOf(view.name as (typeof VIEW_NAMES)[number]);
    const { depth, cover } = truth.views[i];
    const color = await view.loadColor();
    const inside = Uint8Array.from(cover.data, (v) => (v >= 0.5 ? 1 : 0));
    masks = Math.min(
      masks,
      iou(inside, (p) => color.data[4 * p + 3] > 127),
    );
    const drawn = draw(scaled, view.camera, false).depth;
    silhouettes = Math.min(
      silhouettes,
      iou(inside, (p) => drawn.data[p] > 0),
    );
    const map = await view.depth?.load();
    if (!map) continue;
    let [own, n] = [0, 0];
    for (let p = 0; p < map.data.length; p++) {
      if (!(map.data[p] > 0) || depth.data[p] === 0) continue;
      own += Math.abs(map.data[p] * unit - depth.data[p]);
      n++;
    }
    worst = Math.max(worst, own / n);
    sum += own;
    count += n;
  }
  const percent = (v: number, digits = 2): string => `${(100 * v).toFixed(digits)} %`;
  return [
    `${percent(found.focal / truth.focal - 1, 1)}${found.focalFrom === 'pictures' ? '' : ` (${found.focalFrom})`}`,
    right
      ? 'right'
      : `WRONG (${found.leftConvention} ${found.topTurn} ${found.bottomTurn}, true ${arrangement.left} ` +
        `${90 * arrangement.topTurn} ${90 * arrangement.bottomTurn})`,
    count > 0 ? percent(sum / count / object.diagonal) : '–',
    count > 0 ? percent(worst / object.diagonal) : '–',
    masks.toFixed(3),
    silhouettes.toFixed(3),
  ];
}

function iou(truth: Uint8Array, inside: (pixel: number) => boolean): number {
  let [both, either] = [0, 0];
  for (let p = 0; p < truth.length; p++) {
    const own = inside(p);
    if (truth[p] === 1 && own) both++;
    if (truth[p] === 1 || own) either++;
  }
  return both / Math.max(1, either);
}
