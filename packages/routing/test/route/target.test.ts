import type { Event } from '@magpie/contract';
import { describe, expect, it } from 'vitest';
import { compile, event, problemsOf, route, toOffice } from '../support/adapters.ts';

const send = (to: Record<string, unknown>, of: Event) => {
  const [match] = route({ to: toOffice(to) }).match(of);
  if (match === undefined) throw new Error('no match');
  return match.target.render(of);
};

const full = event({
  json: { a: 1 },
  id: 'm1',
  type: 't',
  subject: 's',
  contentEncoding: 'identity',
  correlationId: 'c',
  replyTo: { scheme: 'path', segments: ['answers', '1'] },
  priority: 3,
  retain: true,
  trace: { traceparent: '00-a-b-01' },
  via: ['other'],
  expiresAt: 1_800_000_000_000,
  redelivered: true,
  dedupeKey: 'd',
  headers: [
    ['x', 'one'],
    ['x', 'two'],
    ['y', 1],
  ],
});

describe('what passes to a target', () => {
  it('is the whole message, with this gateway in via and nothing of the event around it', () => {
    expect(send({}, full).parts).toEqual({
      ...{ id: 'm1', type: 't', subject: 's', contentType: 'application/json', contentEncoding: 'identity' },
      ...{ body: full.body, headers: full.headers, correlationId: 'c', replyTo: full.replyTo, priority: 3 },
      ...{ retain: true, trace: full.trace, via: ['other', 'gw'], time: full.time, expiresAt: full.expiresAt },
    });
  });

  it('leaves out what the event does not have', () => {
    expect(send({}, event({ content: 'x' })).parts).toEqual({
      ...{ body: Buffer.from('x'), headers: [], via: ['gw'], time: 1_700_000_000_000 },
    });
  });

  it('is replaced or removed where the target says so', () => {
    const parts = {
      ...{ contentType: 'application/vnd.x+json', correlationId: '${payload.a}', replyTo: 'desk:${payload.a}' },
      ...{ type: null, subject: 'over ${payload.a}', priority: '${payload.a + 1}', ttl: '10s' },
      headers: { x: '${payload.a}', y: null, z: 'new' },
    };
    const { parts: got } = send(parts, full);
    expect(got).toMatchObject({
      ...{ contentType: 'application/vnd.x+json', correlationId: '1', replyTo: { scheme: 'desk', segments: ['1'] } },
      ...{ subject: 'over 1', priority: 2, expiresAt: full.receivedAt + 10_000 },
    });
    expect(got.headers).toEqual([
      ['x', 1],
      ['z', 'new'],
    ]);
    expect(got).not.toHaveProperty('type');
  });

  it('loses the parts that are set to null', () => {
    const gone = { correlationId: null, replyTo: null, subject: null, priority: null, contentType: null, ttl: null };
    const { parts } = send(gone, full);
    for (const part of ['correlationId', 'replyTo', 'subject', 'priority', 'contentType', 'expiresAt']) {
      expect(parts).not.toHaveProperty(part);
    }
  });
});

describe('a new body', () => {
  it.each([
    [{ payload: { a: '${payload.a}' } }, '{"a":1}', 'application/json'],
    [{ text: 'a=${payload.a}' }, 'a=1', 'text/plain; charset=utf-8'],
    [{ base64: 'aGk=' }, 'hi', undefined],
    [{ base64: '${b"hi"}' }, 'hi', undefined],
    [{ payload: '${payload.a}', contentType: 'application/x+json' }, '1', 'application/x+json'],
  ])('%j brings its media type and drops the encoding', (to, body, contentType) => {
    const { parts } = send(to, full);
    expect(Buffer.from(parts.body).toString()).toBe(body);
    expect(parts.contentType).toBe(contentType);
    expect(parts).not.toHaveProperty('contentEncoding');
  });

  it('is rejected when base64 is not base64', () => {
    expect(() => send({ base64: '${payload.a}x' }, full)).toThrow('not base64');
  });

  it.each([
    [{ payload: 1, text: 'x' }, '/routes/r/to', 'cannot both be the body'],
    [{ base64: '???' }, '/routes/r/to/base64', 'expected base64'],
    [{ replyTo: 'nowhere' }, '/routes/r/to/replyTo', 'not an address'],
    [{ priority: 12 }, '/routes/r/to/priority', ''],
    [{ ttl: 'soon' }, '/routes/r/to/ttl', 'expected a duration'],
  ])('%j is refused at load', (to, pointer, message) => {
    const [problem] = problemsOf({ to: toOffice(to) });
    expect(problem).toMatchObject({ severity: 'error', pointer });
    expect(problem?.message).toContain(message);
  });

  it.each([
    [{ priority: '${payload.a + 20}' }, 'an integer from 0 to 9, got 21'],
    [{ replyTo: '${payload.a}' }, 'not an address'],
  ])('%j is rejected for this event', (to, message) => {
    expect(() => send(to, full)).toThrow(message);
  });
});

