import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, expect, test } from 'vitest';
import { useGpu } from '../../../test/gpu.js';
import { box, picture } from '../../../test/texturedShapes.js';
import type { Asset } from '../../core/asset.js';
import type { ProgressEvent } from '../../core/context.js';
import { lookAt } from '../../core/math.js';
import { writePreviews } from './previews.js';
import { renderToPng } from './renderToPng.js';

const gpu = useGpu();
const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'plinth-previews-'));
  folders.push(path);
  return join(path, 'previews');
}

const asset: Asset = {
  mesh: box([1, 1, 1], 6, 1),
  material: { kind: 'pbr', baseColor: picture(6, 4, (x, y) => [40 * x, 60 * y, 128]) },
};

test('previews are eight textured and eight clay views, sheets and a turntable that goes round', async () => {
  const path = await folder();
  const events: ProgressEvent[] = [];
  const files = await writePreviews(gpu(), asset, path, {
    size: 160,
    frames: 9,
    progress: (event) => events.push(event),
  });
  expect((await readdir(path)).sort()).toEqual([...files].sort());
  const degrees = ['000', '045', '090', '135', '180', '225', '270', '315'];
  const expected = [...degrees.map((d) => `textured-${d}.png`), ...degrees.map((d) => `clay-${d}.png`)];
  expect(files).toEqual([...expected, 'contact-sheet.png', 'relit-sheet.png', 'turntable.webp']);
  for (const name of expected) {
    const { width, height, hasAlpha } = await sharp(join(path, name)).metadata();
    expect([width, height, hasAlpha]).toEqual([160, 160, true]);
    const { channels } = await sharp(join(path, name)).stats();
    // A ball that fills most of the frame, with room to its border.
    expect(channels[3].mean / 255).toBeGreaterThan(0.4);
    const { data } = await sharp(join(path, name))
      .extractChannel(3)
      .extract({ left: 0, top: 0, width: 160, height: 4 })
      .raw()
      .toBuffer({ resolveWithObject: true });
    expect(data.every((a) => a === 0)).toBe(true);
  }
  const turntable = await sharp(join(path, 'turntable.webp'), { animated: true }).metadata();
  expect(turntable).toMatchObject({ format: 'webp', pages: 9, loop: 0, width: 125, pageHeight: 125 });
  expect(events.every(({ stage }) => stage === 'previews')).toBe(true);
  expect(events.at(-1)!.fraction).toBe(1);
});

test('an abort ends previews with CANCELLED', async () => {
  const abort = new AbortController();
  const run = writePreviews(gpu(), asset, await folder(), { signal: abort.signal, progress: () => abort.abort() });
  await expect(run).rejects.toMatchObject({ code: 'CANCELLED' });
});

test('an asset is rendered to PNG from a camera or a fitted orbit', async () => {
  const orbit = await sharp(await renderToPng(gpu(), asset, { azimuth: 30, elevation: 10 }, { width: 80, height: 60 }))
    .raw()
    .toBuffer({ resolveWithObject: true });
  expect(orbit.info).toMatchObject({ width: 80, height: 60, channels: 4 });
  expect(orbit.data[(30 * 80 + 40) * 4 + 3]).toBe(255);
  expect(orbit.data[3]).toBe(0);
  const camera = {
    cameraToWorld: lookAt([0, 0, 5], [0, 0, 0]),
    width: 50,
    height: 40,
    fx: 60,
    fy: 60,
    cx: 25,
    cy: 20,
  };
  const png = await renderToPng(gpu(), asset, camera, { background: [1, 0, 0] });
  const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
  expect([info.width, info.height]).toEqual([50, 40]);
  expect([...data.subarray(0, 4)]).toEqual([255, 0, 0, 255]);
  expect(await renderToPng(gpu(), asset, camera, { background: [1, 0, 0] })).toEqual(png);
});
