/**
 * How the cost of an optimisation iteration grows with pixels, triangles and texels: runs `diffrender.ts` in processes
 * of their own and compares neighbouring sizes. An exponent of 1 is linear growth; less means that a part of the cost
 * does not depend on that size.
 *
 *     npx tsx bench/scaling.ts [repeats=6]
 */
import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const repeats = Number(process.argv[2] ?? 6);

/** CPU milliseconds of a whole iteration of one view. */
function measure(size: number, triangles: number, texture: number): number {
  const args = ['tsx', join(here, 'diffrender.ts'), ...[size, triangles, texture, repeats].map(String)];
  const out = execFileSync('npx', args, { cwd: join(here, '..'), encoding: 'utf8' });
  const cpu = /whole iteration in one submission \| ([\d.]+)/.exec(out);
  if (!cpu) throw new Error(`no figures in:\n${out}`);
  return Number(cpu[1]);
}

const BASE = { size: 512, triangles: 20_000, texture: 1024 };
const series: {
  name: string;
  sizes: number[];
  run(n: number): number;
  amount(n: number): number;
}[] = [
  {
    name: 'pixels',
    sizes: [128, 256, 512, 1024],
    run: (n) => measure(n, BASE.triangles, BASE.texture),
    amount: (n) => n * n,
  },
  {
    name: 'triangles',
    sizes: [5_000, 20_000, 80_000, 320_000],
    run: (n) => measure(BASE.size, n, BASE.texture),
    amount: (n) => n,
  },
  {
    name: 'texels',
    sizes: [256, 512, 1024],
    run: (n) => measure(BASE.size, BASE.triangles, n),
    amount: (n) => n * n,
  },
];

console.log('| varied | amount | CPU ms an iteration | exponent |\n|---|---|---|---|');
const steep: string[] = [];
for (const { name, sizes, run, amount } of series) {
  let before: { cpu: number; amount: number } | undefined;
  for (const n of sizes) {
    const cpu = run(n);
    const exponent = before && Math.log(cpu / before.cpu) / Math.log(amount(n) / before.amount);
    console.log(`| ${name} | ${amount(n).toLocaleString('en')} | ${cpu.toFixed(0)} | ${exponent?.toFixed(2) ?? '–'} |`);
    if (exponent !== undefined && exponent > 1) steep.push(`${name} at ${amount(n).toLocaleString('en')}`);
    before = { cpu, amount: amount(n) };
  }
}
console.log(steep.length === 0 ? '\nnowhere steeper than linear' : `\nsteeper than linear: ${steep.join(', ')}`);
