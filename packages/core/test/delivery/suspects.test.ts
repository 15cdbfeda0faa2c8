import { Unknown } from '@magpie/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Bench, bench, retry } from './queue-fixture.ts';

const POISON = 'poison';
const lost = () => new Unknown('the peer ended the link: stanza too big');

/** Lets time pass in small steps: the peer confirms everything but the poison, by which it ends the link. */
async function run(b: Bench, steps: number, verdict = false): Promise<number> {
  let losses = 0;
  for (let step = 0; step < steps; step++) {
    const flying = b.sent.filter(({ isOver }) => !isOver());
    if (flying.some(({ event }) => Buffer.from(event.body).toString() === POISON)) {
      losses++;
      for (const each of flying) each.fail(verdict ? lost().asPeersVerdict() : lost());
      await restartLink(b);
    } else for (const each of flying) each.confirm();
    await b.clock.advance(100);
  }
  return losses;
}

async function restartLink(b: Bench): Promise<void> {
  b.up = false;
  b.health.changed(false);
  b.queue.linkChanged();
  await b.clock.advance(500);
  b.up = true;
  b.health.changed(true);
  b.queue.linkChanged();
}

describe('a message that its peer answers by ending the link', () => {
  it('is given up after three times alone, with the words of the peer, and everything else arrives', async () => {
    const b = bench();
    for (const body of ['1', POISON, '2', '3']) await b.offer(body, body);
    const losses = await run(b, 200);
    expect(losses, 'two among others, three alone').toBe(5);
    expect(await b.log.deadLetters({ limit: 10 })).toMatchObject([
      { reason: 'rejected', message: expect.stringContaining('stanza too big'), event: { key: POISON } },
    ]);
    expect(b.results.filter((result) => result === 'confirmed')).toHaveLength(3);
    expect(b.queue.load()).toMatchObject({ waiting: 0, held: 0 });
  });

  it('is given up at once when it was alone and the peer names it as the reason', async () => {
    const b = bench();
    for (const body of ['1', POISON, '2']) await b.offer(body, body);
    expect(await run(b, 100, true), 'twice among others, once alone').toBe(3);
    expect(await b.log.deadLetters({ limit: 10 })).toHaveLength(1);
  });

  it('does not hold the others between its tries', async () => {
    const b = bench();
    await b.offer(POISON, POISON);
    await run(b, 2);
    for (let index = 0; index < 50; index++) await b.offer(`${index}`, `${index}`);
    await run(b, 4);
    expect(b.results.filter((result) => result === 'confirmed').length).toBeGreaterThan(20);
    expect(await b.log.deadLetters({ limit: 10 }), 'it has not been judged yet').toHaveLength(0);
  });

  it('two of them are both found', async () => {
    const b = bench();
    for (const key of ['a', 'b']) await b.offer(POISON, key);
    await b.offer('good', 'c');
    await run(b, 400);
    expect(await b.log.deadLetters({ limit: 10 })).toHaveLength(2);
    expect(b.results.filter((result) => result === 'confirmed')).toHaveLength(1);
  });

  it('is not found where the peer merely comes and goes: a link that ends with nothing on its way clears everybody', async () => {
    const b = bench({ retry: { ...retry, maxAge: 1e9 } });
    await b.offer('innocent', 'k');
    for (let round = 0; round < 20; round++) {
      for (const each of b.sent.filter(({ isOver }) => !isOver())) each.fail(lost());
      await restartLink(b);
      await b.clock.advance(300);
      await restartLink(b);
      await b.clock.advance(12_000);
    }
    expect(await b.log.deadLetters({ limit: 10 })).toHaveLength(0);
    b.sent.at(-1)!.confirm();
    await b.clock.advance(0);
    expect(b.results).toContain('confirmed');
  });
});

/** A step of a peer's life: it answers, it restarts with whatever is on its way, or it is quiet for a while. */
const life = fc.array(fc.constantFrom('answers', 'answers', 'answers', 'restarts', 'waits'), { maxLength: 40 });
const messages = fc.array(fc.record({ poison: fc.boolean(), key: fc.nat(3) }), { minLength: 1, maxLength: 8 });

it('whatever comes together, every poison is found and no other message is given up, also while the peer restarts at random', async () => {
  await fc.assert(
    fc.asyncProperty(messages, life, async (sent, steps) => {
      const b = bench({ retry: { ...retry, maxAge: 1e12 } });
      for (const [index, { poison, key }] of sent.entries()) {
        await b.offer(poison ? POISON : `good ${index}`, `${key}`);
      }
      for (const step of steps) {
        if (step === 'answers') await run(b, 1);
        else if (step === 'waits') await b.clock.advance(5000);
        else {
          for (const each of b.sent.filter(({ isOver }) => !isOver())) each.fail(lost());
          await restartLink(b);
        }
      }
      await run(b, 1000);
      const letters = await b.log.deadLetters({ limit: 100 });
      const bodies = letters.map(({ event }) => Buffer.from(event.body).toString());
      expect(bodies).toEqual(bodies.map(() => POISON));
      expect(bodies).toHaveLength(sent.filter(({ poison }) => poison).length);
      expect(b.results.filter((result) => result === 'confirmed')).toHaveLength(sent.length - bodies.length);
    }),
    { numRuns: 60 },
  );
}, 60_000);
