import { describe, expect, it } from 'vitest';
import { nextMessage, pause } from './pause.js';

describe('pause', () => {
  it('lets a timer that is due through within a few turns', async () => {
    let due = false;
    setTimeout(() => {
      due = true;
    }, 1);
    const from = performance.now();
    while (performance.now() - from < 5);
    for (let turns = 0; turns < 3 && !due; turns++) await pause();
    expect(due).toBe(true);
  });

  it('throws CANCELLED where the abort arrived meanwhile', async () => {
    const controller = new AbortController();
    setImmediate(() => controller.abort());
    await expect(pause(controller.signal)).rejects.toMatchObject({ code: 'CANCELLED' });
    await expect(pause(new AbortController().signal)).resolves.toBeUndefined();
  });

  it('gives turns in the order in which they were asked for, also by messages', async () => {
    for (const turn of [pause, nextMessage]) {
      const order: number[] = [];
      await Promise.all([1, 2, 3].map((i) => turn().then(() => order.push(i))));
      expect(order).toEqual([1, 2, 3]);
    }
  });

  it('comes by messages after all that promises had to do', async () => {
    const order: string[] = [];
    const turn = nextMessage().then(() => order.push('message'));
    let chain = Promise.resolve();
    for (let i = 0; i < 100; i++) chain = chain.then(() => {});
    await Promise.all([turn, chain.then(() => order.push('promises'))]);
    expect(order).toEqual(['promises', 'message']);
  });
});
