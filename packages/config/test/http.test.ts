import { expect, test } from 'vitest';
import { httpSchema } from '../src/schema/http.ts';

const accepts = (http: object): boolean => httpSchema.safeParse(http).success;

test.each([1, ['10.0.0.0/8'], ['192.0.2.1', '2001:db8::/32', '::1']])('proxies may be %j', (trustProxy) => {
  expect(accepts({ trustProxy })).toBe(true);
});

test.each([0, true, 'all', [], ['proxy.example.org'], ['10.0.0.0/33'], ['10.0.0.0/'], ['::/129'], ['fe80::1%eth0']])(
  'proxies may not be %j',
  (trustProxy) => {
    expect(accepts({ trustProxy })).toBe(false);
  },
);

test.each(['/magpie', '/a/b.c', '/v1x', '/api/v1'])('the API may be under %s', (basePath) => {
  expect(accepts({ basePath })).toBe(true);
});

test.each(['/', '', 'magpie', '/magpie/', '/v1', '/v1/x', '/..', '/a/./b', '//a', '/a b', '/a?b', '/ä'])(
  'the API may not be under "%s"',
  (basePath) => {
    expect(accepts({ basePath })).toBe(false);
  },
);

test('an authority of client certificates and whether to ask for them go together', () => {
  const tls = { cert: 'c.pem', key: 'k.pem' };
  expect(accepts({ tls })).toBe(true);
  expect(accepts({ tls: { ...tls, ca: 'ca.pem', clientAuth: 'require' } })).toBe(true);
  expect(accepts({ tls: { ...tls, ca: 'ca.pem' } })).toBe(false);
  expect(accepts({ tls: { ...tls, clientAuth: 'request' } })).toBe(false);
});
