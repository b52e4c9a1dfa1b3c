import { describe, expect, it } from 'vitest';
import { openGpu } from './openGpu.js';

describe('openGpu', () => {
  it('does without the features that PLINTH_DISABLE_FEATURES names, and asks for none that no kernel uses', async () => {
    process.env.PLINTH_DISABLE_FEATURES = 'subgroups, timestamp-query';
    const own = await openGpu().finally(() => delete process.env.PLINTH_DISABLE_FEATURES);
    expect(own.has('timestamp-query')).toBe(false);
    for (const feature of ['subgroups', 'shader-f16']) expect(own.has(feature), feature).toBe(false);
    own.dispose();
    const other = await openGpu();
    expect(other.has('timestamp-query')).toBe(other.adapter.features.includes('timestamp-query'));
    other.dispose();
  });
});
