import { once } from 'node:events';
import { createServer, request as forward, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { BEARER, get, KEYS, post, startWorld } from '../support/fixtures.ts';

const PREFIX = '/magpie';
const KEYED = { keys: KEYS, basePath: PREFIX, trustProxy: ['127.0.0.1'] };
const CLIENT = '203.0.113.7';

/** A proxy as nginx is set up for it: passes the host on, and says who asks. `strips`: it removes the prefix. */
async function proxyTo(target: string, strips: boolean): Promise<string> {
  const { port } = new URL(target);
  const passOn = ({ method, url = '', headers }: IncomingMessage) => ({
    ...{ host: '127.0.0.1', port, method, agent: false as const },
    path: strips ? url.slice(PREFIX.length) : url,
    headers: { ...headers, 'x-forwarded-for': CLIENT },
  });
  const server = createServer((asked, answer) => {
    const passed = forward(passOn(asked), (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(answer);
    });
    asked.pipe(passed);
  });
  server.on('upgrade', (asked, socket) => {
    const { path, headers } = passOn(asked);
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    const passed = connect(Number(port), '127.0.0.1');
    passed.write(`GET ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
    passed.pipe(socket).pipe(passed);
    for (const each of [passed, socket]) each.on('error', () => undefined);
    socket.on('close', () => passed.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close().closeAllConnections());
  const address = server.address();
  return `http://localhost:${typeof address === 'object' ? address?.port : ''}${PREFIX}`;
}

test.each([
  ['passes the prefix on', false],
  ['removes the prefix', true],
])('behind a proxy that %s, links lead back to where they came from, and so do tickets', async (_, strips) => {
  const world = await startWorld({ http: KEYED });
  const url = await proxyTo(await world.listen(), strips);
  const ask = (path: string, init: RequestInit = {}) =>
    fetch(new URL(path, url), { ...init, headers: { ...BEARER, 'content-type': 'application/json' } });
  const publish = () =>
    ask(`${PREFIX}/v1/messages`, { method: 'POST', body: JSON.stringify({ topic: 'notices/a', text: 'x' }) });
  const { links } = JSON.parse(await (await ask(`${PREFIX}/v1`)).text());
  for (const { href } of links) expect(href).toMatch(/^\/magpie\//);
  const location = (await publish()).headers.get('location') ?? '';
  expect(location).toMatch(/^\/magpie\/v1\/messages\//);
  expect((await ask(location)).status).toBe(200);
  await publish();
  const page = await ask(`${PREFIX}/v1/events?limit=1`);
  const next = /<([^>]+)>; rel="next"/.exec(page.headers.get('link') ?? '')?.[1] ?? '';
  expect(next).toMatch(/^\/magpie\/v1\/events\?/);
  expect((await ask(next)).status).toBe(200);
  const { ticket } = JSON.parse(await (await ask(`${PREFIX}/v1/tickets`, { method: 'POST', body: '{}' })).text());
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/stream?ticket=${ticket}`, ['magpie.v1.json'], {
    origin: new URL(url).origin,
  });
  const [hello] = await once(socket, 'message');
  expect(String(hello)).toContain('"hello"');
  socket.close();
});

test('the address of a client is taken from a proxy that is trusted, and from nobody else', async () => {
  const addressIn = async (trustProxy: number | readonly string[] | undefined, from: string) => {
    const world = await startWorld({ http: { ...KEYED, trustProxy } });
    world.api.app.get('/whence', { config: { open: true } }, async ({ ip }) => ip);
    const headers = { 'x-forwarded-for': from };
    return (await world.api.app.inject({ url: '/whence', headers })).body;
  };
  expect(await addressIn(['127.0.0.0/8'], CLIENT)).toBe(CLIENT);
  expect(await addressIn(1, `198.51.100.1, ${CLIENT}`)).toBe(CLIENT);
  expect(await addressIn(['127.0.0.1'], `198.51.100.1, ${CLIENT}`)).toBe(CLIENT);
  expect(await addressIn(['192.0.2.1'], CLIENT)).toBe('127.0.0.1');
  expect(await addressIn(undefined, CLIENT)).toBe('127.0.0.1');
});

test('the page of a site is known by the host that a trusted proxy names, and by no other', async () => {
  const world = await startWorld({ http: KEYED });
  const untrusting = await startWorld({ http: { keys: KEYS } });
  const page = { ...BEARER, origin: 'https://site.example.org', 'x-forwarded-host': 'site.example.org' };
  const message = { topic: 'notices/a', text: 'x' };
  expect((await post(world, message, page)).statusCode).toBe(202);
  expect((await post(untrusting, message, page)).statusCode).toBe(403);
});

test('a path that only begins like the prefix is another path', async () => {
  const world = await startWorld({ http: KEYED });
  expect((await get(world, '/magpies/v1', BEARER)).statusCode).toBe(404);
  expect((await get(world, '/magpie', BEARER)).statusCode).toBe(404);
  expect((await get(world, '/magpie/livez')).statusCode).toBe(200);
});
