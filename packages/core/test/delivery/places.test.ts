import { ConfigInvalid, NotConnected, Rejected, Transient } from '@magpie/contract';
import { describe, expect, it } from 'vitest';
import { bench, retry } from './queue-fixture.ts';

const to = (place: string) => ({ headers: [['to', place] as const] });
const refusal = () => new NotConnected('cannot join: registration-required').concerning('place');

describe('a place that takes nothing while others do', () => {
  it('holds its own lane and nothing else: others go on, the floor moves, no attempt is counted', async () => {
    const b = bench();
    await b.offer('stuck', 'members', to('members'));
    b.sent[0]!.fail(refusal());
    await b.clock.advance(0);
    for (const body of ['1', '2', '3']) await b.offer(body, 'healthy', to('healthy'));
    await b.offer('behind', 'members', to('members'));
    expect(b.bodies()).toEqual(['stuck', '1', '2', '3']);
    for (const { confirm } of b.sent.slice(1)) confirm();
    await b.writer.flush();
    await b.writer.flush();
    expect(b.queue.load()).toMatchObject({
      suspended: false,
      held: 2,
      places: [{ place: 'channel:members', error: 'cannot join: registration-required', waiting: 2 }],
    });
    expect(b.queue.floor(), 'nothing but exception rows is left').toBeNull();
    const { exceptions } = await b.log.state();
    expect(exceptions.map(({ attempts, state }) => [state, attempts.length])).toEqual([
      ['retry', 0],
      ['held', 0],
    ]);
  });

  it('is tried by one delivery at a time, and all that waits goes on when it takes that', async () => {
    const b = bench({ retry: { ...retry, maxAge: 1e9 } });
    for (const lane of ['a', 'b', 'c']) await b.offer(`${lane}1`, lane, to('members'));
    for (const { fail } of b.sent.splice(0)) fail(refusal());
    await b.clock.advance(0);
    expect(b.sent).toHaveLength(0);
    await b.clock.advance(31_000);
    expect(b.sent, 'one probe').toHaveLength(1);
    await b.clock.advance(31_000);
    expect(b.sent, 'while it is not answered there is no other').toHaveLength(1);
    b.sent[0]!.confirm();
    await b.clock.advance(0);
    expect(b.bodies().sort()).toEqual(['a1', 'b1', 'c1']);
    expect(b.queue.load().places).toEqual([]);
  });

  it('costs nobody an attempt and ends in dead letters only by age', async () => {
    const b = bench({ retry: { ...retry, maxAge: 300_000 } });
    await b.offer('stuck', 'k', to('members'));
    const pass = async (minutes: number): Promise<void> => {
      for (let half = 0; half < 2 * minutes; half++) {
        for (const { fail } of b.sent.splice(0)) fail(refusal());
        await b.clock.advance(30_000);
      }
    };
    await pass(4);
    expect(await b.log.deadLetters({ limit: 10 })).toHaveLength(0);
    await pass(2);
    await expect.poll(() => b.log.deadLetters({ limit: 10 })).toMatchObject([{ reason: 'age' }]);
  });

  it('does not repeat what others have confirmed after a restart', async () => {
    const b = bench();
    await b.offer('stuck', 'members', to('members'));
    b.sent[0]!.fail(refusal());
    await b.clock.advance(0);
    for (let index = 0; index < 20; index++) {
      await b.offer(`${index}`, 'healthy', to('healthy'));
      b.sent.at(-1)!.confirm();
      await b.clock.advance(0);
    }
    await b.writer.flush();
    await b.writer.flush();
    b.queue.stop();
    const again = bench({}, b);
    await expect.poll(() => again.queue.load().held).toBe(1);
    await again.clock.advance(2000);
    expect(again.bodies()).toEqual(['stuck']);
  });

  it('that has not answered when the gateway stops is asked again after it, and nothing else is repeated', async () => {
    const b = bench();
    await b.offer('unanswered', 'silent', to('silent'));
    for (let index = 0; index < 20; index++) {
      await b.offer(`${index}`, 'healthy', to('healthy'));
      b.sent.at(-1)!.confirm();
      await b.clock.advance(0);
    }
    await b.offer('behind', 'silent', to('silent'));
    await b.offer('last', 'healthy', to('healthy'));
    b.queue.stop();
    b.queue.putAside();
    await b.writer.flush();
    await b.writer.flush();
    const again = bench({}, b);
    await again.clock.advance(2000);
    await expect.poll(() => again.bodies()).toEqual(['unanswered', 'behind', 'last']);
    expect(again.sent.map(({ event }) => event.redelivered)).toEqual([true, true, true]);
  });

  it('that stays away fills its share of the backlog only; what comes after it becomes dead letters, others go on', async () => {
    const b = bench({}, undefined, { limits: { parked: 10 } });
    await b.offer('stuck', 'members', to('members'));
    b.sent.pop()!.fail(refusal());
    await b.clock.advance(0);
    for (let index = 0; index < 30; index++) {
      await b.offer(`${index}`, 'members', to('members'));
      await b.writer.flush();
    }
    await b.offer('fine', 'healthy', to('healthy'));
    expect(b.bodies()).toEqual(['fine']);
    expect(b.queue.load()).toMatchObject({ lagging: false, held: 5 });
    expect(await b.log.deadLetters({ limit: 100 })).toHaveLength(26);
  });

  it('lets an operator try it again, give it up or drop what waits for it', async () => {
    const b = bench();
    for (const body of ['1', '2', '3']) await b.offer(body, 'k', to('members'));
    for (const { fail } of b.sent.splice(0)) fail(refusal());
    await b.clock.advance(0);
    const [first] = await b.log.read(undefined, 1);
    const { ref } = first!.event;
    expect(b.queue.decide({ ref }, 'drop')).toBe(1);
    expect(b.queue.decide({ place: 'channel:members' }, 'retry')).toBe(2);
    await b.clock.advance(0);
    expect(b.bodies()).toEqual(['2']);
    b.sent.pop()!.fail(refusal());
    await b.clock.advance(0);
    expect(b.queue.decide({ lane: 'k' }, 'dead-letter')).toBe(2);
    await expect.poll(() => b.log.deadLetters({ limit: 10 })).toHaveLength(2);
    expect(b.queue.load()).toMatchObject({ waiting: 0, held: 0 });
  });

  it('waits for a human as well, where only that helps', async () => {
    const b = bench();
    await b.offer('1', 'k', to('members'));
    b.sent.pop()!.fail(new ConfigInvalid('we are banned').concerning('place'));
    await b.clock.advance(0);
    await b.writer.flush();
    await b.writer.flush();
    expect(b.queue.load()).toMatchObject({ held: 1, places: [{ error: 'we are banned' }] });
    await b.clock.advance(31_000);
    expect(b.bodies(), 'it is tried again').toEqual(['1']);
    expect(await b.log.deadLetters({ limit: 10 })).toEqual([]);
  });

  it('is tried again soon, however many messages were on their way when it refused the first', async () => {
    const b = bench();
    for (let index = 0; index < 200; index++) await b.offer(`${index}`, `lane ${index}`, to('full'));
    for (const { fail } of b.sent.splice(0)) fail(new Transient('queue full').concerning('place'));
    await b.clock.advance(0);
    await b.clock.advance(1000);
    expect(b.sent, 'after the shortest pause').toHaveLength(1);
  });

  it('that says a final no gets a dead letter like everywhere', async () => {
    const b = bench();
    await b.offer('1', 'k', to('gone'));
    b.sent[0]!.fail(new Rejected('gone for good').concerning('place'));
    await expect.poll(() => b.log.deadLetters({ limit: 10 })).toMatchObject([{ reason: 'rejected' }]);
  });
});
