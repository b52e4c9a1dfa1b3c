import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { healthyMesh, sphereRenderer } from '../../../test/qualityFixtures.js';
import { drawSphere, sphereAsset, sphereCapture } from '../../../test/sphereCapture.js';
import { ERROR_COLOURS } from '../metrics/errorImage.js';
import { assessmentSchema } from '../schema.js';
import { assessWith } from './assess.js';
import { classify } from './classify.js';

const asset = sphereAsset();
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plinth-assess-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('a perfect asset scores the ceiling everywhere', async () => {
  const result = await assessWith(sphereRenderer(), asset, healthyMesh, sphereCapture());
  expect(assessmentSchema.parse(result)).toEqual(result);
  expect(result).toMatchObject({ status: 'normal', psnr: 100, ssim: 1, statusOfUnseen: null, heldOutGap: null });
  expect(result.totals.input?.maskIou?.mean).toBe(1);
  expect(result.totals.input?.depthMae?.mean).toBe(0);
  expect(result.totals.heldOut).toBeNull();
  expect(result.views[0]).toMatchObject({ group: 'input', status: 'normal', images: null });
  expect(result.views[0].colour).toEqual({
    gain: 1,
    sharpness: 1,
    lostHighlights: 0,
    bakedHighlights: 0,
    explained: 1,
    stray: 0,
  });
});

test('a sphere that is too small lacks silhouette and has the depth error of its radius', async () => {
  const result = await assessWith(sphereRenderer({ radius: 0.9 }), asset, healthyMesh, sphereCapture());
  const [view] = result.views;
  expect(view.mask?.iou).toBeGreaterThan(0.75);
  expect(view.mask?.iou).toBeLessThan(0.85);
  expect(view.mask?.missing).toBeCloseTo(1 - view.mask!.iou, 6);
  expect(view.mask?.extra).toBe(0);
  expect(view.depth?.mae).toBeGreaterThan(0.1);
  expect(view.depth?.rmse).toBeGreaterThanOrEqual(view.depth!.mae);
  expect(view.depth?.missing).toBeCloseTo(view.mask!.missing, 6);
  expect(result.status).not.toBe('normal');
});

test('input, held-out and test views are reported apart; input views decide', async () => {
  const dark = (i: number) => (i >= 6 ? { exposure: 0.4 } : {});
  const capture = sphereCapture({ views: 7, test: 2, look: dark });
  const result = await assessWith(sphereRenderer(), asset, healthyMesh, capture, { heldOut: ['r_6'] });
  expect(result.views.map((v) => v.group)).toEqual([...Array(6).fill('input'), 'heldOut', 'test', 'test']);
  expect(result.totals.input?.views).toBe(6);
  expect(result.totals.heldOut?.views).toBe(1);
  expect(result.totals.test?.views).toBe(2);
  expect(result.status).toBe('normal');
  expect(result.heldOutGap).toBeCloseTo(100 - result.totals.heldOut!.psnr.mean, 9);
  expect(result.heldOutGap).toBeGreaterThan(3);
  expect(result.views[6].colour?.gain).toBeCloseTo(0.4, 1);
  expect(result.totals.test?.psnr.worst).toBe(Math.min(result.views[7].psnr, result.views[8].psnr));
});

test('highlights that move with the camera are told from highlights baked into the render', async () => {
  const shiny = sphereCapture({ look: () => ({ highlight: true }) });
  const lost = await assessWith(sphereRenderer(), asset, healthyMesh, shiny);
  expect(lost.views[0].colour?.lostHighlights).toBeGreaterThan(0.03);
  expect(lost.views[0].colour?.bakedHighlights).toBe(0);
  const baked = await assessWith(sphereRenderer({ highlight: true }), asset, healthyMesh, sphereCapture());
  expect(baked.views[0].colour?.bakedHighlights).toBeGreaterThan(0.03);
  expect(baked.views[0].colour?.lostHighlights).toBe(0);
});

