import { expect, test } from 'vitest';
import { isPrivateAddress } from './privateAddress.js';

test.each([
  '127.0.0.1',
  '10.1.2.3',
  '169.254.169.254',
  '192.168.0.1',
  '0.0.0.0',
  '::1',
  '::ffff:127.0.0.1',
  '::ffff:10.0.0.1',
  '::ffff:0:127.0.0.1',
  '::ffff:0:169.254.169.254',
  '::ffff:0:a00:1',
  '64:ff9b::7f00:1',
  'fd00::1',
  'fe80::1',
  'example.com',
])('%s is no public address', (address) => expect(isPrivateAddress(address)).toBe(true));

test.each(['8.8.8.8', '93.184.215.14', '2606:2800:21f:cb07::1', '::ffff:8.8.8.8'])('%s is one', (address) =>
  expect(isPrivateAddress(address)).toBe(false),
);
