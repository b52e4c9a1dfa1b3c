import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bakedAsset, pbrAsset } from '../../../test/asset.js';
import type { ProgressEvent } from '../../core/context.js';
import { writeAsset } from './writeAsset.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plinth-asset-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('writeAsset', () => {
  it('writes every format by default and returns exactly the files that it wrote', async () => {
    const environment = { width: 8, height: 4, data: new Float32Array(96).fill(1) };
    const files = await writeAsset({ ...pbrAsset(), environment }, folder);
    expect([...files].sort()).toEqual((await readdir(folder)).sort());
    for (const f of ['asset.glb', 'mesh.obj', 'mesh.mtl', 'mesh_baseColor.png', 'mesh.ply', 'asset.usdz', 'light.hdr'])
      expect(files).toContain(f);
  });

  it('says in OBJ, PLY and a file beside them how far they are shifted', async () => {
    const origin: [number, number, number] = [437_000, 12.5, -5_860_000];
    const files = await writeAsset({ ...bakedAsset(), origin }, folder, { formats: ['obj', 'ply'] });
    expect(files.at(-1)).toBe('shift.json');
    expect(JSON.parse(await readFile(join(folder, 'shift.json'), 'utf8'))).toEqual({
      shift: origin,
      files: ['mesh.obj', 'mesh.ply'],
      frame: 'of the input, turned to +Y up',
    });
    const words = 'shift 437000 12.5 -5860000: add it to every vertex';
    expect((await readFile(join(folder, 'mesh.obj'), 'utf8')).split('\n')[1]).toBe(`# ${words}`);
    const ply = await readFile(join(folder, 'mesh.ply'), 'latin1');
    expect(ply.slice(0, ply.indexOf('end_header'))).toContain(`\ncomment ${words}\n`);
    // Vertices themselves stay as they are near the origin.
    await writeAsset(bakedAsset(), folder, { formats: ['obj', 'ply'] });
    const near = await readFile(join(folder, 'mesh.ply'), 'latin1');
    expect(near.slice(near.indexOf('end_header'))).toBe(ply.slice(ply.indexOf('end_header')));
    expect(near).not.toContain('shift');
    expect(await writeAsset({ ...bakedAsset(), origin }, folder, { formats: ['glb'] })).toEqual(['asset.glb']);
  });

  it('writes only the formats asked for', async () => {
    expect(await writeAsset(bakedAsset(), folder, { formats: ['usdz', 'glb'] })).toEqual(['asset.glb', 'asset.usdz']);
  });

  it('writes the same bytes twice', async () => {
    const files = await writeAsset(pbrAsset(), folder);
    const first = await Promise.all(files.map((f) => readFile(join(folder, f))));
    await writeAsset(pbrAsset(), folder);
    expect(await Promise.all(files.map((f) => readFile(join(folder, f))))).toEqual(first);
  });

  it('reports progress and stops when cancelled', async () => {
    const events: ProgressEvent[] = [];
    await writeAsset(bakedAsset(), folder, {}, { progress: (e) => events.push(e) });
    expect(events.map((e) => e.fraction)).toEqual([0, 0.25, 0.5, 0.75, 1]);
    await expect(writeAsset(bakedAsset(), folder, {}, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'CANCELLED',
    });
  });
});
