import { Transient } from '@magpie/contract';
import { describe, expect, it } from 'vitest';
import { type Bench, bench, retry, text } from './queue-fixture.ts';

/** Answers everything that has been sent: refuses the lanes in `full`, confirms the others. */
async function answer(b: Bench, full: ReadonlySet<string>): Promise<readonly string[]> {
  const taken: string[] = [];
  for (let sent = b.sent.splice(0); sent.length > 0; sent = b.sent.splice(0)) {
    for (const { event, confirm, fail } of sent) {
      const isFull = full.has(text(event)[0]!);
      if (!isFull) taken.push(text(event));
      if (isFull) fail(new Transient('queue full'));
      else confirm();
    }
    await b.clock.advance(0);
  }
  return taken;
}

describe('a target that refuses', () => {
  it('gives up what it refuses of one key only, message after message: that is no outage', async () => {
    const b = bench({ retry: { ...retry, attempts: 1 } });
    for (let number = 0; number < 20; number++) {
      await b.offer(`a${number}`, 'a');
      await answer(b, new Set(['a']));
      await b.clock.advance(400);
    }
    expect(await b.log.deadLetters({ limit: 100 })).toHaveLength(20);
    expect(b.queue.load().suspended).toBe(false);
  });

  it('gets what it takes at once, although the lanes that it refuses have suspended it', async () => {
    const b = bench();
    const full = new Set(['a', 'b']);
    for (let number = 0; number < 5; number++) for (const key of full) await b.offer(`${key}${number}`, key);
    for (let second = 0; second < 20; second++) {
      await answer(b, full);
      await b.clock.advance(1000);
    }
    expect(b.queue.load()).toMatchObject({ suspended: true, suspension: { error: 'queue full' } });
    await b.offer('c', 'c');
    expect(await answer(b, full)).toEqual(['c']);
  });

  it('lets every lane probe in turn: a lane that waits behind refused ones comes up too', async () => {
    const b = bench({}, undefined, { window: 2 });
    const full = new Set(['a', 'b']);
    for (let number = 0; number < 5; number++) for (const key of full) await b.offer(`${key}${number}`, key);
    await b.offer('c', 'c');
    const taken: string[] = [];
    for (let second = 0; second < 30 && taken.length === 0; second++) {
      taken.push(...(await answer(b, full)));
      await b.clock.advance(1000);
    }
    expect(taken).toEqual(['c']);
  });

  it('costs no attempts while it refuses everything, and takes everything in order in the end', async () => {
    const b = bench();
    const keys = ['a', 'b', 'c'];
    const all = new Set(keys);
    for (let number = 0; number < 4; number++) for (const key of keys) await b.offer(`${key}${number}`, key);
    for (let second = 0; second < 20; second++) {
      await answer(b, all);
      await b.clock.advance(1000);
    }
    expect(await b.log.deadLetters({ limit: 1 })).toHaveLength(0);
    const taken: string[] = [];
    for (let second = 0; second < 30 && taken.length < 12; second++) {
      taken.push(...(await answer(b, new Set())));
      await b.clock.advance(1000);
    }
    for (const key of keys) {
      expect(taken.filter((body) => body.startsWith(key))).toEqual([0, 1, 2, 3].map((number) => `${key}${number}`));
    }
  });
});

it('does not send what the route itself lets expire, and says so', async () => {
  const b = bench({
    render: ({ body, headers, receivedAt }) => ({
      parts: { body, headers, via: [], time: receivedAt, expiresAt: receivedAt + 1000 },
      target: { address: { scheme: 'channel', segments: ['room'] }, options: {} },
    }),
  });
  b.up = false;
  await b.offer('late');
  await b.clock.advance(2500);
  b.up = true;
  b.queue.linkChanged();
  await b.clock.advance(100);
  expect(b.sent).toHaveLength(0);
  expect(b.queue.floor()).toBeNull();
});

it('an operator decides about what is blocked', async () => {
  const b = bench({ order: 'strict', retry: { ...retry, attempts: 1, then: 'block' } });
  await b.offer('a1', 'a');
  await b.offer('a2', 'a');
  for (const { fail } of b.sent.splice(0)) fail(new Transient('queue full'));
  await b.clock.advance(100);
  expect(b.queue.load().blocked).toBe(1);
  expect(b.queue.decide({}, 'retry')).toBe(1);
  await b.clock.advance(10);
  expect(b.bodies()).toEqual(['a1']);
  b.sent.splice(0)[0]!.fail(new Transient('queue full'));
  await b.clock.advance(100);
  expect(b.queue.decide({}, 'dead-letter')).toBe(1);
  await b.clock.advance(100);
  expect(await b.log.deadLetters({ limit: 9 })).toMatchObject([{ reason: 'attempts', message: 'queue full' }]);
  expect(b.bodies()).toEqual(['a2']);
});
