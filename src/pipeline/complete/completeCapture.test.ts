import { describe, expect, it } from 'vitest';
import { errorOf, put, useFolders } from '../../../test/captureScene.js';
import { boxScene, HALF } from '../../../test/tableScene.js';
import type { Capture } from '../../capture/capture.js';
import { identity } from '../../core/math.js';
import type { CheckpointStore } from '../../core/platform.js';
import type { Gpu } from '../../gpu/runtime/gpu.js';
import type { ObjectHints } from '../../object/hints.js';
import { completeCapture, completionStages } from './completeCapture.js';
import { unusedHints } from './masks.js';
import type { CompletionContext } from './stage.js';

const folder = useFolders();
const AUTO = { object: 'auto' } as const;

function captureOf({ views, sparse }: Pick<ReturnType<typeof boxScene>, 'views' | 'sparse'>): Capture {
  return {
    name: 'table',
    source: 'table',
    format: 'photos',
    views,
    bounds: { min: [-1, -1, -1], max: [1, 1, 1] },
    inputToWorld: identity(),
    scaleKnown: false,
    masks: 'none',
    points: sparse,
    warnings: ['CAPTURE_NO_MASKS', 'CAPTURE_BOUNDS_AMONG_CAMERAS'].map((code) => ({ code, message: '' })),
    leftOut: [],
    dispose: async () => {},
  };
}

const contextOf = (more: Partial<CompletionContext> = {}): CompletionContext => ({
  gpu: {} as Gpu,
  progress: () => {},
  signal: new AbortController().signal,
  seed: 0,
  warn: () => {},
  ...more,
});

async function alphas(capture: Capture): Promise<Record<string, Uint8Array>> {
  const pairs = capture.views.map(async ({ name, loadColor }) => {
    const { data } = await loadColor();
    return [name, Uint8Array.from({ length: data.length / 4 }, (_, i) => data[i * 4 + 3])] as const;
  });
  return Object.fromEntries(await Promise.all(pairs));
}

describe('completeCapture', () => {
  it('gives photos masks and the bounds of the object, tells how far it is, and shows the cut-outs', {
    timeout: 240_000,
  }, async () => {
    const fractions: number[] = [];
    const shown: string[] = [];
    const given = captureOf(boxScene({ photos: 8, width: 128 }));
    const context = contextOf({
      progress: ({ stage, fraction }) => {
        expect(stage).toBe('masks');
        fractions.push(fraction);
      },
      showPreview: async (name) => {
        shown.push(name);
        return name;
      },
    });
    const capture = await completeCapture(given, AUTO, context);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
    expect([fractions[0], fractions[fractions.length - 1]]).toEqual([0, 1]);
    expect(shown).toContain('cutouts');
    expect(capture).toMatchObject({ masks: 'object', warnings: [], estimated: { object: { stands: true } } });
    for (let k = 0; k < 3; k++) {
      const middle = k === 1 ? HALF[1] : 0;
      expect(Math.abs(capture.bounds.min[k] - (middle - HALF[k]))).toBeLessThan(0.04);
      expect(Math.abs(capture.bounds.max[k] - (middle + HALF[k]))).toBeLessThan(0.04);
    }
    // What is there is left alone.
    expect(completionStages(capture, AUTO)).toEqual([]);
    expect(await completeCapture(capture, AUTO, contextOf())).toBe(capture);
    expect(await completeCapture(given, { object: 'none' }, contextOf())).toBe(given);
  });

  it('lets views that are held out have no say', { timeout: 240_000 }, async () => {
    const scene = boxScene({ photos: 7, width: 96 });
    const held = 3;
    const with3 = (grey: boolean): Capture =>
      captureOf({
        sparse: scene.sparse,
        views: scene.views.map((view, i) => {
          if (i !== held) return view;
          const loadColor: typeof view.loadColor = async (options) => {
            const image = await view.loadColor(options);
            return grey ? { ...image, data: image.data.map((v, p) => (p % 4 < 3 ? 255 - v : v)) } : image;
          };
          return { ...view, split: 'test', loadColor };
        }),
      });
    const [a, b] = [
      await alphas(await completeCapture(with3(false), AUTO, contextOf())),
      await alphas(await completeCapture(with3(true), AUTO, contextOf())),
    ];
    const own = `photo_${held}`;
    // It has a mask of its own, for the comparison, which the pictures decide.
    expect(a[own].some((v) => v > 200)).toBe(true);
    expect(a[own]).not.toEqual(b[own]);
    delete a[own];
    delete b[own];
    expect(a).toEqual(b);
  });

  it('finds what an earlier run kept, for the same pictures only', { timeout: 240_000 }, async () => {
    const root = await folder();
    const scene = boxScene({ photos: 6, width: 96 });
    let loads = 0;
    const views = await Promise.all(
      scene.views.map(async (view) => ({
        ...view,
        source: await put(root, `${view.name}.png`, view.name),
        loadColor: (options?: { maxSize?: number }) => {
          loads++;
          return view.loadColor(options);
        },
      })),
    );
    const kept = new Map<string, Uint8Array<ArrayBuffer>>();
    const checkpoints: CheckpointStore = {
      read: async (name) => kept.get(name),
      write: async (name, parts) => void kept.set(name, new Uint8Array(Buffer.concat(parts))),
    };
    const run = () => completeCapture(captureOf({ ...scene, views }), AUTO, contextOf({ checkpoints }));
    const first = await run();
    expect([loads, kept.size]).toEqual([6, 1]);
    const second = await run();
    expect(loads).toBe(6);
    expect(await alphas(second)).toEqual(await alphas(first));
    await put(root, 'photo_0.png', 'another picture');
    await run();
    expect(kept.size).toBe(2);
    // What is damaged is made anew.
    for (const name of kept.keys()) kept.set(name, new Uint8Array(8));
    expect((await run()).masks).toBe('object');
  });

  it('stops within a second', { timeout: 240_000 }, async () => {
    const abort = new AbortController();
    const scene = boxScene({ photos: 6, width: 96 });
    let begin = 0;
    const context = contextOf({
      signal: abort.signal,
      progress: ({ fraction }) => {
        if (fraction < 0.5 || begin > 0) return;
        begin = performance.now();
        abort.abort();
      },
    });
    expect((await errorOf(completeCapture(captureOf(scene), AUTO, context))).code).toBe('CANCELLED');
    expect(begin).toBeGreaterThan(0);
  });
});

it('tells of hints where nothing is to be cut out', () => {
  const capture = captureOf(boxScene());
  const hints = { box: { min: [0, 0, 0], max: [1, 1, 1] } } as ObjectHints;
  expect(unusedHints(capture, { object: 'auto', hints })).toEqual([]);
  const masked: Capture = { ...capture, masks: 'files' };
  expect(unusedHints(masked, { object: 'auto', hints })).toMatchObject([{ code: 'OBJECT_HINTS_UNUSED' }]);
  expect(unusedHints(masked, { object: 'auto', hints: {} })).toEqual([]);
});
