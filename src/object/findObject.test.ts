import { describe, expect, it } from 'vitest';
import { errorOf } from '../../test/captureScene.js';
import { boxScene, HALF } from '../../test/tableScene.js';
import { findObject } from './findObject.js';

describe('findObject', () => {
  it('cuts a thing on a patterned table out of every photo, without its shadow', { timeout: 240_000 }, async () => {
    const scene = boxScene();
    const found = await findObject(scene.views, scene.sparse, { threads: 1 });
    expect(found.place.stands).toBe(true);
    found.masks.forEach(({ mask, width, agreement }, i) => {
      const truth = scene.mask(i, width);
      let [both, either, shadow] = [0, 0, 0];
      for (let p = 0; p < mask.length; p++) {
        const [own, real] = [mask[p] > 0, truth.object[p] === 1];
        if (own && real) both++;
        if (own || real) either++;
        if (own && truth.shadow[p]) shadow++;
      }
      expect(both / either).toBeGreaterThan(0.95);
      expect(shadow).toBeLessThan(0.01 * both);
      expect(agreement).toBeGreaterThan(0.85);
    });
  });

  it('looks further where the points tell of a part of the object alone', { timeout: 240_000 }, async () => {
    const scene = boxScene({ photos: 6, width: 128 });
    const { positions, seen } = scene.sparse;
    // As of a vase whose neck is plain.
    const isKept = (i: number): boolean => positions[i * 3 + 1] < 0.6 * HALF[1];
    const sparse = {
      positions,
      seen: new Map([...(seen ?? [])].map(([name, list]) => [name, list.filter(isKept)])),
    };
    for (let i = 0; i < positions.length / 3; i++) if (!isKept(i)) positions.set([9, 9, 9], i * 3);
    const found = await findObject(scene.views, sparse, { threads: 1 });
    expect(found.place.box.max[1]).toBeGreaterThan(1.5 * found.place.core.max[1]);
    expect(found.doubts.reached).toEqual([]);
    found.masks.forEach(({ mask, width }, i) => {
      const { object } = scene.mask(i, width);
      let [both, either] = [0, 0];
      for (let p = 0; p < mask.length; p++) {
        if (mask[p] && object[p]) both++;
        if (mask[p] || object[p]) either++;
      }
      // Its bright top, of which no point is known, may be missing.
      expect(both / either).toBeGreaterThan(0.7);
    });
  });

  it('gives the same masks again, and stops when told to', { timeout: 240_000 }, async () => {
    const scene = boxScene({ photos: 5, width: 96 });
    const once = await findObject(scene.views, scene.sparse, { threads: 1 });
    const again = await findObject(scene.views, scene.sparse, { threads: 2 });
    expect(again.masks).toEqual(once.masks);
    const abort = new AbortController();
    const work = findObject(scene.views, scene.sparse, {
      threads: 1,
      signal: abort.signal,
      onProgress: (_, what) => what === 'Cutting the object out' && abort.abort(),
    });
    expect((await errorOf(work)).code).toBe('CANCELLED');
  });
});
