import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isLoopback } from '../src/index.ts';

test.each([
  'localhost',
  'LocalHost',
  '127.0.0.1',
  '127.255.255.254',
  '::1',
  '[::1]',
  '0:0:0:0:0:0:0:1',
  '::ffff:127.0.0.1',
  '[::FFFF:7f00:1]',
])('%s is loopback', (host) => expect(isLoopback(host)).toBe(true));

test.each([
  '',
  '0.0.0.0',
  '::',
  '[::]',
  '126.255.255.255',
  '128.0.0.1',
  '10.0.0.1',
  '127.0.0.1.example.org',
  '127.1',
  '127.0.0.1:8080',
  '2130706433',
  'localhost.example.org',
  'notlocalhost',
  '[localhost]x',
  '::2',
  '::1%eth0',
  '[::1',
  '::ffff:128.0.0.1',
  ' 127.0.0.1',
])('%j is not loopback', (host) => expect(isLoopback(host)).toBe(false));

test('every IPv4 address is loopback exactly when it starts with 127', () => {
  fc.assert(
    fc.property(fc.ipV4(), (address) => {
      expect(isLoopback(address)).toBe(address.startsWith('127.'));
    }),
  );
});

test('no text makes it throw', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.ipV6()), (text) => {
      expect(typeof isLoopback(text)).toBe('boolean');
    }),
  );
});
