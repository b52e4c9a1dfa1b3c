import { beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../../core/random.js';
import { KernelMemory } from '../kernel.js';
import { type Candidate, selectSpread } from './select.js';
import { type Features, type GreyPicture, Sift } from './sift.js';

/** Smooth blobs of many sizes: features that turn and scale with the picture. */
function blobs(width: number, height: number, at: (x: number, y: number) => [number, number], seed = 1): GreyPicture {
  const random = new Random(seed);
  const list = Array.from({ length: 120 }, () => ({
    x: 400 * random.float() - 200,
    y: 400 * random.float() - 200,
    r: 2 + 8 * random.float() ** 2,
    v: 2 * random.float() - 1,
    stretch: 1 + random.float(),
  }));
  const data = new Uint8Array(width * height);
  for (let j = 0; j < height; j++)
    for (let i = 0; i < width; i++) {
      const [x, y] = at(i + 0.5, j + 0.5);
      let sum = 0;
      for (const b of list) {
        const d = ((x - b.x) ** 2 + ((y - b.y) * b.stretch) ** 2) / (2 * b.r * b.r);
        if (d < 12) sum += b.v * Math.exp(-d);
      }
      data[j * width + i] = Math.max(0, Math.min(255, Math.round(128 + 90 * sum)));
    }
  return { width, height, data, scaleX: 1, scaleY: 1 };
}

describe('blur kernels', () => {
  it('agree with a plain convolution that repeats the border', () => {
    const memory = new KernelMemory();
    const kernel = memory.load<'blurRows' | 'blurColumns'>(new URL('./pyramid.wasm', import.meta.url));
    const [width, height, radius] = [23, 11, 5];
    const random = new Random(4);
    const picture = Float32Array.from({ length: width * height }, () => random.float());
    const weights = Float32Array.of(0.3, 0.2, 0.08, 0.04, 0.02, 0.01);
    const place = (values: Float32Array): number => {
      const at = memory.reserve(values.byteLength);
      memory.floats(at, values.length).set(values);
      return at;
    };
    const [from, w] = [place(picture), place(weights)];
    const [middle, out, row] = [picture.byteLength, picture.byteLength, 512].map((size) => memory.reserve(size));
    kernel.blurRows(from, middle, width, height, w, radius, row);
    kernel.blurColumns(middle, out, width, height, w, radius);
    const result = memory.floats(out, width * height);
    const clamp = (v: number, n: number): number => Math.max(0, Math.min(n - 1, v));
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        let sum = 0;
        for (let j = -radius; j <= radius; j++)
          for (let i = -radius; i <= radius; i++)
            sum +=
              weights[Math.abs(i)] * weights[Math.abs(j)] * picture[clamp(y + j, height) * width + clamp(x + i, width)];
        expect(result[y * width + x]).toBeCloseTo(sum, 5);
      }
  });
});

