import { describe, expect, it } from 'vitest';
import { useGpu } from '../../../../test/gpu.js';
import { linearToSrgb, srgbToLinear } from '../../../core/image.js';
import { Random } from '../../../core/random.js';
import { createFrame } from '../frame.js';
import type { LossOptions } from '../types.js';
import { createTargets, readLoss, recordLoss } from './loss.js';

const gpu = useGpu();
const SIZE = 40;
const pixels = SIZE * SIZE;

/** sRGB curve, going on beyond 1 by its tangent. */
const encode = (x: number): number => (x > 1 ? 1 + ((x - 1) * 1.055) / 2.4 : linearToSrgb(Math.max(0, x)));
const curves = {
  linear: (x: number) => x,
  srgb: encode,
  'log-srgb': (x: number) => encode(Math.log(1 + Math.max(0, x))),
};

function scene() {
  const random = new Random(8);
  const seen = new Float32Array(2 * pixels * 4);
  const images = [0, 1, 2].map(() => ({ width: SIZE, height: SIZE, data: new Uint8ClampedArray(pixels * 4) }));
  for (let i = 0; i < 2 * pixels; i++) {
    if (i % 3 === 0) continue;
    const alpha = i % 3 === 1 ? 1 : random.float();
    for (let c = 0; c < 3; c++) seen[i * 4 + c] = alpha * random.float() * (i % 7 === 0 ? 2 : 0.9);
    seen[i * 4 + 3] = alpha;
  }
  for (const image of images) {
    for (let i = 0; i < pixels; i++) {
      for (let c = 0; c < 3; c++) image.data[i * 4 + c] = i % 5 === 0 ? 255 : random.integer(256);
      image.data[i * 4 + 3] = i % 4 === 0 ? 0 : i % 4 === 1 ? random.integer(256) : 255;
    }
  }
  return { seen, images };
}

const CASES: LossOptions[] = [
  {},
  { kind: 'mse', space: 'linear', image: 0.5, silhouette: 2 },
  { kind: 'l1', space: 'srgb', silhouette: 0 },
  { kind: 'mse', space: 'srgb', minimumAlpha: 0.9 },
  { background: 1, silhouette: 3 },
  { kind: 'mse', space: 'srgb', background: 0.4 },
];

describe('loss', () => {
  it.each(CASES)('with %j and its gradient agree with float64', async (options) => {
    const { kind = 'l1', space = 'log-srgb', image = 1, silhouette = 1, minimumAlpha = -1, background = 0 } = options;
    const { seen, images } = scene();
    const frame = createFrame(gpu(), { width: SIZE, height: SIZE, capacity: 2, positionCount: 1, triangleCount: 1 });
    frame.views = [2, 0];
    gpu().write(frame.antialiased, seen);
    const targets = createTargets(gpu(), images);
    gpu().run((batch) => recordLoss(batch, frame, targets, options));
    const got = await gpu().readFloat32(frame.gradient, seen.length);
    const sums = await readLoss(gpu(), frame);
    const curve = curves[space];
    frame.views.forEach((view, n) => {
      let [imageSum, silhouetteSum, squares, compared] = [0, 0, 0, 0];
      for (let i = 0; i < pixels; i++) {
        const at = (n * pixels + i) * 4;
        const wanted = [0, 1, 2, 3].map((c) => images[view].data[i * 4 + c] / 255);
        const alpha = seen[at + 3];
        silhouetteSum += silhouette * (alpha - wanted[3]) ** 2;
        const term = (x: number, c: number, a: number): number => {
          const saturated = space !== 'linear' && wanted[c] * wanted[3] >= 0.998;
          if (wanted[3] <= minimumAlpha || (saturated && x >= 1)) return 0;
          const target = curve(srgbToLinear(wanted[c])) * wanted[3] + background * (1 - wanted[3]);
          const d = curve(x / Math.max(a, 0.01)) * a + background * (1 - a) - target;
          return image * (kind === 'mse' ? d * d : Math.abs(d));
        };
        const e = 1e-5;
        let smooth = true;
        let toAlpha = 2 * silhouette * (alpha - wanted[3]);
        for (let c = 0; c < 3; c++) {
          const x = seen[at + c];
          imageSum += term(x, c, alpha);
          const shown = linearToSrgb(Math.min(1, x / Math.max(alpha, 1e-6))) * alpha + 1 - alpha;
          squares += (shown - wanted[c] * wanted[3] - 1 + wanted[3]) ** 2;
          // Not where nothing is seen and nothing wanted, nor within a step of a kink.
          const own = x / Math.max(alpha, 0.01);
          const kinked =
            x < 2 * e ||
            alpha < 0.02 ||
            term(x, c, alpha) < 1e-3 ||
            [1, 0.0031308].some((k) => Math.abs(x - k) < 2e-3 * k || Math.abs(own - k) < 2e-3 * k);
          if (kinked) {
            if (term(x, c, alpha) !== 0 || x >= 2 * e) smooth = false;
            continue;
          }
          const difference = (term(x + e, c, alpha) - term(x - e, c, alpha)) / (2 * e);
          expect(Math.abs(got[at + c] - difference)).toBeLessThan(2e-3 * (1 + Math.abs(difference)));
          toAlpha += (term(x, c, alpha + e) - term(x, c, alpha - e)) / (2 * e);
        }
        if (!smooth) continue;
        compared++;
        expect(Math.abs(got[at + 3] - toAlpha)).toBeLessThan(2e-3 * (1 + Math.abs(toAlpha)));
      }
      expect(compared).toBeGreaterThan(pixels / 8);
      expect(Math.abs(sums[n].image - imageSum)).toBeLessThan(0.01 + 1e-3 * imageSum);
      expect(Math.abs(sums[n].silhouette - silhouetteSum)).toBeLessThan(0.01 + 1e-3 * silhouetteSum);
      expect(Math.abs(sums[n].meanSquaredError - squares / pixels / 3)).toBeLessThan(1e-4);
    });
  });
});