describe('options of the adapter', () => {
  it('are parsed at load, with their defaults', () => {
    expect(send({}, full).target.options).toEqual({ desk: 'd1', copies: 1 });
  });

  it('may come from the event and keep their kind', () => {
    expect(send({ copies: '${payload.a}' }, full).target.options).toEqual({ desk: 'd1', copies: 1 });
  });

  it('reject an event whose value does not fit', () => {
    expect(() => send({ copies: '${payload.a + 0.5}' }, full)).toThrow('the options made for this event are refused');
  });

  it('carry the words of the rendered address', () => {
    const [match] = route({ to: { connection: 'yard', path: 'x/${b}', keep: true } }).match(full);
    expect(match?.target.render(full).target.options).toEqual({ path: 'x/x', sure: true, keep: true });
  });

  it('are refused at load when they do not fit', () => {
    expect(problemsOf({ to: toOffice({ copies: 'many' }) })).toMatchObject([
      { severity: 'error', pointer: '/routes/r/to/copies' },
    ]);
  });
});

describe('the identity of a target', () => {
  it('is its connection and address template, or its own id', () => {
    const { routes, problems } = compile({
      r: {
        from: { connection: 'floor', path: 'a/{b}' },
        to: [toOffice(), toOffice({ id: 'second' }), { connection: 'office', label: 'x.${b}', board: 'm' }],
      },
    });
    expect(problems).toEqual([]);
    const names = ['r/office/desk:d1', 'r/second', 'r/office/board:m/x.${b}'];
    expect(routes.targets.map(({ consumer }) => consumer)).toEqual(names);
    for (const name of names) expect(routes.target(name)?.consumer).toBe(name);
  });

  it('may not be used twice', () => {
    expect(problemsOf({ to: [toOffice({ text: 'a' }), toOffice({ text: 'b' })] })).toMatchObject([
      { severity: 'error', pointer: '/routes/r/to/1', hint: 'give one of them an "id" of its own' },
    ]);
  });
});

describe('delivery settings', () => {
  it('have the documented defaults', () => {
    expect(route({}).targets[0]).toMatchObject({
      order: 'key',
      start: 'now',
      retry: { attempts: 8, backoff: { min: 500, max: 30_000 }, maxAge: 86_400_000, then: 'dead-letter' },
      backlog: { bytes: 1024 ** 3, age: 604_800_000, onFull: 'block' },
    });
  });

  it('are those of the route unless the target has its own', () => {
    const routes = route({
      order: 'strict',
      retry: { attempts: 2 },
      to: [toOffice(), toOffice({ id: 'own', order: 'none', retry: { maxAge: '1h' }, start: '2026-01-01T00:00:00Z' })],
    });
    expect(routes.targets[0]).toMatchObject({ order: 'strict', retry: { attempts: 2, maxAge: 86_400_000 } });
    expect(routes.targets[1]).toMatchObject({
      ...{ order: 'none', retry: { attempts: 8, maxAge: 3_600_000 }, start: Date.UTC(2026, 0, 1) },
    });
  });
});