describe('Sift', () => {
  const sift = new Sift();
  let features: Features;
  const plain = (x: number, y: number): [number, number] => [x - 160, y - 140];
  beforeAll(() => {
    features = sift.extract(blobs(320, 280, plain));
  });

  it('finds the middle and size of a round blob', () => {
    for (const sigma of [3, 6, 11]) {
      const [width, height] = [160, 150];
      const data = new Uint8Array(width * height);
      for (let j = 0; j < height; j++)
        for (let i = 0; i < width; i++) {
          const d = (i + 0.5 - 80.3) ** 2 + (j + 0.5 - 70.8) ** 2;
          data[j * width + i] = Math.round(40 + 180 * Math.exp(-d / (2 * sigma * sigma)));
        }
      const found = sift.extract({ width, height, data, scaleX: 1, scaleY: 1 });
      const k = Array.from(found.sigmas).reduce((best, s, i) => (s > found.sigmas[best] ? i : best), 0);
      expect(Math.hypot(found.points[k * 2] - 80.3, found.points[k * 2 + 1] - 70.8)).toBeLessThan(0.15);
      // The difference of Gaussians answers most at about the blob's own size.
      expect(found.sigmas[k] / sigma).toBeGreaterThan(0.75);
      expect(found.sigmas[k] / sigma).toBeLessThan(1.25);
    }
  });

  it('describes with vectors of one length, the same on every run', () => {
    expect(features.count).toBeGreaterThan(60);
    for (let i = 0; i < features.count; i++) {
      const d = features.descriptors.subarray(i * 128, i * 128 + 128);
      expect(Math.sqrt(d.reduce((s, v) => s + v * v, 0))).toBeCloseTo(512, -1);
    }
    expect(new Sift().extract(blobs(320, 280, plain))).toEqual(features);
  });

  it('finds most points again where the picture is turned and scaled, with like descriptors', () => {
    const [angle, factor] = [0.6, 1.3];
    const [c, s] = [Math.cos(angle), Math.sin(angle)];
    // Pixel (x, y) of the second picture shows the scene at the turned, shrunk place.
    const turned = blobs(420, 420, (x, y) => {
      const [u, v] = [(x - 210) / factor, (y - 210) / factor];
      return [c * u + s * v, -s * u + c * v];
    });
    const other = sift.extract(turned);
    let [again, alike] = [0, 0];
    for (let i = 0; i < features.count; i++) {
      const [x, y] = [features.points[i * 2] - 160, features.points[i * 2 + 1] - 140];
      const at = [210 + factor * (c * x - s * y), 210 + factor * (s * x + c * y)];
      let near = -1;
      let best = 0;
      for (let j = 0; j < other.count; j++) {
        if (Math.hypot(other.points[j * 2] - at[0], other.points[j * 2 + 1] - at[1]) > 1.5) continue;
        let product = 0;
        for (let k = 0; k < 128; k++) product += features.descriptors[i * 128 + k] * other.descriptors[j * 128 + k];
        if (product > best) [best, near] = [product, j];
      }
      if (near < 0) continue;
      again++;
      if (best > 0.93 * 512 * 512) alike++;
    }
    expect(again / features.count).toBeGreaterThan(0.6);
    expect(alike / again).toBeGreaterThan(0.8);
  });

  it('gives places and sizes in pixels of the full photo', () => {
    const scaled = sift.extract({ ...blobs(320, 280, plain), scaleX: 2, scaleY: 2 });
    scaled.points.forEach((v, i) => {
      expect(v).toBeCloseTo(2 * features.points[i], 3);
    });
    expect(scaled.sigmas[0]).toBeCloseTo(2 * features.sigmas[0], 4);
  });

  it('finds smaller points in the doubled picture, at the same places', () => {
    const doubled = sift.extract(blobs(160, 140, plain), { doubled: true });
    const single = sift.extract(blobs(160, 140, plain));
    expect(doubled.count).toBeGreaterThan(single.count);
    let met = 0;
    for (let i = 0; i < single.count; i++)
      for (let j = 0; j < doubled.count; j++)
        if (
          Math.hypot(
            single.points[i * 2] - doubled.points[j * 2],
            single.points[i * 2 + 1] - doubled.points[j * 2 + 1],
          ) < 0.5
        ) {
          met++;
          break;
        }
    expect(met / single.count).toBeGreaterThan(0.8);
  });

  it('finds nothing in a plain picture', () => {
    const data = new Uint8Array(100 * 80).fill(200);
    expect(sift.extract({ width: 100, height: 80, data, scaleX: 1, scaleY: 1 }).count).toBe(0);
  });
});

describe('selectSpread', () => {
  it('keeps the strongest of every cell in the given order', () => {
    const candidate = (px: number, strength: number): Candidate => ({
      octave: 0,
      x: px,
      y: 5,
      level: 1,
      strength,
      px,
      py: 5,
    });
    const crowd = Array.from({ length: 50 }, (_, i) => candidate(5, 10 + i));
    const kept = selectSpread([...crowd, candidate(95, 1), candidate(60, 2)], 100, 10, 10);
    expect(kept.length).toBe(10);
    expect(kept.slice(-2).map(({ px }) => px)).toEqual([95, 60]);
    expect(kept.slice(0, 8).map(({ strength }) => strength)).toEqual([52, 53, 54, 55, 56, 57, 58, 59]);
  });
});
