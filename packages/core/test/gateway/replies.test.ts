import { memoryBroker } from '@magpie/adapter-memory';
import { createMemoryLog, type EventLog } from '@magpie/bus';
import { Rejected } from '@magpie/contract';
import { describe, expect, it, vi } from 'vitest';
import { MOST_PENDING } from '../../src/replies/pending.ts';
import { bodies, freshBrokers, startGateway, type TestGateway } from './gateway-fixture.ts';

const ask = (reply: object = {}) => ({
  ask: {
    from: { connection: 'left', channel: 'in/{name}' },
    to: { connection: 'right', channel: 'out/${name}' },
    retry: { attempts: 1 },
    reply: {
      from: { channel: 'answers' },
      timeout: '5s',
      text: '${name} is ${reply.payload.level}',
      onTimeout: '${name} says nothing',
      onRefused: '${name} cannot: ${reply.error}',
      ...reply,
    },
  },
});

/** A gateway between people at `left`, who are answered at `back/…`, and devices at `right`. */
async function started(reply: object = {}, log: EventLog = createMemoryLog({}), names = freshBrokers()) {
  const test = await startGateway(names, ask(reply), log);
  await isUp(test);
  const right = memoryBroker(names.right);
  return {
    ...{ ...test, names, log, right },
    say: (name: string, correlationId?: string) =>
      memoryBroker(names.left).publish(`in/${name}`, {
        body: Buffer.from('level?'),
        replyTo: { scheme: 'channel', segments: ['back', name] },
        ...(correlationId === undefined ? {} : { correlationId }),
      }),
    request: (name: string, nth = 0) =>
      vi.waitFor(() => {
        const found = right.seen.filter(({ channel }) => channel === `out/${name}`)[nth];
        expect(found).toBeDefined();
        return found!;
      }),
    answer: (level: number, correlationId?: string, channel = 'answers') =>
      right.publish(channel, {
        body: Buffer.from(JSON.stringify({ level })),
        ...(correlationId === undefined ? {} : { correlationId }),
      }),
    hears: (name: string, ...texts: string[]) =>
      vi.waitFor(() => expect(bodies(names.left, `back/${name}`)).toEqual(texts), { timeout: 10_000 }),
    late: () => test.gateway.connections().find(({ name }) => name === 'right')?.counters['late-reply'] ?? 0,
  };
}

const isUp = ({ gateway }: TestGateway) =>
  vi.waitFor(() => expect(gateway.connections().every(({ state }) => state === 'up')).toBe(true));

