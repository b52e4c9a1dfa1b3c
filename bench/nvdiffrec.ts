/**
 * Method `nvdiffrec` against `fusion` on captures with ground truth, and against the floors that it is meant to keep.
 * Each run is the built command in a process of its own, with all training views; scores are of the exported GLB.
 *
 *     npx tsx bench/nvdiffrec.ts --captures ../shared/captures [--objects vase,suzanne] [--cases draft,standard,six] [--output out/nvdiffrec]
 *
 * A case whose result is in the output folder already is scored without running it again (`--fresh` runs all).
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { readGlb } from '../src/asset/read/readGlb.js';
import { openGpu } from '../src/gpu/adapter/openGpu.js';
import { scoreRelit } from './relight.js';
import { scoreGeometry, scoreNovelViews } from './scoring/score.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { values } = parseArgs({
  options: {
    captures: { type: 'string', default: join(root, '../shared/captures') },
    output: { type: 'string', default: join(root, 'out/nvdiffrec') },
    objects: { type: 'string', default: 'vase,suzanne' },
    cases: { type: 'string', default: 'draft,standard,six' },
    fresh: { type: 'boolean', default: false },
  },
});
const captures = resolve(values.captures);

/**
 * Least values by case: minutes at most, dB on the test views, dB above `fusion` at preset standard on the same
 * capture, F-score.
 */
interface Floor {
  minutes?: number;
  test?: number;
  above?: number;
  fscore?: number;
}
const CASES: Record<string, { suffix: string; preset: string; floor: Floor }> = {
  draft: { suffix: '', preset: 'draft', floor: { minutes: 3, test: 26 } },
  standard: { suffix: '', preset: 'standard', floor: { minutes: 12, test: 29, above: 4, fscore: 0.92 } },
  six: { suffix: '-six', preset: 'standard', floor: { above: 1.5 } },
};

interface Quality {
  run: { seconds: number };
  mesh: { components: number; innerShells: number; inwardTriangles: number };
}

interface Scored {
  minutes: number;
  test: number;
  fscore: number;
  quality: Quality;
  folder: string;
}

async function run(capture: string, method: string, preset: string): Promise<string> {
  const folder = join(resolve(values.output), `${capture}-${method}-${preset}`);
  if (existsSync(join(folder, 'quality.json')) && !values.fresh) return folder;
  mkdirSync(dirname(folder), { recursive: true });
  console.error(`bench: ${capture}, ${method} ${preset} …`);
  const status = await new Promise<number | null>((done) => {
    const args = [
      join(root, 'bin/plinth.js'),
      'reconstruct',
      join(captures, capture),
      '-o',
      folder,
      '-m',
      method,
      '-p',
      preset,
      '--holdout',
      '0',
    ];
    spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] }).on('close', done);
  });
  if (status !== 0) throw new Error(`${capture} with ${method} ended with ${status}`);
  return folder;
}

async function scored(capture: string, object: string, method: string, preset: string): Promise<Scored> {
  const folder = await run(capture, method, preset);
  const quality = JSON.parse(readFileSync(join(folder, 'quality.json'), 'utf8')) as Quality;
  const glb = join(folder, 'asset.glb');
  return {
    folder,
    quality,
    minutes: quality.run.seconds / 60,
    test: await scoreNovelViews(glb, join(captures, object, 'transforms_test.json')),
    fscore: await scoreGeometry(glb, join(captures, object)),
  };
}

const rows: string[][] = [];
const missed: string[] = [];
for (const name of values.cases.split(',')) {
  const { suffix, preset, floor } = CASES[name];
  for (const object of values.objects.split(',')) {
    const capture = `${object}${suffix}`;
    const fusion = await scored(capture, object, 'fusion', 'standard');
    const own = await scored(capture, object, 'nvdiffrec', preset);
    const relitFolder = join(captures, object, 'relit');
    let relit = '–';
    if (existsSync(relitFolder)) {
      const gpu = await openGpu();
      const score = await scoreRelit(gpu, await readGlb(join(own.folder, 'asset.glb')), relitFolder);
      gpu.dispose();
      relit = `${score.absolute.toFixed(2)} / ${score.aligned.toFixed(2)} dB`;
    }
    const { components, innerShells, inwardTriangles } = own.quality.mesh;
    const check = (what: string, good: boolean, found: string) => {
      if (!good) missed.push(`${capture}, ${preset}: ${what}: ${found}`);
    };
    const above = own.test - fusion.test;
    check(`at most ${floor.minutes} minutes`, own.minutes <= (floor.minutes ?? Infinity), own.minutes.toFixed(1));
    check(`${floor.test} dB on the test views`, own.test >= (floor.test ?? 0), own.test.toFixed(2));
    check(`${floor.above} dB above fusion`, above >= (floor.above ?? -Infinity), above.toFixed(2));
    check(`F-score ${floor.fscore}`, own.fscore >= (floor.fscore ?? 0), own.fscore.toFixed(3));
    check('one outer surface', components === 1 && innerShells === 0, `${components} parts, ${innerShells} inside`);
    check('no inward faces', inwardTriangles === 0, String(inwardTriangles));
    rows.push([
      `${capture}, ${preset}`,
      `${own.minutes.toFixed(1)} min`,
      `${own.test.toFixed(2)} dB`,
      `${fusion.test.toFixed(2)} dB`,
      `${above >= 0 ? '+' : ''}${above.toFixed(2)} dB`,
      own.fscore.toFixed(3),
      `${components}, ${inwardTriangles}`,
      relit,
    ]);
  }
}

console.log(
  '| case | wall time | test views | `fusion` | difference | F-score 1 % | parts, inward faces | relit: as ' +
    'it is / aligned |',
);
console.log('|---|---|---|---|---|---|---|---|');
for (const row of rows) console.log(`| ${row.join(' | ')} |`);
console.log(missed.length === 0 ? '\nall floors are kept' : `\nmissed:\n- ${missed.join('\n- ')}`);