test('without masks the region of the render decides', async () => {
  const capture = sphereCapture({ depth: false });
  const onGround = capture.views.map((view) => ({
    ...view,
    loadColor: async () => {
      const image = await view.loadColor();
      for (let i = 0; i < image.data.length; i += 4) {
        if (image.data[i + 3] === 0) image.data.set([90, 60, 30], i);
        image.data[i + 3] = 255;
      }
      return image;
    },
  }));
  const result = await assessWith(sphereRenderer(), asset, healthyMesh, { ...capture, views: onGround, masks: 'none' });
  expect(result.protocol.statusRegion).toBe('inMask');
  expect(result.psnr).toBe(100);
  expect(result.totals.input?.psnr.mean).toBeLessThan(20);
  expect(result.views[0].mask).toBeNull();
  expect(result.views[0].depth).toBeNull();
  expect(result.status).toBe('normal');
});

test('keeps picture, render and error map of every view, exact and at their size', async () => {
  const capture = sphereCapture({ views: 2 });
  const result = await assessWith(sphereRenderer({ exposure: 0.5 }), asset, healthyMesh, capture, {}, folder);
  expect((await readdir(join(folder, 'assessment'))).sort()).toEqual(
    ['r_0', 'r_1'].flatMap((n) => [`${n}.error.png`, `${n}.input.png`, `${n}.render.png`]),
  );
  const render = await sharp(join(folder, result.views[1].images!.render)).raw().toBuffer({ resolveWithObject: true });
  expect(render.info).toMatchObject({ width: 64, height: 64, channels: 4 });
  expect(render.data.equals(Buffer.from(drawSphere(capture.views[1].camera, { exposure: 0.5 }).color.data))).toBe(true);
  const error = await sharp(join(folder, result.views[1].images!.error)).raw().toBuffer({ resolveWithObject: true });
  expect(error.info.channels).toBe(3);
  expect([...error.data.subarray(0, 3)]).toEqual([...ERROR_COLOURS[0]]);
  expect(error.data[(32 * 64 + 32) * 3]).toBeGreaterThan(ERROR_COLOURS[0][0] + 20);
});

test('threads find the same figures and images, in the order of the views', async () => {
  const capture = sphereCapture({ views: 6 });
  const renderer = sphereRenderer({ exposure: 0.7 });
  const of = async (name: string, threads: number) => {
    const made = join(folder, name);
    const result = await assessWith(renderer, asset, healthyMesh, capture, {}, made, { threads });
    const files = (await readdir(join(made, 'assessment'))).sort();
    return { result, files: await Promise.all(files.map((file) => readFile(join(made, 'assessment', file)))) };
  };
  const here = await of('here', 0);
  expect(here.files.length).toBe(18);
  expect(await of('threads', 2)).toEqual(here);
});

describe('is refused or stopped with a coded error', () => {
  const run = (options: object, hooks = {}) =>
    assessWith(sphereRenderer(), asset, healthyMesh, sphereCapture({ views: 2 }), options, undefined, hooks);
  test.each([
    { maxSize: 8 },
    { supersample: 9 },
    { heldOut: ['nobody'] },
    { thresholds: { normal: { psnr: 10, ssim: 0.9 }, warning: { psnr: 20, ssim: 0.8 } } },
    { thresholds: { normal: { psnr: Number.NaN, ssim: 0.9 }, warning: { psnr: 20, ssim: 0.8 } } },
  ])('for options %o', async (options) => {
    await expect(run(options)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  });

  test('on abort', async () => {
    const controller = new AbortController();
    const seen: number[] = [];
    const progress = (event: { fraction: number }) => {
      seen.push(event.fraction);
      if (seen.length === 2) controller.abort();
    };
    await expect(run({}, { signal: controller.signal, progress })).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(seen).toEqual([0, 0.5]);
  });
});

test('a status needs both measures at its floor', () => {
  expect(classify(25, 0.85)).toBe('normal');
  expect(classify(24.99, 0.99)).toBe('warning');
  expect(classify(40, 0.84)).toBe('warning');
  expect(classify(20, 0.75)).toBe('warning');
  expect(classify(19.9, 0.9)).toBe('failure');
  expect(classify(40, 0.5)).toBe('failure');
  expect(classify(30, 0.9, { normal: { psnr: 35, ssim: 0.9 }, warning: { psnr: 31, ssim: 0.9 } })).toBe('failure');
});
