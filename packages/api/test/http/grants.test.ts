import { type Grant, ROLE_NAMES, type Role } from '@magpie/access';
import { waitFor } from '@magpie/testkit';
import { describe, expect, test } from 'vitest';
import { RESOURCES } from '../../src/resources/index.ts';
import { get, hashOf, post, startWorld, type World } from '../support/fixtures.ts';
import { openClient } from '../support/sockets.ts';

const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` });

/** A key of that name whose secret is its name. */
const keyOf = (id: string, roles: readonly Role[], ...grants: readonly Grant[]) => ({
  id,
  hash: hashOf(id),
  roles,
  grants,
});

const allow = (action: Grant['action'], connection?: string, address?: string): Grant => ({
  action,
  effect: 'allow',
  ...(connection === undefined ? {} : { connection }),
  ...(address === undefined ? {} : { address }),
});

const deny = (...given: Parameters<typeof allow>): Grant => ({ ...allow(...given), effect: 'deny' });

const keys = [
  ...ROLE_NAMES.map((role) => keyOf(role, [role])),
  keyOf(
    'web',
    [],
    allow('publish', 'http', 'topic:notices/${principal.id}/#'),
    allow('read', 'http', 'topic:notices/web/#'),
  ),
  keyOf('board', [], allow('publish', 'floor', 'channel:board/+')),
  keyOf(
    'mostly',
    ['admin'],
    deny('publish', 'http', 'topic:notices/secret'),
    deny('read', 'http', 'topic:notices/secret'),
  ),
  keyOf(
    'listener',
    [],
    allow('subscribe', 'http', 'topic:notices/#'),
    deny('subscribe', 'http', 'topic:notices/secret/#'),
  ),
  keyOf('topics', [], allow('read', undefined, 'topic:notices/#'), allow('subscribe', undefined, 'topic:notices/#')),
  keyOf('scraper', [], allow('metrics')),
  keyOf(
    'unboarded',
    ['admin'],
    deny('read', 'floor', 'channel:board/+'),
    deny('subscribe', 'floor', 'channel:board/+'),
  ),
  keyOf('boarder', [], allow('read', 'floor', 'channel:board/+')),
];

const keyed = () => startWorld({ http: { keys } });

const publishAs = (world: World, id: string, message: object) => post(world, message, bearer(id));

describe('every resource', () => {
  const OPEN_TO_ANY_KEY = ['/v1', '/v1/openapi.json', '/v1/tickets'];

  test('that needs a key says what a key must be allowed to do', () => {
    const without = RESOURCES.filter(({ open, needs }) => !open && needs === undefined).map(({ url }) => url);
    expect(without).toEqual(OPEN_TO_ANY_KEY);
  });

  test('answers 403 for roles below its action, before it looks at the body, and never for those above', async () => {
    const world = await keyed();
    const first = { read: 0, subscribe: 0, metrics: 0, operate: 1, edit: 2, publish: 2, request: 2, admin: 3 };
    for (const { method, url, needs, open } of RESOURCES) {
      if (open || needs?.scope !== 'everywhere') continue;
      for (const [rank, role] of ROLE_NAMES.entries()) {
        const path = url.replace(/:\w+/g, 'none');
        const headers = { ...bearer(role), 'content-type': 'application/json' };
        const { statusCode } = await world.api.app.inject({
          method,
          url: path,
          headers,
          ...(method === 'POST' ? { payload: '{' } : {}),
        });
        const what = `${role} ${method} ${url}`;
        if (rank < first[needs.action]) expect([what, statusCode]).toEqual([what, 403]);
        else expect([what, statusCode]).not.toEqual([what, 403]);
      }
    }
  });
});

describe('publishing', () => {
  test('to a topic needs a grant for it, and the refusal says which grant is missing', async () => {
    const world = await keyed();
    expect((await publishAs(world, 'web', { topic: 'notices/web/a', text: 'x' })).statusCode).toBe(202);
    const refused = await publishAs(world, 'web', { topic: 'notices/other/a', text: 'x' });
    expect(refused.statusCode).toBe(403);
    expect(refused.json().detail).toBe(
      'key:web may not publish at topic:notices/other/a of http: no grant allows it. See http.keys, "roles" and "grants".',
    );
    expect((await publishAs(world, 'viewer', { topic: 'notices/web/a', text: 'x' })).statusCode).toBe(403);
    expect((await publishAs(world, 'mostly', { topic: 'notices/secret', text: 'x' })).json().detail).toContain(
      'the grant "deny publish topic:notices/secret of http" forbids it',
    );
  });

  test('in a batch is judged message by message', async () => {
    const world = await keyed();
    const batch = [
      { topic: 'notices/web/a', text: 'x' },
      { topic: 'notices/other', text: 'x' },
    ];
    const { results } = (await publishAs(world, 'web', batch)).json();
    expect(results[0]).toHaveProperty('ref');
    expect(results[1].problem.status).toBe(403);
  });

  test('directly needs a grant for the place of the connection, and the event says who sent it', async () => {
    const world = await keyed();
    const to = { connection: 'floor', channel: 'board/notices' };
    const { ref } = (await publishAs(world, 'board', { to, text: 'x' })).json();
    const seen = await get(world, `/v1/messages/${ref}`, bearer('viewer'));
    expect(seen.json().event.origin.principal).toBe('key:board');
    expect((await publishAs(world, 'board', { to: { ...to, channel: 'plant/p7' }, text: 'x' })).statusCode).toBe(403);
    expect((await publishAs(world, 'web', { to, text: 'x' })).statusCode).toBe(403);
  });
});

describe('reading', () => {
  test('history needs a grant that covers all that is asked for', async () => {
    const world = await keyed();
    const events = async (id: string, query: string) => (await get(world, `/v1/events${query}`, bearer(id))).statusCode;
    expect(await events('viewer', '')).toBe(200);
    expect(await events('web', '')).toBe(403);
    expect(await events('web', '?connection=http&address=notices/web/%23')).toBe(200);
    expect(await events('web', '?address=topic:notices/web/a')).toBe(403);
    expect(await events('mostly', '?connection=http&address=notices/%23')).toBe(403);
    expect(await events('mostly', '?connection=http&address=notices/public/%23')).toBe(200);
    expect(await events('board', '?connection=floor')).toBe(403);
    expect(await events('topics', '?connection=http&address=notices/%23')).toBe(200);
  });

  test('an event that a key may not see is 404, as one that does not exist', async () => {
    const world = await keyed();
    const secret = (await publishAs(world, 'admin', { topic: 'notices/secret', text: 'x' })).json().ref;
    for (const path of ['', '/body']) {
      const answer = async (id: string, ref: string) => get(world, `/v1/messages/${ref}${path}`, bearer(id));
      expect((await answer('viewer', secret)).statusCode).toBe(200);
      const [hidden, missing] = [
        await answer('mostly', secret),
        await answer('mostly', '01a22c56-0000-7000-8000-000000000000'),
      ];
      expect(hidden.statusCode).toBe(404);
      expect(hidden.json().detail.replace(secret, '')).toBe(
        missing.json().detail.replace('01a22c56-0000-7000-8000-000000000000', ''),
      );
    }
  });

  test('a direct send is read at the place it goes to, by every way to it', async () => {
    const world = await keyed();
    const to = { connection: 'floor', channel: 'board/secret' };
    const { ref } = (await publishAs(world, 'admin', { to, text: 'x' })).json();
    const status = async (id: string, path: string) => (await get(world, path, bearer(id))).statusCode;
    expect(await status('boarder', `/v1/messages/${ref}`)).toBe(200);
    expect(await status('unboarded', `/v1/messages/${ref}`)).toBe(404);
    expect(await status('unboarded', `/v1/messages/${ref}/body`)).toBe(404);
    expect(await status('unboarded', '/v1/events?connection=$direct')).toBe(403);
    expect(await status('viewer', '/v1/events?connection=$direct')).toBe(200);
  });

  test('no refusal names connections to a key that may do nothing there', async () => {
    const world = await keyed();
    for (const connection of ['nope', 'floor']) {
      const answers = [
        await publishAs(world, 'web', { to: { connection, channel: 'a' }, text: 'x' }),
        await publishAs(world, 'web', { to: { connection, wrong: 'a' }, text: 'x' }),
        await get(world, `/v1/events?connection=${connection}&address=a`, bearer('web')),
        await get(world, `/v1/presence?connection=${connection}&address=a`, bearer('web')),
      ];
      for (const { statusCode, body } of answers) {
        expect(statusCode).toBe(403);
        expect(body.replaceAll(connection, '')).not.toMatch(/floor|expected one of/);
      }
    }
  });

  test('HEAD asks for the same grants as GET', async () => {
    const world = await keyed();
    const head = async (id: string, url: string) =>
      (await world.api.app.inject({ method: 'HEAD', url, headers: bearer(id) })).statusCode;
    expect(await head('web', '/v1/targets')).toBe(403);
    expect(await head('web', '/v1/events')).toBe(403);
    expect(await head('viewer', '/v1/targets')).toBe(200);
  });

  test('connections shows those at which something may be read, the entry no alarms to who may not read everything', async () => {
    const world = await keyed();
    const names = async (id: string) =>
      (await get(world, '/v1/connections', bearer(id))).json().connections.map(({ name }: { name: string }) => name);
    expect(await names('viewer')).toContain('floor');
    expect(await names('web')).not.toContain('floor');
    expect((await get(world, '/v1/connections/floor', bearer('web'))).statusCode).toBe(404);
    expect(await names('topics')).toEqual([]);
    expect((await get(world, '/v1', bearer('web'))).json().alarms).toEqual([]);
    expect((await get(world, '/metrics', bearer('scraper'))).statusCode).toBe(200);
    expect((await get(world, '/v1/targets', bearer('scraper'))).statusCode).toBe(403);
  });

  test('presence shows what may be read', async () => {
    const world = await keyed();
    expect((await get(world, '/v1/presence', bearer('web'))).json()).toEqual({ presence: [] });
  });
});

describe('a stream', () => {
  const answers = async (id: string, frame: object): Promise<readonly Record<string, unknown>[]> => {
    const world = await keyed();
    const app = await openClient(await world.listen(), { headers: bearer(id) });
    app.send({ type: 'subscribe', id: 'a', ...frame });
    const found = () => app.frames.filter(({ type }) => type === 'subscribed' || type === 'error');
    await waitFor(() => found().length > 0, { what: 'an answer' });
    return found();
  };
  const subscriber = 'listener';

  test('opens subscriptions that an allow covers and no deny overlaps', async () => {
    expect(await answers(subscriber, { connection: 'http', address: 'notices/web/#' })).toMatchObject([
      { type: 'subscribed' },
    ]);
    expect(await answers(subscriber, { connection: 'http', address: 'notices/#' })).toMatchObject([
      { type: 'error', status: 403 },
    ]);
    expect(await answers(subscriber, {})).toMatchObject([{ type: 'error', status: 403 }]);
    expect(await answers('topics', { connection: 'http', address: 'notices/#' })).toMatchObject([
      { type: 'subscribed' },
    ]);
    expect(await answers('web', { connection: 'http', address: 'notices/web/#' })).toMatchObject([
      { type: 'error', status: 403 },
    ]);
  });
});

test('all dead letters at once are for who may read everything', async () => {
  const world = await keyed();
  const ask = async (id: string, what: 'retry' | 'drop') =>
    (await world.api.app.inject({ method: 'POST', url: `/v1/dead-letters/${what}`, headers: bearer(id), payload: {} }))
      .statusCode;
  for (const what of ['retry', 'drop'] as const) {
    expect(await ask('mostly', what)).toBe(403);
    expect(await ask('operator', what)).not.toBe(403);
  }
});

test('dead letters of other addresses do not exist for a key', async () => {
  const world = await startWorld({
    http: { keys },
    routes: {
      all: {
        from: { connection: 'http', topic: 'notices/#' },
        to: [{ connection: 'floor', channel: '${payload.missing}' }],
      },
    },
  });
  const { ref } = (await publishAs(world, 'admin', { topic: 'notices/secret', payload: {} })).json();
  await waitFor(async () => (await world.gateway.deadLetters.list({ limit: 10 })).length === 1, {
    what: 'the dead letter',
  });
  const listed = async (id: string) => (await get(world, '/v1/dead-letters', bearer(id))).json().deadLetters;
  const [letter] = await listed('viewer');
  expect(letter.ref ?? letter.event?.ref).toBe(ref);
  expect(await listed('mostly')).toEqual([]);
  const remove = (id: string) =>
    world.api.app.inject({ method: 'DELETE', url: `/v1/dead-letters/${letter.id}`, headers: bearer(id) });
  expect((await get(world, `/v1/dead-letters/${letter.id}`, bearer('mostly'))).statusCode).toBe(404);
  expect((await remove('mostly')).statusCode).toBe(404);
  expect((await remove('viewer')).statusCode).toBe(403);
  const retry = (id: string, edit: object) =>
    world.api.app.inject({
      method: 'POST',
      url: `/v1/dead-letters/${letter.id}/retry`,
      headers: bearer(id),
      payload: edit,
    });
  const redirected = { payload: { missing: 'elsewhere' } };
  expect((await retry('operator', redirected)).json().detail).toContain('may not publish at topic:notices/secret');
  expect((await remove('operator')).statusCode).toBe(204);
});

describe('other keys, by a reload,', () => {
  const [first, second] = [keyOf('first', ['viewer']), keyOf('second', ['viewer'])];
  const statusOf = async (world: World, id: string) => (await get(world, '/v1/events', bearer(id))).statusCode;

  test('let in and out at once, and end the streams of keys that are gone or changed, no others', async () => {
    const world = await startWorld({ http: { keys: [first, second] } });
    const url = await world.listen();
    const [gone, stays] = await Promise.all(['first', 'second'].map((id) => openClient(url, { headers: bearer(id) })));
    const { ticket } = (
      await world.api.app.inject({ method: 'POST', url: '/v1/tickets', headers: bearer('first') })
    ).json();
    world.api.useKeys([keyOf('second', ['viewer']), keyOf('third', ['viewer'])]);
    expect(await gone!.closed()).toBe(4403);
    expect(stays!.socket.readyState).toBe(stays!.socket.OPEN);
    expect([await statusOf(world, 'first'), await statusOf(world, 'second'), await statusOf(world, 'third')]).toEqual([
      401, 200, 200,
    ]);
    expect((await get(world, `/v1/stream?ticket=${ticket}`)).statusCode).toBe(401);
    world.api.useKeys([keyOf('second', ['admin'])]);
    expect(await stays!.closed()).toBe(4403);
  });

  test('close an API that was open, and open one again only to this machine', async () => {
    const world = await startWorld();
    expect((await get(world, '/v1/events')).statusCode).toBe(200);
    world.api.useKeys([first]);
    expect((await get(world, '/v1/events')).statusCode).toBe(401);
    expect((await get(world, '/v1/events', { ...bearer('first'), host: 'gateway.example.org' })).statusCode).toBe(200);
    world.api.useKeys([]);
    expect((await get(world, '/v1/events')).statusCode).toBe(200);
    expect((await get(world, '/v1/events', { host: 'gateway.example.org' })).statusCode).toBe(421);
  });

  test('never open one that listens beyond this machine', async () => {
    const world = await startWorld({ http: { host: '0.0.0.0', keys: [first] } });
    world.api.useKeys([]);
    expect((await get(world, '/v1/events')).statusCode).toBe(401);
    expect(await statusOf(world, 'first')).toBe(200);
  });
});
