import { describe, expect, it } from 'vitest';
import { useGpu } from '../../../test/gpu.js';
import { defineKernel, linear, packUniforms } from './kernel.js';

const gpu = useGpu();

const broken = defineKernel({
  name: 'no-such-entry-point',
  shader: new URL('../primitives/reduce.wgsl', import.meta.url),
  entryPoint: 'missing',
  bindings: { data: 'read' },
});

describe('packUniforms', () => {
  it('lays fields out by the rules of WGSL', () => {
    const block = packUniforms(
      { a: 'f32', b: 'vec3f', c: 'u32', d: 'vec2f', e: 'i32', f: 'mat4x4f' },
      { a: 1, b: [2, 3, 4], c: 5, d: [6, 7], e: -8, f: Float32Array.from({ length: 16 }, (_, i) => i) },
    );
    const f = new Float32Array(block);
    expect(block.byteLength).toBe(112);
    expect([f[0], f[4], f[5], f[6]]).toEqual([1, 2, 3, 4]);
    expect(new Uint32Array(block)[7]).toBe(5); // fills the gap behind the vec3f
    expect([f[8], f[9]]).toEqual([6, 7]);
    expect(new Int32Array(block)[10]).toBe(-8);
    expect([...f.subarray(12)]).toEqual(Array.from({ length: 16 }, (_, i) => i));
  });

  it('refuses missing components and NaN', () => {
    expect(() => packUniforms({ b: 'vec3f' }, { b: [1, 2] })).toThrow('uniform b[2] is undefined');
    expect(() => packUniforms({ a: 'f32' }, { a: Number.NaN })).toThrow('uniform a[0] is NaN');
  });
});

describe('linear', () => {
  it('covers every item and keeps both workgroup counts within 65,535', () => {
    for (const [count, size] of [
      [1, 64],
      [64, 64],
      [65, 64],
      [65535 * 64, 64],
      [65535 * 64 + 1, 64],
      [2 ** 31, 32],
    ]) {
      const [x, y] = linear(count, size);
      expect(x).toBeLessThanOrEqual(65535);
      expect(y).toBeLessThanOrEqual(65535);
      expect(x * y * size).toBeGreaterThanOrEqual(count);
      expect((x * y - y) * size).toBeLessThan(count);
    }
  });
});

describe('a kernel', () => {
  it('that does not compile is reported with its name, its file and a code', async () => {
    await expect(broken.compile(gpu())).rejects.toMatchObject({ code: 'GPU_SHADER_INVALID' });
    await expect(broken.compile(gpu())).rejects.toThrow(/no-such-entry-point.*reduce\.wgsl.*missing/s);
  });
});
