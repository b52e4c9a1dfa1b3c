import { describe, expect, it } from 'vitest';
import { useGpu } from '../../../test/gpu.js';
import { box, cameraAt, directions } from '../../../test/solids.js';
import { around, photograph, speckled } from '../../../test/stereoScene.js';
import type { Capture, View } from '../../capture/capture.js';
import { unprojectPixel } from '../../core/camera.js';
import type { ProgressEvent } from '../../core/context.js';
import { identity, scale } from '../../core/math.js';
import { measuresDepth, stereoSeconds, withStereo } from './stereo.js';

const gpu = useGpu();
const HALF = 0.5;
/** What is said of a capture whose cameras were found in its photos. */
const FOUND: Partial<Capture> = { estimated: { photos: {} } };

const captureOf = (views: View[], more: Partial<Capture> = {}): Capture => ({
  name: 'box',
  source: 'memory:',
  format: 'object',
  views,
  bounds: { min: [-0.6, -0.6, -0.6], max: [0.6, 0.6, 0.6] },
  inputToWorld: identity(),
  scaleKnown: true,
  masks: 'alpha',
  warnings: [],
  dispose: async () => undefined,
  ...more,
});

const looks = (count: number): View[] =>
  directions(count).map((d, i) => ({
    name: `v${i}`,
    source: `memory:${i}`,
    camera: cameraAt(scale(d, 3), 64),
    split: 'train',
    loadColor: async () => ({ width: 1, height: 1, data: new Uint8Array(4) }),
  }));

describe('measuresDepth', () => {
  const depth = {
    source: '',
    camera: cameraAt([0, 0, 3], 8),
    accuracy: 0,
    load: async () => ({ width: 0, height: 0, data: new Float32Array(0) }),
  };

  it('measures in photos with masks, without depth, and with enough views near to each other', () => {
    const auto = (views: View[], more: Partial<Capture> = {}) =>
      measuresDepth(captureOf(views, { ...FOUND, ...more }), { stereo: 'auto' });
    expect(auto(looks(30))).toBe(true);
    expect(auto(looks(12))).toBe(false);
    expect(auto(looks(30), { masks: 'none' })).toBe(false);
    expect(auto(looks(30), { estimated: undefined })).toBe(false);
    const [first, ...rest] = looks(30);
    expect(auto([{ ...first, depth }, ...rest])).toBe(false);
  });

  it('does as it is told, but never replaces depth', () => {
    expect(measuresDepth(captureOf(looks(30)), { stereo: 'off' })).toBe(false);
    expect(measuresDepth(captureOf(looks(12), { masks: 'none' }), { stereo: 'on' })).toBe(true);
    const [first, ...rest] = looks(30);
    expect(measuresDepth(captureOf([{ ...first, depth }, ...rest]), { stereo: 'on' })).toBe(false);
  });

  it('expects time only where it measures, and more for finer depth', () => {
    const seconds = (stereo: 'auto' | 'off', stereoDetail: 'draft' | 'standard') =>
      stereoSeconds(captureOf(looks(30), FOUND), { stereo, stereoDetail });
    expect(seconds('off', 'standard')).toBe(0);
    expect(seconds('auto', 'standard')).toBeGreaterThan(2 * seconds('auto', 'draft'));
  });
});

it('gives training views depth that lies on the surface, and looks at no held-out view', async () => {
  const shots = photograph({ solid: box([HALF, HALF, HALF]), shade: speckled }, around(4, 20), 64);
  const looked = new Set<string>();
  const views = shots.map(
    ({ camera, image }, i): View => ({
      name: `v${i}`,
      source: `memory:${i}`,
      camera,
      split: i === 4 ? 'test' : 'train',
      loadColor: async () => {
        looked.add(`v${i}`);
        return image;
      },
    }),
  );
  const events: ProgressEvent[] = [];
  const shown: string[] = [];
  const { capture, facts } = await withStereo(
    captureOf(views),
    { stereo: 'on', stereoDetail: 'draft' },
    {
      gpu: gpu(),
      signal: new AbortController().signal,
      progress: (event) => events.push(event),
      showPreview: async (name, image) => {
        shown.push(name);
        expect(image.data.length).toBe(image.width * image.height * 4);
        return `${name}.png`;
      },
    },
  );
  expect([...looked].sort()).toEqual(['v0', 'v1', 'v2', 'v3']);
  expect(capture.views.map((v) => v.depth !== undefined)).toEqual([true, true, true, true, false]);
  expect(shown).toEqual(['depth-v0', 'depth-v1', 'depth-v2', 'depth-v3']);
  expect(new Set(events.map((e) => e.stage))).toEqual(new Set(['stereo']));
  expect(events.at(-1)).toMatchObject({ fraction: 1, preview: 'depth-v3.png' });
  expect(facts).toMatchObject({ views: 4, withDepth: 4 });
  expect(facts!.completeness).toBeGreaterThan(0.4);
  const found = capture.views[0].depth!;
  expect(found.fromPictures).toBe(true);
  const image = await found.load();
  const accuracy = await found.loadAccuracy!();
  const off: number[] = [];
  for (let i = 0; i < image.data.length; i++) {
    expect(accuracy.data[i] > 0).toBe(image.data[i] > 0);
    if (image.data[i] === 0) continue;
    const point = unprojectPixel(
      found.camera,
      (i % image.width) + 0.5,
      Math.floor(i / image.width) + 0.5,
      image.data[i],
    );
    off.push(Math.abs(Math.max(...point.map(Math.abs)) - HALF));
  }
  off.sort((a, b) => a - b);
  expect(off[Math.floor(off.length * 0.9)]).toBeLessThan(0.03);
  const small = await found.load({ maxSize: 16 });
  expect(Math.max(small.width, small.height)).toBe(16);
});
