import { readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { errorOf, put, useFolders } from '../../test/captureScene.js';
import { compareCameras, type PlacedCamera } from '../../test/similarity.js';
import type { SparsePoints } from '../capture/capture.js';
import { projectPoint } from '../core/camera.js';
import type { CheckpointStore } from '../core/platform.js';
import { checkpointFolder } from '../platform/checkpointFolder.js';
import { type FindCamerasOptions, findCameras } from './findCameras.js';
import type { Pose } from './mapper/p3p.js';
import { centreOf } from './mapper/triangulate.js';
import { readAnyCapture } from './readAnyCapture.js';
import { colmapText } from './write/colmapText.js';
import { sparseModel } from './write/sparseModel.js';

const folder = useFolders();
const BANANA = new URL('../../test/photos/banana/', import.meta.url).pathname;
const reference = JSON.parse(readFileSync(join(BANANA, 'colmap.json'), 'utf8')) as {
  focalOverWidth: number;
  images: Record<string, PlacedCamera>;
};
const names = (...numbers: number[]): string[] => numbers.map((n) => `DSC_0${n}.jpg`);
const paths = (list: readonly string[]): string[] => list.map((name) => join(BANANA, name));

describe('findCameras', () => {
  it('finds the cameras of real photos as COLMAP does, and says why a screenshot and a copy have none', {
    timeout: 400_000,
  }, async () => {
    const root = await folder();
    const screenshot = await put(
      root,
      'screenshot.png',
      await sharp({ create: { width: 500, height: 800, channels: 3, background: '#f0f0f0' } })
        .png()
        .toBuffer(),
    );
    const list = names(423, 424, 425, 426, 427, 436, 437, 438);
    const copy = await put(root, 'copy.jpg', await readFile(join(BANANA, list[0])));
    const stages = new Set<string>();
    let last = 0;
    const found = await findCameras([...paths(list), screenshot, copy], {
      onProgress: (fraction, what) => {
        expect(fraction).toBeGreaterThanOrEqual(last);
        last = fraction;
        stages.add(what);
      },
    });
    expect(last).toBe(1);
    expect(stages.size).toBeGreaterThan(4);
    expect(found.scene.registered()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(found.verdicts.slice(8).map(({ registered, code }) => [registered, code])).toEqual([
      [false, 'PHOTO_TEXTURELESS'],
      [false, 'PHOTO_DUPLICATE'],
    ]);
    expect(found.warnings.map(({ code }) => code)).toContain('COVERAGE_GAP');
    for (const { points } of found.verdicts.slice(0, 8)) expect(points).toBeGreaterThan(300);
    expect(found.facts.error).toBeLessThan(0.6);
    const [lens] = found.facts.lenses;
    expect(lens.title).toContain('D3200');
    expect(Math.abs(lens.focal / 1100 / reference.focalOverWidth - 1)).toBeLessThan(0.005);
    const own = list.map((_, i): PlacedCamera => {
      const pose = found.scene.poses[i] as Pose;
      return { rotation: pose.rotation, centre: centreOf(pose) };
    });
    const apart = compareCameras(
      own,
      list.map((name) => reference.images[name]),
    );
    expect(apart.medianAngle).toBeLessThan(0.12);
    expect(apart.position).toBeLessThan(0.001);
  });

  it('gives the same bytes with one thread, with two, and after a stop', { timeout: 400_000 }, async () => {
    const list = paths(names(423, 424, 425, 438));
    const workFolder = join(await folder(), 'work');
    const work = checkpointFolder(workFolder);
    const run = async (options: FindCamerasOptions): Promise<Record<string, string>> =>
      colmapText(sparseModel(await findCameras(list, { longerSide: 700, features: 1500, ...options })));
    const plain = await run({ threads: 1 });
    expect(await run({ threads: 2 })).toEqual(plain);
    const abort = new AbortController();
    const stopped = run({
      threads: 1,
      work,
      signal: abort.signal,
      onProgress: (_, what) => what === 'Placing cameras' && abort.abort(),
    });
    expect((await errorOf(stopped)).code).toBe('CANCELLED');
    // Features of four photos and what pairs gave are kept, and used.
    const kept = await readdir(workFolder);
    expect(kept.filter((name) => name.startsWith('features-')).length).toBe(4);
    expect(kept.filter((name) => name.startsWith('pair-')).length).toBeGreaterThan(6);
    expect(await run({ threads: 1, work })).toEqual(plain);
  });

  it('refuses photos that show nothing in common, too few ones, and stops when told to', async () => {
    const root = await folder();
    const files: string[] = [];
    for (const [i, color] of ['#fff', '#eee', '#ddd'].entries()) {
      const plain = sharp({ create: { width: 320, height: 240, channels: 3, background: color } });
      files.push(await put(root, `${i}.png`, await plain.png().toBuffer()));
    }
    const refused = await errorOf(findCameras(files, { threads: 1 }));
    expect([refused.code, refused.message.includes('newspaper')]).toEqual(['PHOTOS_NOT_CONNECTED', true]);
    expect((await errorOf(findCameras(files.slice(0, 2)))).code).toBe('CAPTURE_VIEWS_MISSING');
    const abort = new AbortController();
    const work = findCameras(paths(names(423, 424, 425)), { signal: abort.signal, threads: 1 });
    setTimeout(() => abort.abort(), 300);
    const begin = performance.now();
    expect((await errorOf(work)).code).toBe('CANCELLED');
    expect(performance.now() - begin).toBeLessThan(30_000);
  });
});

describe('readAnyCapture', () => {
  it('reads HEIC photos through the optional decoder, alone and among others', { timeout: 400_000 }, async () => {
    const heic = await readFile(new URL('../../test/photos/heic/small.heic', import.meta.url));
    const alone = await folder();
    for (const name of ['a.heic', 'b.HEIC', 'c.heif']) await put(alone, name, heic);
    // Decoded they are three times the same picture; unread they would be refused as a format.
    const refused = await errorOf(readAnyCapture(alone));
    expect([refused.code, refused.message.includes('1 of them different')]).toEqual(['CAPTURE_VIEWS_MISSING', true]);
    const mixed = await folder();
    for (const name of names(423, 424, 438)) await put(mixed, name, await readFile(join(BANANA, name)));
    await put(mixed, 'IMG_1.heic', heic);
    const capture = await readAnyCapture(mixed);
    const report = (capture.estimated as { photos: { photos: { photo: string; registered: boolean }[] } }).photos;
    expect(report.photos.map(({ photo, registered }) => [photo, registered])).toContainEqual(['IMG_1.jpg', false]);
    expect(capture.warnings.map(({ code }) => code)).not.toContain('PHOTO_NOT_READ');
    await capture.dispose();
  });

  it('makes a capture of a folder of photos, with the points that its cameras were found by, and keeps it', {
    timeout: 400_000,
  }, async () => {
    const root = await folder();
    for (const name of names(423, 424, 438)) await put(root, `photos/${name}`, await readFile(join(BANANA, name)));
    await put(root, 'photos/IMG_1.HEIC', Buffer.from('heic'));
    const kept = new Map<string, Uint8Array<ArrayBuffer>>();
    const sought = new Set<string>();
    const checkpoints: CheckpointStore = {
      read: async (name) => kept.get(name),
      write: async (name, parts) => {
        sought.add(name.split('-')[0]);
        expect(kept.has(name)).toBe(false);
        kept.set(name, new Uint8Array(Buffer.concat(parts)));
      },
    };
    const capture = await readAnyCapture(join(root, 'photos'), { checkpoints });
    expect(capture.warnings.find(({ code }) => code === 'PHOTO_NOT_READ')?.message).toContain('IMG_1.HEIC');
    expect(capture).toMatchObject({ format: 'photos', masks: 'none', scaleKnown: false });
    expect(capture.views.map(({ name }) => name)).toEqual(['DSC_0423', 'DSC_0424', 'DSC_0438']);
    expect(capture.estimated).toMatchObject({ photos: { set: { registered: 3 } } });
    // People hold cameras level: up in the picture is up in the world.
    for (const { camera } of capture.views) expect(camera.cameraToWorld[5]).toBeGreaterThan(0.5);
    const { min, max } = capture.bounds;
    expect(Math.max(...max.map((v, i) => v - min[i]))).toBeLessThan(4);
    // Sparse points come along, with the photos that show them: they project to where those photos have them.
    const { positions, seen } = capture.points as SparsePoints;
    for (const { name, camera } of capture.views) {
      const points = seen?.get(name) as Uint32Array;
      expect(points.length).toBeGreaterThan(50);
      for (const i of points) {
        const { x, y, depth } = projectPoint(camera, [positions[3 * i], positions[3 * i + 1], positions[3 * i + 2]]);
        expect(depth).toBeGreaterThan(0);
        expect([x > 0, y > 0, x < camera.width, y < camera.height]).toEqual([true, true, true, true]);
      }
    }
    await capture.dispose();
    // What was found is found again without being sought.
    const again = await readAnyCapture(join(root, 'photos'), { checkpoints });
    expect(sought).toEqual(new Set(['features', 'pair', 'cameras']));
    expect(again.views.map(({ camera }) => camera)).toEqual(capture.views.map(({ camera }) => camera));
    expect(again.points).toEqual(capture.points);
  });
});
