import { expect, it } from 'vitest';
import type { Quality } from './quality.js';
import { remedyOf } from './remedyOf.js';

const advice = (code: string) => ({ code, severity: 'hint', message: '' });
const quality = (kind: string, ...texelsPerPixel: number[]): Quality =>
  ({
    texture: { kind, width: 1024, height: 1024 },
    views: texelsPerPixel.map((density) => ({ group: 'input', texelsPerPixel: density })),
  }) as unknown as Quality;
const made = { name: 'fusion', method: 'fusion', preset: 'standard', options: { triangles: 5000 } };

it('turns advice into the request that follows it, keeping what was chosen', () => {
  expect(remedyOf(advice('texture-coarse'), quality('baked', 0.9, 0.4), made)).toEqual({
    words: 'Make again with a texture of 4096',
    request: { method: 'fusion', preset: 'standard', options: { triangles: 5000, textureSize: 4096 } },
  });
  expect(remedyOf(advice('highlights-lost'), quality('baked', 1), made)?.request).toEqual({ method: 'nvdiffrec' });
  expect(remedyOf(advice('blurred'), quality('baked', 1), made)?.request).toMatchObject({ preset: 'high' });
});

it('offers nothing where nothing would change, or where only people can do it', () => {
  expect(remedyOf(advice('texture-coarse'), quality('baked', 2), made)).toBeUndefined();
  expect(remedyOf(advice('texture-coarse'), quality('baked', 0.01), made)?.words).toMatch(/8192/);
  expect(remedyOf(advice('highlights-lost'), quality('pbr', 1), { ...made, method: 'nvdiffrec' })).toBeUndefined();
  expect(remedyOf(advice('blurred'), quality('baked', 1), { ...made, preset: 'high' })).toBeUndefined();
  expect(remedyOf(advice('few-views'), quality('baked', 1), made)).toBeUndefined();
});
