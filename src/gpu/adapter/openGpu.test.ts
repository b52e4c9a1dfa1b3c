import { describe, expect, it } from 'vitest';
import { openGpu } from './openGpu.js';

describe('openGpu', () => {
  it(
    'asks for subgroups, and for timestamps where work is profiled, unless PLINTH_DISABLE_FEATURES names them, and ' +
      'for no other feature',
    async () => {
      process.env.PLINTH_DISABLE_FEATURES = 'timestamp-query,subgroups';
      const without = await openGpu({ profile: true }).finally(() => delete process.env.PLINTH_DISABLE_FEATURES);
      const plain = await openGpu();
      const profiling = await openGpu({ profile: true });
      for (const gpu of [without, plain]) expect(gpu.has('timestamp-query')).toBe(false);
      expect(profiling.has('timestamp-query')).toBe(profiling.adapter.features.includes('timestamp-query'));
      expect(without.has('subgroups')).toBe(false);
      for (const gpu of [plain, profiling]) {
        expect(gpu.has('subgroups')).toBe(gpu.adapter.features.includes('subgroups'));
      }
      for (const gpu of [without, plain, profiling]) {
        expect(gpu.has('shader-f16')).toBe(false);
        gpu.dispose();
      }
    },
  );

  it("raises limits to the adapter's, or leaves them at WebGPU's defaults under PLINTH_DEFAULT_LIMITS", async () => {
    process.env.PLINTH_DEFAULT_LIMITS = '1';
    const least = await openGpu().finally(() => delete process.env.PLINTH_DEFAULT_LIMITS);
    const plain = await openGpu();
    expect(least.limits.maxStorageBuffersPerShaderStage).toBe(8);
    expect(least.limits.maxStorageBufferBindingSize).toBe(2 ** 27);
    expect(least.limits.maxComputeInvocationsPerWorkgroup).toBe(256);
    const { limits } = plain.adapter;
    expect(plain.limits.maxStorageBuffersPerShaderStage).toBe(limits.maxStorageBuffersPerShaderStage);
    expect(plain.limits.maxComputeInvocationsPerWorkgroup).toBe(limits.maxComputeInvocationsPerWorkgroup);
    for (const gpu of [least, plain]) gpu.dispose();
  });
});
