/**
 * End to end through the built command: from a bundled capture to a finished folder, and the ways it must refuse or
 * stop.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import validator from 'gltf-validator';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { example, type Finished, plinth, startPlinth } from './command.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'plinth-command-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const quick = ['-p', 'draft', '--triangles', '4000', '--texture-size', '512', '-O', 'maxResolution=96'];
const sha = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');
const events = (stdout: string): Record<string, unknown>[] =>
  stdout
    .trim()
    .split('\n')
    .map((l) => JSON.parse(l) as Record<string, unknown>);

describe('plinth reconstruct', () => {
  let first: Finished;
  let out: string;
  beforeAll(async () => {
    out = join(folder, 'vase');
    first = await plinth('reconstruct', example('vase-six'), '-o', out, ...quick, '--json');
  });

  it('makes a whole result folder from six views with depth', () => {
    expect(first.stderr).toBe('');
    expect(first.code).toBe(0);
    const files = readdirSync(out, { recursive: true }).map(String);
    for (const f of ['asset.glb', 'asset.usdz', 'mesh.obj', 'mesh.mtl', 'mesh.ply', 'quality.json', 'report.html'])
      expect(files).toContain(f);
    expect(files.filter((f) => /^assessment\/.*\.render\.png$/.test(f))).toHaveLength(6);
    expect(files.filter((f) => /^previews\/.*\.(png|webp)$/.test(f)).length).toBeGreaterThanOrEqual(18);
    expect(readdirSync(folder)).toEqual(['vase']);
  });

  it('reports rising progress and the result as JSON lines', () => {
    const lines = events(first.stdout);
    const overall = lines.filter((e) => e.event === 'progress').map((e) => e.overall as number);
    expect(overall.length).toBeGreaterThan(10);
    expect(overall).toEqual([...overall].sort((a, b) => a - b));
    const last = lines.at(-1)!;
    expect(last.event).toBe('result');
    expect(last.files).toContain('asset.glb');
  });

  it('exports a GLB that passes the Khronos validator and says that its light is baked', async () => {
    const bytes = readFileSync(join(out, 'asset.glb'));
    const report = await validator.validateBytes(new Uint8Array(bytes));
    expect(report.issues.numErrors + report.issues.numWarnings).toBe(0);
    const json = JSON.parse(bytes.subarray(20, 20 + bytes.readUInt32LE(12)).toString()) as { extensionsUsed: string[] };
    expect(json.extensionsUsed).toContain('KHR_materials_unlit');
  });

  it('renders back what was photographed', () => {
    const quality = JSON.parse(readFileSync(join(out, 'quality.json'), 'utf8')) as {
      totals: { input: { psnr: { mean: number }; maskIou: { mean: number } } };
      mesh: { watertight: boolean; inwardTriangles: number };
    };
    expect(quality.totals.input.psnr.mean).toBeGreaterThan(24);
    expect(quality.totals.input.maskIou.mean).toBeGreaterThan(0.98);
    expect(quality.mesh).toMatchObject({ watertight: true, inwardTriangles: 0 });
  });

  it('makes an animated turntable', async () => {
    const { pages = 1, width } = await sharp(join(out, 'previews/turntable.webp')).metadata();
    expect(pages).toBeGreaterThan(8);
    expect(width).toBeGreaterThan(100);
  });

  it('gives the same bytes again and replaces its own earlier result', async () => {
    const before = sha(join(out, 'asset.glb'));
    const again = await plinth('reconstruct', example('vase-six'), '-o', out, ...quick, '--no-previews');
    expect(again.code).toBe(0);
    expect(again.stdout).toContain('report.html');
    expect(sha(join(out, 'asset.glb'))).toBe(before);
    expect(existsSync(join(out, 'previews'))).toBe(false);
  });

  it('makes nothing but what --only names, with the same bytes, and replaces that later', async () => {
    const place = join(folder, 'only');
    const { code, stdout } = await plinth('reconstruct', example('vase-six'), '-o', place, ...quick, '--only', 'glb');
    expect(code).toBe(0);
    expect(stdout).toContain(join(place, 'asset.glb'));
    expect(readdirSync(place).sort()).toEqual(['asset.glb', 'plinth.json']);
    expect(sha(join(place, 'asset.glb'))).toBe(sha(join(out, 'asset.glb')));
    const asText = ['--only', 'ply', '--json'];
    const again = await plinth('reconstruct', example('vase-six'), '-o', place, ...quick, ...asText);
    expect(events(again.stdout).at(-1)).toMatchObject({ event: 'result', files: ['mesh.ply', 'plinth.json'] });
    expect(readdirSync(place).sort()).toEqual(['mesh.ply', 'plinth.json']);
  });

  it('says what --only may name', async () => {
    const { stderr } = await plinth('reconstruct', example('vase-six'), '-o', 'x', '--only', 'mesh');
    expect(stderr).toContain('Expected: glb, obj, ply, usdz, previews, report');
  });

  it('stops on Ctrl-C in the midst of a stage and leaves nothing behind', async () => {
    const place = join(folder, 'stopped');
    mkdirSync(place);
    const { child, finished } = startPlinth(['reconstruct', example('vase-six'), '-o', join(place, 'out'), '--json']);
    await new Promise<void>((resolve) => child.stdout!.on('data', (d) => String(d).includes('"unwrap"') && resolve()));
    child.kill('SIGINT');
    expect((await finished).code).toBe(130);
    expect(readdirSync(place)).toEqual([]);
  });

  it('refuses to touch a folder that is no result, before any work', async () => {
    const place = join(folder, 'mine');
    mkdirSync(place);
    writeFileSync(join(place, 'thesis.txt'), 'years');
    const { code, stderr } = await plinth('reconstruct', example('vase-six'), '-o', place, ...quick);
    expect(code).toBe(2);
    expect(stderr).toContain('OUTPUT_EXISTS');
    expect(readdirSync(place)).toEqual(['thesis.txt']);
  });

  it.each([
    ['a capture that is not there', ['reconstruct', 'no/such/place', '-o', 'x'], 2, 'CAPTURE_NOT_FOUND'],
    ['an unknown method', ['reconstruct', example('vase-six'), '-o', 'x', '-m', 'magic'], 2, 'METHOD_UNKNOWN'],
    [
      'an option out of range',
      ['reconstruct', example('vase-six'), '-o', 'x', '-O', 'triangles=3'],
      2,
      'OPTION_INVALID',
    ],
    ['an unknown option', ['reconstruct', example('vase-six'), '-o', 'x', '-O', 'colour=red'], 2, 'OPTION_INVALID'],
    [
      'a part of a result that is none',
      ['reconstruct', example('vase-six'), '-o', 'x', '--only', 'mesh'],
      2,
      'OPTION_INVALID',
    ],
    [
      'parts and formats',
      ['reconstruct', example('vase-six'), '-o', 'x', '--only', 'glb', '--formats', 'obj'],
      2,
      'OPTION_INVALID',
    ],
    [
      'a limit to the quality that nothing tells',
      ['reconstruct', example('vase-six'), '-o', 'x', '--only', 'glb', '--fail-on', 'failure'],
      2,
      'OPTION_INVALID',
    ],
    [
      'a packing of a file that is not made',
      ['reconstruct', example('vase-six'), '-o', 'x', '--only', 'obj', '--only', 'ply', '--webp'],
      2,
      'OPTION_INVALID',
    ],
    [
      'two numbers of triangles',
      ['reconstruct', example('vase-six'), '-o', 'x', '--triangles', '900', '-O', 'triangles=800'],
      2,
      'OPTION_INVALID',
    ],
    [
      'a box around what is not to be cut out',
      ['reconstruct', example('vase-six'), '-o', 'x', '--object', 'none', '--box', '-1,-1,-1,1,1,1'],
      2,
      'OPTION_INVALID',
    ],
    [
      'weights of a method that has none',
      ['reconstruct', example('vase-six'), '-o', 'x', '--weights', 'x'],
      2,
      'OPTION_INVALID',
    ],
    ['a result folder without a name', ['reconstruct', example('vase-six'), '-o', ''], 2, 'OPTION_INVALID'],
    [
      'an adapter that does not exist',
      ['reconstruct', example('vase-six'), '-o', join(tmpdir(), 'plinth-x'), '--adapter', 'abacus'],
      3,
      'GPU_ADAPTER_NOT_MATCHED',
    ],
  ])('ends with a code of its own for %s', async (_, args, code, name) => {
    const result = await plinth(...args);
    expect(result.stderr).toContain(name);
    expect(result.code).toBe(code);
    const json = await plinth(...args, '--json');
    expect(events(json.stdout).at(-1)).toMatchObject({ event: 'error', error: { code: name } });
  });
});
