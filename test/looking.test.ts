/** The commands that look and measure, as processes: `inspect`, `render`, `assess`, `methods`, `doctor`. */
import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeGlb } from '../src/asset/write/writeGlb.js';
import { listMethods } from '../src/methods/registry.js';
import { bakedAsset } from './asset.js';
import { ELLIPSOID, writeTransforms } from './captureScene.js';
import { plinth } from './command.js';
import { sphere } from './shapes.js';

let folder: string;
let capture: string;
/** The ellipsoid that the capture shows, and one beside it. */
let asset: string;
let beside: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'plinth-looking-'));
  [capture, asset, beside] = ['capture', 'asset.glb', 'beside.glb'].map((name) => join(folder, name));
  await writeTransforms(capture, { depthScale: 0.001 });
  for (const [path, move] of [
    [asset, 0],
    [beside, 0.3],
  ] as const) {
    const mesh = sphere(4);
    for (let i = 0; i < mesh.positions.length; i++)
      mesh.positions[i] =
        mesh.positions[i] * ELLIPSOID.axes[i % 3] + ELLIPSOID.centre[i % 3] + (i % 3 === 1 ? move : 0);
    await writeGlb(bakedAsset(mesh), path);
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const json = <T>(text: string): T => JSON.parse(text.trim().split('\n').at(-1)!) as T;
const pixels = async (path: string): Promise<{ data: Buffer; width: number; height: number }> => {
  const { data, info } = await sharp(path).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
};
/** Share of pixels that show the object. */
const covered = ({ data, width, height }: { data: Buffer; width: number; height: number }): number => {
  let count = 0;
  for (let i = 3; i < data.length; i += 4) count += data[i] > 127 ? 1 : 0;
  return count / width / height;
};

describe('plinth inspect', () => {
  it('says what was understood of a capture, in words and with pictures', async () => {
    const out = join(folder, 'inspected');
    const { code, stdout } = await plinth('inspect', capture, '-o', out);
    expect(code).toBe(0);
    expect(stdout).toMatch(/capture: \S+, 6 views, masks from alpha/);
    for (let i = 0; i < 6; i++)
      expect(stdout).toMatch(new RegExp(`r_${i}\\S*\\s+train\\s+96×72\\s+90\\.0\\s+[\\d.]+ %\\s+\\d`));
    expect(readdirSync(out).sort()).toEqual(['cameras.png', 'views.png']);
    expect((await pixels(join(out, 'views.png'))).width).toBeGreaterThan(200);
  });

  it('says in the same table what was left out, and why', async () => {
    const culled = join(folder, 'culled');
    await writeTransforms(culled, { count: 9 });
    renameSync(join(culled, 'images/r_4.png'), join(culled, 'images/more.png'));
    const { code, stdout } = await plinth('inspect', culled);
    expect(code).toBe(0);
    expect(stdout).toMatch(/8 views, .*; left out: 2 pictures/);
    expect(stdout).toMatch(/view\s+use\s+size\s.*why left out\n/);
    expect(stdout).toMatch(/r_3\s+train\s+96×72/);
    expect(stdout).toMatch(/images\/r_4\.png\s+left out[ –]+named, but not there/);
    expect(stdout).toMatch(/images\/more\.png\s+left out[ –]+no camera belongs to it/);
    const { leftOut } = json<{ leftOut: { name: string; reason: string }[] }>(
      (await plinth('inspect', culled, '--json')).stdout,
    );
    expect(leftOut.map(({ name, reason }) => `${name} ${reason}`)).toEqual([
      'images/r_4.png missing',
      'images/more.png no-camera',
    ]);
  });

  it('prints one object for programs', async () => {
    const { code, stdout } = await plinth('inspect', capture, '--json');
    expect(code).toBe(0);
    expect(stdout.trim().split('\n')).toHaveLength(1);
    const facts = json<{ event: string; masks: string; views: { focal: number[]; maskCoverage: number }[] }>(stdout);
    expect(facts).toMatchObject({ event: 'inspection', masks: 'alpha', scaleKnown: true });
    expect(facts.views.map((v) => v.focal)).toEqual(Array(6).fill([90, 90]));
    for (const view of facts.views) expect(view.maskCoverage).toBeGreaterThan(0.05);
  });

  it('ends with the code of what is wrong', async () => {
    const { code, stdout, stderr } = await plinth('inspect', join(folder, 'nowhere'));
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain('CAPTURE_NOT_FOUND');
    const told = await plinth('inspect', join(folder, 'nowhere'), '--json');
    expect(told.code).toBe(2);
    expect(json(told.stdout)).toMatchObject({ event: 'error', error: { code: 'CAPTURE_NOT_FOUND' } });
  });
});

describe('plinth render', () => {
  it('draws from an orbit, in the size, mode and background asked for', async () => {
    const out = join(folder, 'orbit.png');
    const size = ['--width', '80', '--height', '60'];
    const drawn = await plinth('render', asset, '-o', out, ...size, '--mode', 'clay', '--background', '#00ff00');
    expect(drawn).toMatchObject({ code: 0, stderr: '' });
    const picture = await pixels(out);
    expect([picture.width, picture.height]).toEqual([80, 60]);
    expect([...picture.data.subarray(0, 4)]).toEqual([0, 255, 0, 255]);
    // Clay is grey, and the object is in the middle.
    const [r, g, b] = picture.data.subarray((30 * 80 + 40) * 4);
    expect(Math.max(r, g, b) - Math.min(r, g, b)).toBeLessThan(30);
  });

  it('draws through the camera of a view, which covers what the picture covers', async () => {
    const out = join(folder, 'view.png');
    expect((await plinth('render', asset, '-o', out, '--capture', capture, '--view', 'r_2')).code).toBe(0);
    const [drawn, given] = [await pixels(out), await pixels(join(capture, 'images/r_2.png'))];
    expect([drawn.width, drawn.height]).toEqual([96, 72]);
    expect(Math.abs(covered(drawn) / covered(given) - 1)).toBeLessThan(0.05);
  });

  it('says what it does not know, and writes nothing then', async () => {
    const out = join(folder, 'none.png');
    const cases: [string[], number, string][] = [
      [['--capture', capture, '--view', 'r_9'], 2, 'r_0, r_1, r_2'],
      [['--background', 'green'], 2, 'six hexadecimal digits'],
      [['--width', 'wide'], 2, 'a number'],
      [['--mode', 'x-ray'], 2, 'textured'],
    ];
    for (const [flags, expected, words] of cases) {
      const { code, stderr } = await plinth('render', asset, '-o', out, ...flags);
      expect(code, stderr).toBe(expected);
      expect(stderr).toContain(words);
    }
    expect((await plinth('render', join(folder, 'no.glb'), '-o', out)).code).toBe(2);
    expect((await plinth('render', asset, '-o', join(folder, 'no-folder', 'a.png'))).code).toBe(4);
    expect(existsSync(out)).toBe(false);
  });
});

interface Assessment {
  status: string;
  totals: { input: { views: number; maskIou: { mean: number }; depthMae: { mean: number } } };
}

describe('plinth assess', () => {
  it('measures an asset against pictures: silhouettes and depth agree where the shape does', async () => {
    const out = join(folder, 'assessed');
    const { code, stdout } = await plinth('assess', asset, capture, '--json', '-o', out);
    expect(code).toBe(0);
    const { totals } = json<Assessment>(stdout);
    expect(totals.input.views).toBe(6);
    expect(totals.input.maskIou.mean).toBeGreaterThan(0.97);
    expect(totals.input.depthMae.mean).toBeLessThan(0.02);
    expect(readdirSync(out, { recursive: true }).filter((f) => String(f).endsWith('.render.png'))).toHaveLength(6);
  });

  it('and disagree for one that stands beside it, which it says in words as well', async () => {
    const told = json<Assessment>((await plinth('assess', beside, capture, '--json')).stdout);
    expect(told.totals.input.maskIou.mean).toBeLessThan(0.7);
    expect(told.status).toBe('failure');
    const { code, stdout } = await plinth('assess', beside, capture);
    expect(code).toBe(0);
    expect(stdout).toMatch(/PSNR[\s\S]*status {4}failure/i);
  });

  it('ends with the code of what is wrong', async () => {
    const { code, stderr } = await plinth('assess', join(folder, 'no.glb'), capture);
    expect(code).toBe(2);
    expect(stderr).toMatch(/plinth: [A-Z_]+\n/);
  });
});

describe('plinth methods', () => {
  it('lists every method with its presets and every option', async () => {
    const { code, stdout } = await plinth('methods');
    expect(code).toBe(0);
    for (const method of listMethods()) {
      expect(stdout).toContain(`${method.name} – ${method.title}`);
      for (const preset of Object.keys(method.presets)) expect(stdout).toContain(`preset ${preset}: {`);
    }
    const { stdout: lines } = await plinth('methods', '--json');
    const told = lines
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { name: string; options: { properties: Record<string, unknown> } });
    expect(told.map((m) => m.name)).toEqual(listMethods().map((m) => m.name));
    for (const { options } of told) {
      expect(Object.keys(options.properties).length).toBeGreaterThan(3);
      for (const name of Object.keys(options.properties)) expect(stdout).toContain(`    ${name} (`);
    }
  });
});

describe('plinth doctor', () => {
  it('says which adapters there are, and whether they compute right', async () => {
    const { code, stdout } = await plinth('doctor', '--json');
    type Tested = { ok: boolean; checks: { name: string }[] };
    const diagnosis = json<{ healthy: boolean; adapters: { device: string }[]; selfTest: Tested }>(stdout);
    expect(diagnosis).toMatchObject({ healthy: true, selfTest: { ok: true } });
    expect(diagnosis.selfTest.checks.map((c) => c.name)).toEqual(
      expect.arrayContaining(['matmul', 'gemm', 'attention']),
    );
    expect(code).toBe(0);
    const short = await plinth('doctor', '--adapter-only');
    expect(short.code).toBe(0);
    expect(short.stdout.trim().split('\n')).toHaveLength(diagnosis.adapters.length);
    expect(short.stdout).toContain(diagnosis.adapters[0].device);
  });

  it('is not content with an adapter that is not there', async () => {
    process.env.PLINTH_ADAPTER = 'voodoo 2';
    const { code, stdout } = await plinth('doctor').finally(() => delete process.env.PLINTH_ADAPTER);
    expect(code).toBe(4);
    expect(stdout).toContain('PLINTH_ADAPTER=voodoo 2');
  });
});
