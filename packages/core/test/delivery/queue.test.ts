import { NotConnected, Rejected, Throttled, Transient, Unknown } from '@magpie/contract';
import { describe, expect, it } from 'vitest';
import { type Bench, bench, retry, text } from './queue-fixture.ts';

describe('a delivery queue', () => {
  it('sends in order and is idle once everything is confirmed', async () => {
    const b = bench();
    await b.offer('1');
    await b.offer('2');
    expect(b.bodies()).toEqual(['1', '2']);
    expect(b.queue.floor()).not.toBeNull();
    for (const { confirm } of b.sent) confirm();
    await b.clock.advance(0);
    expect(b.queue.floor()).toBeNull();
  });

  it('sends nothing while the link is down and everything in order when it comes up', async () => {
    const b = bench();
    b.up = false;
    await b.offer('1');
    await b.offer('2');
    expect(b.sent).toHaveLength(0);
    b.up = true;
    b.queue.linkChanged();
    expect(b.bodies()).toEqual(['1', '2']);
  });

  it('resends with the same ids after an unknown outcome, one probe first, and costs no attempt', async () => {
    const b = bench();
    for (const body of ['1', '2', '3']) await b.offer(body);
    const ids = b.sent.map(({ event }) => event.delivery);
    for (const { fail } of b.sent.splice(0)) fail(new Unknown('link lost'));
    await b.clock.advance(0);
    expect(b.sent).toHaveLength(0);
    await b.clock.advance(1000);
    expect(b.bodies()).toEqual(['1']);
    expect(b.sent[0]!.event).toMatchObject({ delivery: ids[0], redelivered: true });
    b.sent[0]!.confirm();
    await b.clock.advance(0);
    expect(b.bodies()).toEqual(['1', '2', '3']);
    expect(b.sent.map(({ event }) => event.delivery)).toEqual(ids);
  });

  it('makes no dead letters of an outage, however long', async () => {
    const b = bench();
    for (const body of ['1', '2']) await b.offer(body);
    for (let minute = 0; minute < 30; minute++) {
      for (const { fail } of b.sent.splice(0)) fail(new NotConnected('down'));
      await b.clock.advance(31_000 / 30);
    }
    expect(await b.log.deadLetters({ limit: 10 })).toHaveLength(0);
  });

  it('retries a refusal after a backoff and holds only its lane', async () => {
    const b = bench();
    await b.offer('a1', 'a');
    await b.offer('b1', 'b');
    b.sent[0]!.fail(new Transient('queue full'));
    await b.clock.advance(0);
    await b.offer('a2', 'a');
    await b.offer('b2', 'b');
    expect(b.bodies()).toEqual(['a1', 'b1', 'b2']);
    await b.clock.advance(200);
    expect(b.bodies()).toEqual(['a1', 'b1', 'b2', 'a1']);
    b.sent[3]!.confirm();
    await b.clock.advance(0);
    expect(b.bodies().at(-1)).toBe('a2');
  });

  it('writes a dead letter with its history when the attempts are used up, and goes on', async () => {
    const b = bench();
    await b.offer('1');
    for (let attempt = 0; attempt < retry.attempts; attempt++) {
      b.sent.splice(0)[0]!.fail(new Transient('no'));
      await b.clock.advance(2000);
    }
    const [letter] = await b.log.deadLetters({ limit: 10 });
    expect(letter).toMatchObject({ reason: 'attempts', error: 'Transient', message: 'no', consumer: 'alarms/room' });
    expect(letter!.attempts).toHaveLength(retry.attempts);
    expect(text(letter!.event)).toBe('1');
    await b.clock.advance(0);
    expect(b.queue.floor()).toBeNull();
  });

  it('gives up at once on a rejection and on an expression that fails', async () => {
    const b = bench({
      render: () => {
        throw new Rejected('no such key: payload.x');
      },
    });
    await b.offer('1');
    await b.clock.advance(0);
    const [letter] = await b.log.deadLetters({ limit: 10 });
    expect(letter).toMatchObject({ reason: 'rejected', message: 'no such key: payload.x' });
  });

  it('settles what has expired without sending it', async () => {
    const b = bench();
    b.up = false;
    await b.offer('1', 'k', { expiresAt: b.clock.now() + 1000 });
    await b.clock.advance(2000);
    b.up = true;
    b.queue.linkChanged();
    expect(b.sent).toHaveLength(0);
    expect(b.queue.floor()).toBeNull();
  });

  it('holds its lane until an operator decides with then: block, also after a restart', async () => {
    const b = bench({ retry: { ...retry, attempts: 1, then: 'block' } });
    await b.offer('1');
    await b.offer('2');
    b.sent[0]!.fail(new Transient('no'));
    b.sent[1]!.confirm();
    await b.clock.advance(0);
    await b.offer('3');
    await b.clock.advance(600_000);
    expect(b.bodies()).toEqual(['1', '2']);
    await b.writer.flush();
    const { exceptions } = await b.log.state();
    expect(exceptions.map(({ state, event }) => [state, text(event)])).toEqual([
      ['blocked', '1'],
      ['held', '3'],
    ]);
    expect(b.queue.floor(), 'what has a row of its own does not pin the log').toBeNull();
  });

  it('removes the exception row of a delivery that succeeds in the end', async () => {
    const b = bench();
    await b.offer('1');
    b.sent[0]!.fail(new Transient('no'));
    await b.clock.advance(0);
    await b.writer.flush();
    expect((await b.log.state()).exceptions).toHaveLength(1);
    await b.clock.advance(200);
    b.sent[1]!.confirm();
    await b.clock.advance(0);
    await b.writer.flush();
    expect((await b.log.state()).exceptions).toHaveLength(0);
  });

  it('goes on with a held lane after a restart: attempts kept, order kept, nothing sent twice', async () => {
    const first = bench();
    await first.offer('1');
    first.sent[0]!.fail(new Transient('no'));
    await first.clock.advance(0);
    await first.offer('2');
    await first.offer('other', 'k2');
    first.sent[1]!.confirm();
    await first.clock.advance(0);
    await first.writer.flush(); // the rows are durable,
    await first.writer.flush(); // and then the floor that passed them
    first.queue.stop();
    const second = bench({}, first);
    await second.clock.advance(5000);
    expect(second.bodies()).toEqual(['1']);
    second.sent[0]!.confirm();
    await second.clock.advance(0);
    expect(second.bodies()).toEqual(['1', '2']);
  });

  it.each([
    ['refused for now', new Transient('no')],
    ['told to slow down', new Throttled('slowly', 50)],
  ])('keeps order with one place in the window when a delivery is %s', async (_, error) => {
    const b = bench({}, undefined, { window: 1 });
    for (const body of ['1', '2', '3']) await b.offer(body);
    b.sent[0]!.fail(error);
    for (let turn = 0; turn < 10; turn++) {
      await b.clock.advance(500);
      for (const { confirm } of b.sent.slice(1)) confirm();
    }
    expect(b.bodies()).toEqual(['1', '1', '2', '3']);
  });

  it('marks what may have been sent before a restart', async () => {
    const first = bench();
    await first.offer('1');
    first.writer.matched(first.log.head()!);
    await first.writer.flush();
    first.queue.stop();
    const second = bench({}, first);
    await expect.poll(() => second.sent.length).toBe(1);
    expect(second.sent[0]!.event.redelivered).toBe(true);
  });

  it('marks what a killed process had sent before its matched position was stored', async () => {
    const first = bench();
    await first.offer('1');
    expect(first.bodies()).toEqual(['1']);
    kill(first);
    const second = bench({}, first);
    await expect.poll(() => second.sent.length).toBe(1);
    expect(second.sent[0]!.event.redelivered).toBe(true);
    await second.offer('2');
    expect(second.sent[1]!.event.redelivered, 'a new one').toBe(false);
  });

  it('marks a refused delivery whose next attempt was under way when the process was killed', async () => {
    const first = bench();
    await first.offer('1');
    first.sent[0]!.fail(new Transient('no'));
    await first.clock.advance(0);
    await first.writer.flush();
    await first.clock.advance(1000);
    expect(first.bodies()).toEqual(['1', '1']);
    kill(first);
    const second = bench({}, first);
    await second.clock.advance(2000);
    await expect.poll(() => second.sent.length).toBe(1);
    expect(second.sent[0]!.event.redelivered).toBe(true);
  });
});

/** Its row is gone. */
function kill({ queue, writer }: Bench): void {
  queue.stop();
  writer.close();
}