describe('a route that waits for replies', () => {
  it('sends a request, and what is answered goes back to who asked', async () => {
    const { say, request, answer, hears, names, log } = await started();
    say('pump', 'conversation 7');
    const { properties } = await request('pump');
    expect(properties).toMatchObject({
      correlationId: expect.stringMatching(/^[\da-f-]{36}$/),
      replyTo: { scheme: 'channel', segments: ['answers'] },
      expiresAt: expect.any(Number),
    });
    answer(4, properties.correlationId);
    await hears('pump', 'pump is 4');
    const [back] = memoryBroker(names.left).seen.filter(({ channel }) => channel === 'back/pump');
    expect(back?.properties.correlationId).toBe('conversation 7');
    const events = await log.read(undefined, 10);
    expect(events.map(({ event }) => event.kind)).toEqual(['message', 'message', 'reply']);
    await vi.waitFor(async () => expect(await log.values('$replies')).toEqual(new Map()));
  });

  it('tells answers to several requests at one address apart, in whatever order they come', async () => {
    const { say, request, answer, hears } = await started();
    say('pump');
    say('fan');
    const [pump, fan] = [await request('pump'), await request('fan')];
    answer(2, fan.properties.correlationId);
    answer(1, pump.properties.correlationId);
    await hears('pump', 'pump is 1');
    await hears('fan', 'fan is 2');
  });

  it('takes an answer without correlation id for the oldest request that waits at its address', async () => {
    const { say, request, answer, hears } = await started({ from: { channel: 'said/{name}' } });
    for (const name of ['pump', 'fan', 'pump']) say(name);
    await request('pump', 1);
    await request('fan');
    answer(2, undefined, 'said/fan');
    answer(1, undefined, 'said/pump');
    await hears('fan', 'fan is 2');
    await hears('pump', 'pump is 1');
  });

  it('takes none without correlation id while requests to several places have one reply address', async () => {
    const { say, request, answer, late, names } = await started();
    say('pump');
    say('fan');
    await request('pump');
    await request('fan');
    answer(1);
    await vi.waitFor(() => expect(late()).toBe(1));
    expect(bodies(names.left, 'back/')).toEqual([]);
  });

  it('says in the type of an answer that there was no reply, or a refusal', async () => {
    const { say, hears, right, log } = await started({ timeout: '200ms' });
    say('pump');
    await hears('pump', 'pump says nothing');
    right.refuseSends(1, () => new Rejected('broken'));
    say('fan');
    await hears('fan', 'fan cannot: broken');
    const replies = (await log.read(undefined, 10)).filter(({ event }) => event.kind === 'reply');
    expect(replies.map(({ event }) => event.type)).toEqual(['timeout', 'refused']);
  });

  it('says once that nothing has come in time, and ignores what comes later', async () => {
    const { say, request, answer, hears, late } = await started({ timeout: '200ms' });
    say('pump');
    const { properties } = await request('pump');
    await hears('pump', 'pump says nothing');
    answer(4, properties.correlationId);
    await vi.waitFor(() => expect(late()).toBe(1));
    await hears('pump', 'pump says nothing');
  });

  it('counts a second answer as late', async () => {
    const { say, request, answer, hears, late } = await started();
    say('pump');
    const { properties } = await request('pump');
    answer(4, properties.correlationId);
    answer(5, properties.correlationId);
    await vi.waitFor(() => expect(late()).toBe(1));
    await hears('pump', 'pump is 4');
  });

  it('waits for so many at a time, and says of one more that it does not', async () => {
    const { say, request, answer, late, hears, log } = await started({ timeout: '60s' });
    for (let index = 0; index < MOST_PENDING; index++) say('pump');
    say('fan');
    await hears(
      'fan',
      `fan cannot: more than ${MOST_PENDING} requests wait for replies, so this one is not waited for`,
    );
    const { properties } = await request('fan');
    answer(4, properties.correlationId);
    await vi.waitFor(() => expect(late()).toBe(1));
    expect((await log.values('$replies')).size).toBe(MOST_PENDING);
  }, 30_000);

  it('says once that the request was refused', async () => {
    const { say, right, hears, log } = await started();
    right.refuseSends(1, () => new Rejected('no such pump'));
    say('pump');
    await hears('pump', 'pump cannot: no such pump');
    await vi.waitFor(async () => expect(await log.values('$replies')).toEqual(new Map()));
  });

  it('says that an answer which does not fit is none', async () => {
    const { say, request, right, hears } = await started();
    say('pump');
    const { properties } = await request('pump');
    right.publish('answers', { body: Buffer.from('no JSON'), correlationId: properties.correlationId! });
    await vi.waitFor(async () => hears('pump', expect.stringContaining('pump cannot: route "ask"')));
  });

  it('hands the answer on as it is without text and payload', async () => {
    const { say, request, answer, hears } = await started({ text: undefined });
    say('pump');
    answer(4, (await request('pump')).properties.correlationId);
    await hears('pump', '{"level":4}');
  });

  it('ignores a correlation id that comes in elsewhere', async () => {
    const { say, request, answer, hears, names } = await started({ from: { channel: 'said/{name}' } });
    say('pump');
    const { properties } = await request('pump');
    answer(9, properties.correlationId, 'said/fan');
    answer(4, properties.correlationId, 'said/pump');
    await hears('pump', 'pump is 4');
    expect(bodies(names.left, 'back/')).toHaveLength(1);
  });

  it('finds the way of an answer that comes after a restart', async () => {
    const first = await started();
    first.say('pump');
    const { properties } = await first.request('pump');
    await vi.waitFor(async () => expect((await first.log.values('$replies')).size).toBe(1));
    await first.gateway.drain(AbortSignal.timeout(1000));
    const { answer, hears } = await started({}, first.log, first.names);
    answer(4, properties.correlationId);
    await hears('pump', 'pump is 4');
  });

  it('says after a restart that nothing came, once', async () => {
    const first = await started({ timeout: '500ms' });
    first.say('pump');
    await first.request('pump');
    await vi.waitFor(async () => expect((await first.log.values('$replies')).size).toBe(1));
    await first.gateway.drain(AbortSignal.timeout(1000));
    const { names, log } = await started({ timeout: '500ms' }, first.log, first.names);
    await vi.waitFor(() => expect(bodies(names.left, 'back/pump')).toEqual(['pump says nothing']), { timeout: 8000 });
    await vi.waitFor(async () => expect(await log.values('$replies')).toEqual(new Map()));
  }, 15_000);
});

it('what only looks like a command is answered once, and left alone after a restart', async () => {
  const names = freshBrokers();
  const log = createMemoryLog({});
  const set = {
    from: { connection: 'left', channel: 'in/{name}', text: '!{device} {level}' },
    to: { connection: 'right', channel: 'out/${device}' },
    otherwise: '${name}, say !device level',
  };
  const first = await startGateway(names, { set }, log);
  await isUp(first);
  const say = (text: string) =>
    memoryBroker(names.left).publish('in/nadia', {
      body: Buffer.from(text),
      replyTo: { scheme: 'channel', segments: ['back', 'nadia'] },
    });
  for (const text of ['!pump 7', 'hello', '!pump']) say(text);
  await vi.waitFor(() => expect(bodies(names.left, 'back/')).toEqual(['nadia, say !device level']));
  expect(bodies(names.right, 'out/')).toEqual(['!pump 7']);
  await first.gateway.drain(AbortSignal.timeout(1000));
  await isUp(await startGateway(names, { set }, log));
  say('!fan');
  await vi.waitFor(() => expect(bodies(names.left, 'back/')).toHaveLength(2));
});
