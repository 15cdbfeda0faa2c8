import type { Event } from '@magpie/contract';
import { describe, expect, it } from 'vitest';
import type { ReplyOutcome } from '../../src/index.ts';
import { compile, event, problemsOf, route } from '../support/adapters.ts';

const asks = (reply: object = {}, to: object = {}) => ({
  from: { connection: 'office', desk: '{who}', text: 'level of {device}' },
  allow: ['boss'],
  to: { connection: 'floor', path: 'get/${device}', ...to },
  reply: { from: { path: 'said/{device}' }, timeout: '5s', text: '${device}: ${reply.payload.level}', ...reply },
});

const asked = event({
  source: 'office',
  address: { scheme: 'desk', segments: ['d7'] },
  content: 'level of pump',
  origin: { role: 'boss' },
  correlationId: 'talk 1',
  replyTo: { scheme: 'desk', segments: ['d8'] },
});

const targetOf = (parts: object) => {
  const [match] = route({ ...parts }).match(asked);
  if (match === undefined) throw new Error('no match');
  return match.target;
};
const request = (parts: object, of: Event = asked) => targetOf(parts).render(of).parts;
const answer = (parts: object, outcome: ReplyOutcome, of: Event = asked) => {
  const made = targetOf(parts).reply?.answer(of, outcome);
  return made && { ...made, body: Buffer.from(made.body).toString() };
};
const replied = (json: unknown): ReplyOutcome => ({ type: 'reply', event: event({ json }) });

describe('a request', () => {
  it('has the address of the reply, its captures filled in, and expires with the timeout', () => {
    const parts = request(asks());
    expect(parts.replyTo).toEqual({ scheme: 'path', segments: ['said', 'pump'] });
    expect(parts.expiresAt).toBe(asked.receivedAt + 5000);
    expect(parts).not.toHaveProperty('correlationId');
  });

  it('keeps an earlier expiry', () => {
    const expiresAt = asked.receivedAt + 100;
    expect(request(asks(), { ...asked, expiresAt }).expiresAt).toBe(expiresAt);
  });

  it('has no reply address where many are possible, unless the target says one', () => {
    const from = { path: 'said/+' };
    expect(request(asks({ from }))).not.toHaveProperty('replyTo');
    const own = request(asks({ from }, { replyTo: 'path:said/${device}', correlationId: '${device}-1' }));
    expect(own).toMatchObject({ replyTo: { segments: ['said', 'pump'] }, correlationId: 'pump-1' });
  });

  it('leaves out an open end of the place', () => {
    expect(request(asks({ from: { path: 'said/#' } })).replyTo).toEqual({ scheme: 'path', segments: ['said'] });
  });

  it('is only what goes to the connection of the replies', () => {
    const to = [
      { connection: 'floor', path: 'get/${device}' },
      { connection: 'yard', path: 'heard' },
    ];
    const { targets } = route({ ...asks({ from: { connection: 'floor', path: 'said/{device}' } }), to });
    expect(targets.map(({ reply }) => reply !== undefined)).toEqual([true, false]);
  });
});

describe('an answer', () => {
  it('goes to the reply address of what was received, by its connection', () => {
    expect(answer(asks(), replied({ level: 4 }))).toMatchObject({
      ...{ connection: 'office', body: 'pump: 4', contentType: 'text/plain; charset=utf-8' },
      target: { address: { scheme: 'desk', segments: ['d8'] } },
    });
  });

  it('goes to its address without one', () => {
    const { replyTo: _, ...without } = asked;
    expect(answer(asks(), replied({ level: 4 }), without)?.target.address.segments).toEqual(['d7']);
  });

  it('can be JSON', () => {
    const made = answer(
      asks({ text: undefined, payload: { of: '${who}', level: '${reply.payload.level}' } }),
      replied({ level: 4 }),
    );
    expect(JSON.parse(made?.body ?? '')).toEqual({ of: 'd7', level: 4 });
  });

  it('is the reply as it came without either', () => {
    const made = answer(asks({ text: undefined }), replied({ level: 4 }));
    expect(made).toMatchObject({ body: '{"level":4}', contentType: 'application/json' });
  });

  it('says what was configured when there is no reply, and nothing else', () => {
    const texts = { onTimeout: '${device} is silent', onRefused: '${device}: ${reply.error}' };
    expect(answer(asks(texts), { type: 'timeout' })?.body).toBe('pump is silent');
    expect(answer(asks(texts), { type: 'refused', reason: 'full' })?.body).toBe('pump: full');
    expect(answer(asks(), { type: 'timeout' })).toBeUndefined();
    expect(answer(asks(), { type: 'refused', reason: 'full' })).toBeUndefined();
  });

  it('is refused when an expression fails', () => {
    expect(() => answer(asks(), replied({}))).toThrow(/route "r": \/routes\/r\/reply\/text, .*level/);
  });
});

describe('replies', () => {
  it('are received for the route, and offered to the targets that wait there', () => {
    const { routes } = compile({ r: asks() });
    expect(routes.sources('floor').map(({ pattern }) => pattern)).toContainEqual({
      scheme: 'path',
      segments: [{ type: 'literal', value: 'said' }, { type: 'one' }],
    });
    const said = event({ address: { scheme: 'path', segments: ['said', 'pump'] } });
    expect(routes.repliesFor(said)).toEqual(['r/floor/path:get/${device}']);
    expect(routes.repliesFor(event())).toEqual([]);
    expect(routes.repliesFor({ ...said, origin: { replay: true } })).toEqual([]);
  });

  it('are logged although a route at the same place asks for no durability', () => {
    const quick = {
      from: { connection: 'floor', path: 'said/+', durability: 'none' },
      to: { connection: 'yard', path: 'x' },
    };
    const { routes } = compile({ r: asks(), quick });
    expect(routes.bypass(event({ address: { scheme: 'path', segments: ['said', 'pump'] } })).logged).toBe(true);
  });
});

describe('what is wrong with "reply"', () => {
  const wrong = (parts: object) =>
    problemsOf(parts as Record<string, unknown>).map(({ pointer, message }) => [pointer, message]);

  it.each([
    [
      asks({ from: { connection: 'flor', path: 'x' } }),
      '/routes/r/reply/from/connection',
      'there is no connection "flor"',
    ],
    [asks({ from: { connection: 'yard', path: 'x' } }), '/routes/r/reply/from', 'no target sends to "yard"'],
    [asks({ text: '${payload.x} ${replay}' }), '/routes/r/reply/text', 'replay'],
    [asks({ payload: 1 }), '/routes/r/reply', 'payload and text cannot both be the body'],
    [asks({ timeout: '2d' }), '/routes/r/reply/timeout', 'expected a duration from 100ms to 24h'],
    [asks({ form: {} }), '/routes/r/reply', 'form'],
    [{ ...asks(), let: { reply: '1' } }, '/routes/r/reply', '"reply" names the reply here'],
    [{ ...asks(), from: { connection: 'mute', path: 'a' } }, '/routes/r/reply', 'connection "mute" cannot send'],
    [{ ...asks(), from: { connection: 'floor', path: 'a', durability: 'none' } }, '/routes/r/reply', 'no meaning'],
  ])('is said where it is wrong: %#', (parts, pointer, message) => {
    expect(wrong(parts)).toContainEqual([expect.stringContaining(pointer), expect.stringContaining(message)]);
  });
});
