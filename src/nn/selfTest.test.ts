import { describe, expect, it } from 'vitest';
import { openGpu } from '../gpu/adapter/openGpu.js';
import { runSelfTest } from '../gpu/selfTest/selfTest.js';
import { SELF_TEST_CHECKS } from '../gpu/selfTest/selfTestCheck.js';
import { NETWORK_CHECKS } from './selfTest.js';

/** What may go wrong with the numbers of a result. */
const MISTAKES: [string, (words: Uint32Array) => void][] = [
  ...[0, 0.37, 1].map((place): [string, (words: Uint32Array) => void] => [
    `a wrong bit at ${place} of the result`,
    (words) => {
      words[Math.round(place * (words.length - 1))] ^= 1 << 12;
    },
  ]),
  ['two numbers exchanged', (words) => words.subarray(1000, 1002).reverse()],
  ['a number that is none', (words) => words.fill(0x7fc00000, 4711, 4712)],
  ['the last rows not written', (words) => words.fill(0, words.length - 4096)],
];

describe('the checks of networks', () => {
  for (const without of ['', 'subgroups']) {
    it(`pass on a sound adapter and catch every mistake${without && `, without ${without}`}`, async () => {
      process.env.PLINTH_DISABLE_FEATURES = without;
      const gpu = await openGpu().finally(() => delete process.env.PLINTH_DISABLE_FEATURES);
      try {
        const sound = await runSelfTest(gpu, { extra: NETWORK_CHECKS });
        expect(sound.checks.filter((c) => !c.ok)).toEqual([]);
        expect(sound.checks.map((c) => c.name)).toEqual([...SELF_TEST_CHECKS, 'gemm', 'attention']);
        gpu.trim();
        expect(gpu.bytesInUse).toBe(0);
        for (const [mistake, make] of MISTAKES) {
          const { checks } = await runSelfTest(gpu, {
            quick: true,
            extra: NETWORK_CHECKS,
            tamper: (check, words) => {
              if (check === 'gemm' || check === 'attention') make(words);
            },
          });
          const failed = checks.filter((c) => !c.ok);
          expect(
            failed.map((c) => c.name),
            mistake,
          ).toEqual(['gemm', 'attention']);
          for (const { message, late } of failed) {
            expect(message).toMatch(/^\d+ of \d+ .* wrong, the first at .*: \S+ instead of \S+$/);
            expect(late).toBeUndefined();
          }
        }
      } finally {
        gpu.dispose();
      }
    });
  }
});
