import { describe, expect, it } from 'vitest';
import { useGpu } from '../../../test/gpu.js';
import { openGpu } from '../adapter/openGpu.js';
import { assertSelfTest, runSelfTest } from './selfTest.js';
import { SELF_TEST_CHECKS } from './selfTestCheck.js';

const gpu = useGpu();

describe('self-test', () => {
  it('passes on a sound adapter, with a duration and a sentence for each check', async () => {
    const report = await runSelfTest(gpu());
    expect(report.checks.filter((c) => !c.ok)).toEqual([]);
    expect(report.checks.map((c) => c.name)).toEqual([...SELF_TEST_CHECKS]);
    for (const check of report.checks) {
      expect(check.seconds).toBeGreaterThan(0);
      expect(check.message).toMatch(/\d/);
    }
    expect(report.ok).toBe(true);
    expect(() => assertSelfTest(report)).not.toThrow();
  });

  it('passes in its quick form and frees all that it took', async () => {
    await runSelfTest(gpu(), { quick: true });
    gpu().trim();
    const before = gpu().bytesInUse;
    expect((await runSelfTest(gpu(), { quick: true })).ok).toBe(true);
    gpu().trim();
    expect(gpu().bytesInUse).toBe(before);
  });

  for (const name of SELF_TEST_CHECKS) {
    it(`catches a single wrong bit in ${name}, wherever it is`, async () => {
      for (const place of [0, 0.37, 1]) {
        const report = await runSelfTest(gpu(), {
          quick: true,
          tamper(check, words) {
            if (check !== name) return;
            // Of a pixel's four words two are used.
            const i = Math.round(place * (words.length - 1));
            words[check === 'rasterisation' ? i - (i % 4) : i] ^= 1 << 12;
          },
        });
        expect(report.ok).toBe(false);
        expect(report.checks.filter((c) => !c.ok).map((c) => c.name)).toEqual([name]);
        expect(() => assertSelfTest(report)).toThrow(
          expect.objectContaining({ code: 'GPU_SELF_TEST_FAILED', message: expect.stringContaining(name) }),
        );
      }
    });
  }

  it('catches a wrong depth', async () => {
    const report = await runSelfTest(gpu(), {
      quick: true,
      tamper(check, words) {
        if (check === 'rasterisation') words[1] ^= 0x3f000000;
      },
    });
    expect(report.checks.find((c) => c.name === 'rasterisation')).toMatchObject({
      ok: false,
      message: expect.stringContaining('depth'),
    });
  });

  it('counts a lost device as failed and does not hang', async () => {
    const own = await openGpu();
    own.device.destroy();
    const report = await runSelfTest(own, { quick: true });
    expect(report.checks.every((c) => !c.ok)).toBe(true);
    expect(report.checks[0].message).toContain('lost');
    own.dispose();
  });

  it('counts a check without an answer as failed, for being late and not for wrong numbers', async () => {
    const own = await openGpu();
    own.read = () => new Promise(() => {});
    const report = await runSelfTest(own, { quick: true, timeout: 0.05 });
    expect(report.checks.map((c) => c.ok)).toEqual(SELF_TEST_CHECKS.map(() => false));
    expect(report.checks.map((c) => c.late)).toEqual(SELF_TEST_CHECKS.map(() => true));
    expect(report.checks[0].message).toContain('no answer within 0.05 s');
    expect(() => assertSelfTest(report)).toThrow(
      expect.objectContaining({ code: 'GPU_NO_ANSWER', exitCode: 4, remedy: expect.anything() }),
    );
    // One wrong number weighs more than any number of checks that were late.
    report.checks[1] = { name: 'sort', ok: false, seconds: 1, message: '3 of 9 sorted keys are wrong' };
    expect(() => assertSelfTest(report)).toThrow(expect.objectContaining({ code: 'GPU_SELF_TEST_FAILED' }));
    own.dispose();
  });

  it('ends when it is cancelled, also while it waits', async () => {
    await expect(runSelfTest(gpu(), { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'CANCELLED' });
    const own = await openGpu();
    own.read = () => new Promise(() => {});
    const controller = new AbortController();
    const running = runSelfTest(own, { quick: true, signal: controller.signal });
    setTimeout(() => controller.abort(), 20);
    await expect(running).rejects.toMatchObject({ code: 'CANCELLED' });
    own.dispose();
  });
});
