import { expect, it } from 'vitest';
import { sha256 } from './digest.js';

it('gives the digests of FIPS 180-4', async () => {
  const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
  expect(await sha256('abc')).toBe(abc);
  expect(await sha256(Uint8Array.of(0, 97, 98, 99, 0).subarray(1, 4))).toBe(abc);
  expect(await sha256('')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
});
