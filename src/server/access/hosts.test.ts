import { expect, test } from 'vitest';
import { isOwnHost, isOwnOrigin } from './hosts.js';

test.each([
  ['localhost', true],
  ['localhost:7878', true],
  ['LOCALHOST.:7878', true],
  ['plinth.localhost:7878', true],
  ['127.0.0.1:7878', true],
  ['[::1]:7878', true],
  ['192.168.1.4', true],
  ['assets.example.com', true],
  ['a.inner.example', true],
  ['evil.example', false],
  ['inner.example', false],
  ['localhost.evil.example:7878', false],
  ['127.0.0.1.evil.example', false],
  ['xassets.example.com', false],
  ['evil.example:7878@localhost', false],
  ['', false],
])('the host %s is the own one: %s', (host, own) => {
  expect(isOwnHost(host, ['assets.example.com', '*.inner.example'])).toBe(own);
});

test('any host is the own one where `*` says so', () => {
  expect(isOwnHost('evil.example', ['*'])).toBe(true);
});

test('`*` for hosts lets no page in', () => {
  expect(isOwnOrigin('https://evil.example', 'localhost', { hosts: ['*'], origins: [] })).toBe(false);
});

test.each([
  ['http://localhost:7878', 'localhost:7878', true],
  ['https://assets.example.com', 'assets.example.com', true],
  // Behind a proxy that says its own name.
  ['https://assets.example.com', 'plinth:7878', true],
  ['https://other.example.com:8443', 'plinth:7878', true],
  ['https://tool.example', '127.0.0.1', true],
  ['http://localhost:3000', 'localhost:7878', false],
  ['https://assets.example.com:3000', 'assets.example.com', false],
  ['https://other.example.com', 'plinth:7878', false],
  ['https://evil.example', 'localhost:7878', false],
  ['null', 'localhost:7878', false],
  ['file://', 'localhost:7878', false],
  ['https://evil.example', undefined, false],
])('a page of %s may change something at %s: %s', (origin, host, own) => {
  const hosts = ['assets.example.com', 'other.example.com:8443'];
  expect(isOwnOrigin(origin, host, { hosts, origins: ['https://tool.example'] })).toBe(own);
});
