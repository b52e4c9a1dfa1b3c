/**
 * `npm run bench`: the table of measures in the README, from captures with ground truth.
 *
 * Each case runs the built command in a process of its own, as a user would, and is scored here: novel-view PSNR on the
 * capture's test views, F-score at 1 % of the bounding-box diagonal against the true mesh, and what the case is about
 * besides.
 *
 *     npm run bench -- --captures ../shared/captures [--only six,generated,views] [--objects vase,suzanne] [--method fusion] [--preset standard]
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { scoreGenerated, scoreGeometry, scoreNovelViews } from './scoring/score.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { values } = parseArgs({
  options: {
    captures: { type: 'string', default: join(root, '../shared/captures') },
    output: { type: 'string', default: join(root, 'out/bench') },
    objects: { type: 'string', default: 'vase,suzanne' },
    only: { type: 'string', default: 'six,generated,views,twice' },
    method: { type: 'string', default: 'fusion' },
    preset: { type: 'string', default: 'standard' },
  },
});
const captures = resolve(values.captures);
if (!existsSync(captures)) {
  console.error(`bench: no captures at ${captures}; name their folder with --captures`);
  process.exit(2);
}
const cases = new Set(values.only.split(','));

interface Row {
  case: string;
  seconds: number;
  memory: number;
  status: string;
  input: number;
  test?: number;
  fscore?: number;
  silhouettes?: number;
  notes: string;
}

interface Quality {
  status: string;
  totals: Record<'input' | 'heldOut' | 'test', { psnr: { mean: number } } | null>;
  run: { peakMemoryBytes: number; adapter: { description: string }; timings: { stage: string; seconds: number }[] };
  capture: { estimated?: Record<string, unknown> };
  views: { name: string; mask: { iou: number } | null }[];
}

const rows: Row[] = [];
let adapter = '';

for (const object of values.objects.split(',')) {
  if (cases.has('six')) {
    const out = await reconstruct(`${object}-six`, `${object}-six`);
    await report(`${object}: six views + metric depth`, out, object, 'posed');
  }
  if (cases.has('generated')) {
    const out = await reconstruct(`${object}-generated`, `${object}-generated`);
    await report(`${object}: six views as generated`, out, object, 'generated');
  }
  if (cases.has('views')) {
    const out = await reconstruct(object, `${object}-views`);
    await report(`${object}: 48 masked views`, out, object, 'posed');
  }
}
if (cases.has('twice')) {
  const object = values.objects.split(',')[0];
  const [a, b] = [await reconstruct(`${object}-six`, 'twice-a'), await reconstruct(`${object}-six`, 'twice-b')];
  const sum = (o: Run): string =>
    createHash('sha256')
      .update(readFileSync(join(o.folder, 'asset.glb')))
      .digest('hex');
  console.log(`the same run twice: asset.glb ${sum(a) === sum(b) ? 'has the same bytes' : 'DIFFERS'}\n`);
}

console.log(
  `\n${values.method}, preset ${values.preset}; ${cpus().length} × ${cpus()[0]?.model.trim()}, ` +
    `${Math.round(totalmem() / 2 ** 30)} GiB; ${adapter}; Node ${process.versions.node}\n`,
);
console.log(
  '| case | time | peak memory | status | input views | test views | F-score 1 % | silhouettes IoU (min) | notes |',
);
console.log('|---|---|---|---|---|---|---|---|---|');
for (const r of rows) {
  const cells = [
    r.case,
    `${r.seconds.toFixed(0)} s`,
    `${(r.memory / 1e9).toFixed(2)} GB`,
    r.status,
    `${r.input.toFixed(2)} dB`,
    r.test === undefined ? '–' : `${r.test.toFixed(2)} dB`,
    r.fscore === undefined ? '–' : r.fscore.toFixed(3),
    r.silhouettes === undefined ? '–' : r.silhouettes.toFixed(3),
    r.notes,
  ];
  console.log(`| ${cells.join(' | ')} |`);
}

interface Run {
  folder: string;
  seconds: number;
}

async function reconstruct(capture: string, name: string): Promise<Run> {
  const folder = join(resolve(values.output), name);
  mkdirSync(dirname(folder), { recursive: true });
  console.error(`bench: ${capture} …`);
  const begin = performance.now();
  const status = await new Promise<number | null>((done) => {
    const child = spawn(
      process.execPath,
      [
        join(root, 'bin/plinth.js'),
        'reconstruct',
        join(captures, capture),
        '-o',
        folder,
        '-m',
        values.method,
        '-p',
        values.preset,
      ],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    child.on('close', done);
  });
  if (status !== 0) throw new Error(`${capture} ended with ${status}`);
  return { folder, seconds: (performance.now() - begin) / 1000 };
}

async function report(title: string, run: Run, object: string, frame: 'posed' | 'generated'): Promise<void> {
  const quality = JSON.parse(readFileSync(join(run.folder, 'quality.json'), 'utf8')) as Quality;
  adapter = quality.run.adapter.description;
  const glb = join(run.folder, 'asset.glb');
  const row: Row = {
    case: title,
    seconds: run.seconds,
    memory: quality.run.peakMemoryBytes,
    status: quality.status,
    input: quality.totals.input?.psnr.mean ?? Number.NaN,
    silhouettes: Math.min(...quality.views.map((v) => v.mask?.iou ?? Number.NaN)),
    notes: quality.run.timings.map((t) => `${t.stage} ${t.seconds.toFixed(1)}`).join(', '),
  };
  if (frame === 'posed') {
    row.test = await scoreNovelViews(glb, join(captures, object, 'transforms_test.json'));
    row.fscore = await scoreGeometry(glb, join(captures, object));
  } else {
    const truth = await scoreGenerated(
      run.folder,
      join(captures, `${object}-generated`, 'truth.json'),
      join(captures, object),
    );
    row.fscore = truth.fscore;
    row.notes =
      `focal ${(truth.focalError * 100).toFixed(1)} % off, depth ${(truth.depthError * 100).toFixed(2)} % of ` +
      `the diagonal off; ${row.notes}`;
  }
  rows.push(row);
}
