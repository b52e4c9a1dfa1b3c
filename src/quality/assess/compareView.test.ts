import { expect, test } from 'vitest';
import type { ColorImage } from '../../core/image.js';
import { Random } from '../../core/random.js';
import { errorImage } from '../metrics/errorImage.js';
import { maskAgreement } from '../metrics/maskIou.js';
import { alphaMask, compositeOnWhite } from '../metrics/planes.js';
import { psnr } from '../metrics/psnr.js';
import { ssim } from '../metrics/ssim.js';
import { compareView } from './compareView.js';

const [WIDTH, HEIGHT] = [61, 47];

/** Noise of colours and alpha in a box, clear around it. */
function noise(seed: number, [left, top, width, height]: readonly number[]): ColorImage {
  const random = new Random(seed);
  const data = new Uint8Array(WIDTH * HEIGHT * 4);
  for (let y = top; y < top + height; y++)
    for (let x = left; x < left + width; x++)
      for (let c = 0; c < 4; c++) data[(y * WIDTH + x) * 4 + c] = random.uint32() % 256;
  return { width: WIDTH, height: HEIGHT, data };
}

/** Boxes of the picture's and the render's object: left, top, width, height. */
const cases = [
  ['in the middle', [20, 15, 12, 9], [22, 14, 11, 12]],
  ['on the left edge', [0, 20, 9, 8], [0, 18, 8, 9]],
  ['in a corner', [50, 36, 11, 11], [54, 40, 7, 7]],
  ['near two edges', [3, 4, 20, 20], [4, 2, 20, 20]],
  ['across the frame', [0, 10, WIDTH, 5], [0, 11, WIDTH, 5]],
  ['over the whole frame', [0, 0, WIDTH, HEIGHT], [0, 0, WIDTH, HEIGHT]],
  ['of one pixel', [30, 22, 1, 1], [31, 22, 1, 1]],
  ['that the render lacks', [10, 10, 15, 15], [0, 0, 0, 0]],
  ['that is nowhere', [0, 0, 0, 0], [0, 0, 0, 0]],
] as const;

test.each(cases)('an object %s has the figures of whole frames, to the last digit', async (_, inPicture, inRender) => {
  const [picture, render] = [noise(1, inPicture), noise(2, inRender)];
  const { measures, error } = await compareView({ picture, render, hasMasks: true, errorMap: true });
  const [a, b] = [compositeOnWhite(picture), compositeOnWhite(render)];
  const region = alphaMask(picture);
  const similarity = ssim(a, b, region);
  expect(measures.psnr).toBe(psnr(a, b));
  expect(measures.ssim).toBe(similarity.mean);
  const inMask = psnr(a, b, region);
  expect(measures.inMask).toEqual(
    inMask === null ? null : { psnr: inMask, ssim: similarity.masked, pixels: region.reduce((n, v) => n + v, 0) },
  );
  expect(measures.mask).toMatchObject(maskAgreement(region, alphaMask(render), WIDTH));
  const map = errorImage(a, b);
  expect(error).toMatchObject({ width: WIDTH, height: HEIGHT });
  expect(error!.data.every((v, i) => v === map.data[i])).toBe(true);
});

test('a picture without masks is cut out by the render', async () => {
  const picture = noise(3, [0, 0, WIDTH, HEIGHT]);
  for (let i = 3; i < picture.data.length; i += 4) picture.data[i] = 255;
  const render = noise(4, [12, 9, 25, 20]);
  const { measures, error } = await compareView({ picture, render, hasMasks: false, errorMap: false });
  const [a, b] = [compositeOnWhite(picture), compositeOnWhite(render)];
  expect(measures.psnr).toBe(psnr(a, b));
  const cutOut = { ...picture, data: picture.data.map((v, i) => (i % 4 === 3 ? render.data[i] : v)) };
  const region = alphaMask(render);
  expect(measures.inMask?.psnr).toBe(psnr(compositeOnWhite(cutOut), b, region));
  expect(measures.inMask?.ssim).toBe(ssim(compositeOnWhite(cutOut), b, region).masked);
  expect(measures.mask).toBeNull();
  expect(error).toBeUndefined();
});
