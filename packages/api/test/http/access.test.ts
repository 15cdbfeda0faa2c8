import type { Places } from '@magpie/access';
import { createLineLogger } from '@magpie/contract';
import { expect, test } from 'vitest';
import { ANYBODY, createAuthenticator } from '../../src/http/access/auth.ts';
import { networkOf } from '../../src/http/access/failure-limit.ts';
import { createTickets } from '../../src/http/access/tickets.ts';
import { createApi } from '../../src/index.ts';
import { BEARER, get, KEYS, post, SECRET, startWorld } from '../support/fixtures.ts';

const reading = {};
const PLACES: Places = {
  reading: () => reading,
  pattern: () => ({ scheme: 'topic', segments: [] }),
  comparable: (address) => address,
};

const keyed = () => startWorld({ http: { keys: KEYS } });

test('with keys everything but health needs one', async () => {
  const world = await keyed();
  for (const url of [
    '/v1',
    '/v1/events',
    '/v1/connections',
    '/v1/openapi.json',
    '/metrics',
    '/v1/stream',
    '/nowhere',
  ]) {
    const response = await get(world, url);
    expect([url, response.statusCode]).toEqual([url, 401]);
    expect(response.headers['www-authenticate']).toContain('Bearer');
  }
  for (const url of ['/livez', '/readyz', '/livez?verbose']) expect((await get(world, url)).statusCode).toBe(200);
  expect((await get(world, '/v1/events', BEARER)).statusCode).toBe(200);
});

test('the id of the key becomes the principal of the event, the key itself shows nowhere', async () => {
  const world = await keyed();
  const { ref } = (await post(world, { topic: 'a', text: 'x' }, BEARER)).json();
  const response = await get(world, `/v1/messages/${ref}`, BEARER);
  expect(response.json().event.origin.principal).toBe('key:app');
  expect(response.body).not.toContain(SECRET);
});

test('a key in the URL does not count', async () => {
  const world = await keyed();
  expect((await get(world, `/v1/events?key=${SECRET}&ticket=${SECRET}`)).statusCode).toBe(401);
});

test('wrong keys make an address wait, never a right key, and nobody else', () => {
  let now = 0;
  const authenticator = createAuthenticator(KEYS, PLACES, () => now);
  const wrong =
    (address: string, key = 'wrong') =>
    () =>
      authenticator.byHeader(`Bearer ${key}`, address);
  for (let tries = 0; tries < 5; tries++) expect(wrong('10.0.0.1')).toThrow('valid key');
  expect(wrong('10.0.0.1')).toThrow(expect.objectContaining({ status: 429, headers: { 'retry-after': '60' } }));
  expect(wrong('10.0.0.1', 'another app')).toThrow('valid key');
  expect(wrong('10.0.0.2')).toThrow('valid key');
  expect(authenticator.byHeader(BEARER.authorization, '10.0.0.1').principal, 'a right key behind the same proxy').toBe(
    'key:app',
  );
  now = 60_000;
  expect(wrong('10.0.0.1')).toThrow('valid key');
});

test('who is not let in is a line with network and reason, not one for each try, and guessing is an alarm while it lasts', async () => {
  const lines: [object, string][] = [];
  const logger = createLineLogger((_, fields, message) => void lines.push([fields, message]));
  const world = await startWorld({ http: { keys: KEYS }, logger });
  const alarms = async () => (await get(world, '/v1', BEARER)).json().alarms;
  await get(world, '/v1');
  expect(await alarms()).toEqual([]);
  for (let tries = 0; tries <= 20; tries++) await get(world, '/v1', { authorization: `Bearer ${tries}-guess` });
  expect(lines).toEqual([
    [{ connection: 'http', client: '127.0.0.1', reason: 'no key' }, 'an API client was not let in: no key'],
    [{ connection: 'http', client: '127.0.0.1', reason: 'a wrong key' }, 'an API client was not let in: a wrong key'],
  ]);
  expect(await alarms()).toEqual(['too many wrong API keys from 127.0.0.1 in the last minute']);
});

test('guesses that begin otherwise each time, from anywhere in a /64, are slowed down together', () => {
  const authenticator = createAuthenticator(KEYS, PLACES, () => 0);
  const guess = (index: number) => () => authenticator.byHeader(`Bearer ${index}-guess`, `2001:db8:1:2::${index}`);
  for (let index = 1; index <= 20; index++) expect(guess(index)).toThrow('valid key');
  expect(guess(21)).toThrow(expect.objectContaining({ status: 429 }));
  expect(() => authenticator.byHeader('Bearer x', '2001:db8:1:3::1'), 'another network').toThrow('valid key');
});

