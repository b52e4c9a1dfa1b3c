import { expect, test } from 'vitest';
import { Throttle } from './throttle.js';

test('an address has so many failures a minute, and gets them back evenly', () => {
  let now = 0;
  const throttle = new Throttle(6, () => now);
  for (let i = 0; i < 6; i++) {
    expect(throttle.wait('10.0.0.1')).toBe(0);
    throttle.fail('10.0.0.1');
  }
  expect(throttle.wait('10.0.0.1')).toBe(10);
  expect(throttle.wait('10.0.0.2')).toBe(0);
  now = 9_000;
  expect(throttle.wait('10.0.0.1')).toBe(1);
  now = 10_000;
  expect(throttle.wait('10.0.0.1')).toBe(0);
  throttle.fail('10.0.0.1');
  expect(throttle.wait('10.0.0.1')).toBe(10);
  now = 200_000;
  for (let i = 0; i < 5; i++) throttle.fail('10.0.0.1');
  expect(throttle.wait('10.0.0.1')).toBe(0);
});

test('a network of IPv6 counts as one, IPv4 in IPv6 as itself', () => {
  const throttle = new Throttle(1);
  throttle.fail('2001:db8:1:2::1');
  expect(throttle.wait('2001:db8:1:2:3:4:5:6')).toBeGreaterThan(0);
  expect(throttle.wait('2001:db8:1:3::1')).toBe(0);
  throttle.fail('::ffff:10.0.0.1');
  expect(throttle.wait('::ffff:10.0.0.2')).toBe(0);
});

test('what it remembers has a limit', () => {
  const throttle = new Throttle(1);
  for (let i = 0; i < 10_001; i++) throttle.fail(`10.0.${i >> 8}.${i & 255}`);
  expect(throttle.wait('10.0.0.0')).toBe(0);
  expect(throttle.wait('10.0.0.1')).toBeGreaterThan(0);
});
