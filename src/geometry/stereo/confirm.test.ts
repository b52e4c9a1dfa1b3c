import { expect, it } from 'vitest';
import { confirmDepths } from './confirm.js';

it('keeps what two views confirm, and what one does where that continues it', () => {
  const [width, height] = [12, 5];
  const data = new Float32Array(width * height).fill(2);
  const witnesses = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < 3; x++) witnesses[y * width + x] = 2;
    // One witness alone: continues the sure part up to column 5, then there is a step.
    for (let x = 3; x < 9; x++) witnesses[y * width + x] = 1;
    for (let x = 6; x < 9; x++) data[y * width + x] = 2.1;
  }
  confirmDepths({ width, height, data }, witnesses);
  for (let y = 0; y < height; y++) {
    expect([...data.subarray(y * width, y * width + width)]).toEqual([2, 2, 2, 2, 2, 2, 0, 0, 0, 0, 0, 0]);
  }
});

it('leaves nothing where nothing is sure', () => {
  const data = new Float32Array(25).fill(1);
  confirmDepths({ width: 5, height: 5, data }, new Uint8Array(25).fill(1));
  expect(data.every((v) => v === 0)).toBe(true);
});