test.each([
  ['10.1.2.3', '10.1.2.3'],
  ['::ffff:10.1.2.3', '10.1.2.3'],
  ['::1', '0:0:0:0::/64'],
  ['2001:0DB8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
])('the network of %s is %s', (address, network) => expect(networkOf(address)).toBe(network));

test('a forwarded address does not change whose failures count', async () => {
  const world = await keyed();
  for (let tries = 0; tries < 5; tries++) {
    const headers = { authorization: 'Bearer no', 'x-forwarded-for': `10.0.0.${tries}` };
    expect((await get(world, '/v1', headers)).statusCode).toBe(401);
  }
  expect((await get(world, '/v1', { authorization: 'Bearer no' })).statusCode).toBe(429);
});

test('a ticket is good once and for 30 s', () => {
  let now = 0;
  const tickets = createTickets(() => now);
  const first = tickets.issue(ANYBODY);
  expect(tickets.take(first)).toBe(ANYBODY);
  expect(tickets.take(first)).toBeUndefined();
  const late = tickets.issue(ANYBODY);
  now = 30_000;
  expect(tickets.take(late)).toBeUndefined();
});

test('without keys only loopback can be listened on', async () => {
  const { gateway } = await startWorld();
  const { createMetrics } = await import('@magpie/telemetry');
  const { nullLogger } = await import('@magpie/contract');
  const http = { host: '0.0.0.0', port: 0, keys: [] };
  const api = createApi({ gateway, http, maxBodyBytes: 1000, metrics: createMetrics(), logger: nullLogger });
  await expect(api.listen()).rejects.toThrow('add http.keys or listen on 127.0.0.1');
  await api.close(AbortSignal.abort());
});

test.each([
  ['evil.example', 421],
  ['localhost.evil.example', 421],
  ['localhost:8080', 200],
  ['127.0.0.1:8080', 200],
  ['[::1]:8080', 200],
])('without keys a request for the host "%s" gets %i', async (host, status) => {
  expect((await get(await startWorld(), '/v1', { host })).statusCode).toBe(status);
});

const PAGE = 'https://app.example.org';

test('pages of allowed origins may call the API, others get no permission', async () => {
  const { api } = await startWorld({ http: { keys: KEYS, cors: { origins: [PAGE] } } });
  const preflight = (origin: string) =>
    api.app.inject({
      method: 'OPTIONS',
      url: '/v1/messages',
      headers: { origin, 'access-control-request-method': 'POST' },
    });
  const allowed = await preflight(PAGE);
  expect(allowed.statusCode).toBe(204);
  expect(allowed.headers).toMatchObject({
    'access-control-allow-origin': PAGE,
    vary: expect.stringMatching(/origin/i),
  });
  expect(allowed.headers['access-control-allow-headers']).toContain('idempotency-key');
  const other = await preflight('https://evil.example');
  expect([other.statusCode, other.headers['access-control-allow-origin']]).toEqual([401, undefined]);
  const call = await api.app.inject({ url: '/v1', headers: { ...BEARER, origin: PAGE } });
  expect([call.statusCode, call.headers['access-control-allow-origin']]).toEqual([200, PAGE]);
});

const HOST = 'localhost:8080';

test.each([
  ['a page elsewhere', { origin: 'https://evil.example' }, 403],
  ['a page elsewhere that hides its origin', { origin: 'null' }, 403],
  ['a page elsewhere, as the browser says', { 'sec-fetch-site': 'cross-site' }, 403],
  ['a page of a neighbour', { 'sec-fetch-site': 'same-site', origin: 'http://localhost:9999' }, 403],
  ['a page of an allowed origin', { 'sec-fetch-site': 'cross-site', origin: PAGE }, 201],
  ['a page of the gateway', { 'sec-fetch-site': 'same-origin', origin: `http://${HOST}` }, 201],
  ['a page of the gateway in an old browser', { origin: `http://${HOST}` }, 201],
  ['an app', {}, 201],
])('without keys a request without a body from %s gets %o: %i', async (_, headers, status) => {
  const { api } = await startWorld({ http: { cors: { origins: [PAGE] } } });
  const response = await api.app.inject({ method: 'POST', url: '/v1/tickets', headers: { host: HOST, ...headers } });
  expect(response.statusCode).toBe(status);
});

test('whatever changes something, its path known or not, is refused for a page elsewhere, and reading is not', async () => {
  const { api } = await startWorld();
  const headers = { origin: 'https://evil.example' };
  for (const [method, url] of [
    ['POST', '/v1/config/reload'],
    ['POST', '/v1/targets/notices%2Ffloor/retry'],
    ['POST', '/v1/messages'],
    ['DELETE', '/v1/dead-letters/x'],
    ['PUT', '/nowhere'],
  ] as const) {
    expect([url, (await api.app.inject({ method, url, headers })).statusCode]).toEqual([url, 403]);
  }
  const read = await api.app.inject({ url: '/v1', headers });
  expect([read.statusCode, read.headers['access-control-allow-origin']]).toEqual([200, undefined]);
});
