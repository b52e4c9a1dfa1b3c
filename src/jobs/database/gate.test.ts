import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Gate } from './gate.js';

test('as many are inside as it is wide, in their order, whatever becomes of them', async () => {
  const gate = new Gate(2);
  const ends: (() => void)[] = [];
  const begun: number[] = [];
  const all = Array.from({ length: 5 }, (_, i) =>
    gate.through(async () => {
      begun.push(i);
      await new Promise<void>((resolve, reject) => {
        ends[i] = i === 1 ? () => reject(new Error('one')) : resolve;
      });
      return i;
    }),
  );
  await turn();
  expect(begun).toEqual([0, 1]);
  ends[1]();
  await expect(all[1]).rejects.toThrow('one');
  await turn();
  expect(begun).toEqual([0, 1, 2]);
  ends[0]();
  await turn();
  ends[2]();
  await turn();
  expect(begun).toEqual([0, 1, 2, 3, 4]);
  ends[3]();
  ends[4]();
  expect(await Promise.all([all[0], all[2], all[3], all[4]])).toEqual([0, 2, 3, 4]);
  expect(await gate.through(async () => 'free')).toBe('free');
});
