import { request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { createLineLogger } from '@magpie/contract';
import { expect, test } from 'vitest';
import { problemSchema } from '../../src/http/problems/problem-schema.ts';
import { get, post, startWorld } from '../support/fixtures.ts';

const MESSAGE = JSON.stringify({ topic: 'a', text: 'x' });

test.each([
  'text/plain',
  'text/json',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/jsonp',
  'application/json; charset=latin1',
  'application/json;charset=utf-8;charset=utf-16',
  'application/json\tx',
  'application/ json',
  'application/json, text/plain',
  'application/vnd.api+json',
  'application/xml',
  'application/octet-stream',
  '*/*',
  'json',
])('a body of type "%s" is refused with 415', async (type) => {
  const world = await startWorld();
  const response = await post(world, MESSAGE, { 'content-type': type });
  expect(response.statusCode).toBe(415);
  expect(problemSchema.parse(response.json()).detail).toContain('application/json');
});

test.each([
  'application/json',
  'APPLICATION/JSON',
  'application/json; charset=utf-8',
  'application/json;charset="UTF-8"',
])('a body of type "%s" is taken', async (type) => {
  expect((await post(await startWorld(), MESSAGE, { 'content-type': type })).statusCode).toBe(202);
});

test('a compressed body is refused with 415', async () => {
  const response = await post(await startWorld(), MESSAGE, { 'content-encoding': 'gzip' });
  expect(response.statusCode).toBe(415);
});

test('a body without a type is refused with 415, no body at all with 400', async () => {
  const world = await startWorld();
  const url = `${await world.listen()}/v1/messages`;
  const untyped = await new Promise((resolve, reject) => {
    request(url, { method: 'POST' }, ({ statusCode }) => resolve(statusCode))
      .on('error', reject)
      .end(MESSAGE);
  });
  expect(untyped).toBe(415);
  expect((await fetch(url, { method: 'POST' })).status).toBe(400);
});

const nested = (depth: number): string => `{"topic":"a","payload":${'['.repeat(depth)}${']'.repeat(depth)}}`;

test.each([
  ['nested 10,000 levels deep', nested(10_000), 'levels'],
  ['malformed', '{"topic":', 'Expected JSON'],
  ['with a key __proto__', '{"topic":"a","payload":{"__proto__":{"polluted":1}}}', 'Expected JSON'],
  [
    'with constructor.prototype',
    '{"topic":"a","payload":{"constructor":{"prototype":{"polluted":1}}}}',
    'Expected JSON',
  ],
  ['empty', '', 'Expected JSON'],
])('JSON that is %s is refused with 400', async (_, body, detail) => {
  const response = await post(await startWorld(), body);
  expect(response.statusCode).toBe(400);
  expect(response.json().detail).toContain(detail);
  expect(({} as { polluted?: number }).polluted).toBeUndefined();
});

test('JSON nested 100 levels deep is taken', async () => {
  expect((await post(await startWorld(), nested(100))).statusCode).toBe(202);
});

test('bytes that are no UTF-8 are refused with 400', async () => {
  const { api } = await startWorld();
  const payload = Buffer.concat([Buffer.from('{"topic":"a","text":"'), Buffer.from([0xff]), Buffer.from('"}')]);
  const headers = { 'content-type': 'application/json' };
  const response = await api.app.inject({ method: 'POST', url: '/v1/messages', headers, payload });
  expect(response.statusCode).toBe(400);
  expect(response.json().detail).toContain('UTF-8');
});

test('an unknown path is a 404 and a malformed one a 400, both as problems that name the request', async () => {
  const world = await startWorld();
  for (const [url, status] of [
    ['/v2/nothing', 404],
    ['/%zz', 400],
  ] as const) {
    const response = await get(world, url);
    expect(response.statusCode).toBe(status);
    expect(problemSchema.parse(response.json()).status).toBe(status);
  }
  const response = await get(world, '/v2/nothing');
  expect(response.json().instance).toBe(`urn:uuid:${response.headers['x-request-id']}`);
});

test('a method that a path does not have is refused with 405 and Allow; OPTIONS tells the same', async () => {
  const { api } = await startWorld();
  const wrong = await api.app.inject({ method: 'DELETE', url: '/v1/messages' });
  expect([wrong.statusCode, wrong.headers.allow]).toEqual([405, 'POST']);
  expect(problemSchema.parse(wrong.json()).detail).toContain('DELETE');
  const options = await api.app.inject({ method: 'OPTIONS', url: '/v1/events' });
  expect([options.statusCode, options.headers.allow]).toEqual([204, 'GET, HEAD']);
  expect((await api.app.inject({ method: 'HEAD', url: '/v1/events' })).statusCode).toBe(200);
});

test('bytes that are no HTTP are answered with 400 and the socket is closed', async () => {
  const { port } = new URL(await (await startWorld()).listen());
  const socket = connect(Number(port), '127.0.0.1');
  socket.write('what?\r\n\r\n');
  const answer = await text(socket);
  expect(answer).toMatch(/^HTTP\/1.1 400 /);
  expect(problemSchema.parse(JSON.parse(answer.split('\r\n\r\n')[1]!)).status).toBe(400);
});

test('an unexpected error is a 500 that tells nothing of the inside, and is logged', async () => {
  const lines: string[] = [];
  const logger = createLineLogger((_, fields, message) => void lines.push(JSON.stringify({ ...fields, message })));
  const broken = () => Promise.reject(new Error('secret inside'));
  const world = await startWorld({ logger, wrapLog: (log) => ({ ...log, deadLetters: broken }) });
  const response = await get(world, '/v1/dead-letters');
  expect(response.statusCode).toBe(500);
  expect(response.body).not.toContain('secret');
  expect(lines.join()).toContain('secret inside');
});
