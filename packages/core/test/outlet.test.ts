import { createMemoryLog, type EventLog } from '@magpie/bus';
import {
  type Event,
  type MagpieError,
  NotConnected,
  newRef,
  type OutgoingEvent,
  Rejected,
  Transient,
  Unknown,
} from '@magpie/contract';
import type { Match, Target } from '@magpie/routing';
import { afterEach, describe, expect, it } from 'vitest';
import { Gate } from '../src/gate.ts';
import { createLedger, type Ledger } from '../src/ledger.ts';
import { Outlet } from '../src/outlet.ts';
import { createTail } from '../src/tail.ts';
import { createWindow } from '../src/window.ts';
import { type ManualClock, manualClock } from './fixtures.ts';

interface Sent {
  readonly event: OutgoingEvent;
  confirm(): void;
  fail(error: MagpieError): void;
}

interface Bench {
  readonly clock: ManualClock;
  readonly log: EventLog;
  readonly ledger: Ledger;
  readonly outlet: Outlet;
  readonly gate: Gate;
  readonly sent: Sent[];
  readonly bodies: () => string[];
  up: boolean;
  offer(body: string, key?: string, more?: Partial<Event>): Promise<void>;
}

const benches: Bench[] = [];

const retry = { attempts: 3, backoff: { min: 100, max: 1000 }, maxAge: 60_000, then: 'dead-letter' as const };

function makeTarget(clock: ManualClock, more: Partial<Target>): Target {
  return {
    consumer: 'alarms/room',
    route: 'alarms',
    id: 'room',
    from: 'floor',
    connection: 'chat',
    order: 'key',
    retry,
    guarantee: { level: 'at-least-once', reason: '' },
    start: 'now',
    backlog: { bytes: 1e9, age: 1e9, onFull: 'block' },
    render: ({ body, headers }) => ({
      parts: { body, headers, via: [], time: clock.now() },
      target: { address: { scheme: 'channel', segments: ['room'] }, options: {} },
    }),
    ...more,
  };
}

/** An outlet to a scripted link; with `former` on the log of one that has stopped, as after a restart. */
function bench(more: Partial<Target> = {}, former?: Bench): Bench {
  const clock = former?.clock ?? manualClock();
  const log = former?.log ?? createMemoryLog({ clock });
  const fatal = (error: Error): never => {
    throw error;
  };
  const ledger = createLedger(log, fatal);
  const reader = createTail(log);
  const sent: Sent[] = [];
  const gate = new Gate();
  const target = makeTarget(clock, more);
  const match = ({ key }: Event): Match => ({ target, key });
  const made: Bench = {
    clock,
    log,
    ledger,
    gate,
    sent,
    up: true,
    bodies: () => sent.map(({ event }) => text(event)),
    outlet: undefined!,
    offer: undefined!,
  };
  const outlet = new Outlet(target, {
    reader,
    ledger,
    clock,
    port: {
      up: () => made.up,
      window: createWindow(10),
      send: (event) =>
        new Promise((resolve, reject) =>
          sent.push({ event, confirm: () => resolve({ confirmedBy: 'test' }), fail: reject }),
        ),
    },
    signal: new AbortController().signal,
    gate,
    routed: () => reader.head(),
    match,
    tracked: () => true,
    onResult: () => undefined,
    onSuspended: () => undefined,
    onFatal: fatal,
  });
  const offer: Bench['offer'] = async (body, key = 'k', parts = {}) => {
    const event = eventOf(body, key, clock, parts);
    const before = reader.head();
    const [appended] = await log.commit({ append: [{ event }] });
    const stored = { position: appended!.position, event };
    reader.push([stored]);
    outlet.offer(stored, match(event), before);
  };
  Object.assign(made, { outlet, offer });
  if (former) void restart(log, outlet);
  benches.push(made);
  return made;
}

async function restart(log: EventLog, outlet: Outlet): Promise<void> {
  const { exceptions, floors } = await log.state();
  outlet.restore(exceptions);
  for (const floor of floors.values()) outlet.resume(floor);
}

const text = ({ body }: { body: Uint8Array }): string => Buffer.from(body).toString();

const eventOf = (body: string, key: string, clock: ManualClock, parts: Partial<Event>): Event => ({
  ref: newRef(),
  source: 'floor',
  address: { scheme: 'channel', segments: ['a'] },
  kind: 'message',
  key,
  time: clock.now(),
  receivedAt: clock.now(),
  body: Buffer.from(body),
  headers: [],
  via: [],
  origin: {},
  ...parts,
});

afterEach(async () => {
  for (const { ledger, log, outlet } of benches.splice(0)) {
    outlet.stop();
    ledger.close();
    await log.close();
  }
});

describe('an outlet', () => {
  it('sends in order and is idle once everything is confirmed', async () => {
    const b = bench();
    await b.offer('1');
    await b.offer('2');
    expect(b.bodies()).toEqual(['1', '2']);
    expect(b.outlet.floor()).not.toBeNull();
    for (const { confirm } of b.sent) confirm();
    await b.clock.advance(0);
    expect(b.outlet.floor()).toBeNull();
  });

  it('sends nothing while the link is down and everything in order when it comes up', async () => {
    const b = bench();
    b.up = false;
    await b.offer('1');
    await b.offer('2');
    expect(b.sent).toHaveLength(0);
    b.up = true;
    b.outlet.linkUp();
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
    expect(b.outlet.floor()).toBeNull();
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
    b.outlet.linkUp();
    expect(b.sent).toHaveLength(0);
    expect(b.outlet.floor()).toBeNull();
  });

  it('holds its lane for ever with then: block, and remembers it', async () => {
    const b = bench({ retry: { ...retry, attempts: 1, then: 'block' } });
    await b.offer('1');
    await b.offer('2');
    b.sent[0]!.fail(new Transient('no'));
    b.sent[1]!.confirm();
    await b.clock.advance(0);
    await b.offer('3');
    await b.clock.advance(600_000);
    expect(b.bodies()).toEqual(['1', '2']);
    await b.ledger.flush();
    const { exceptions } = await b.log.state();
    expect(exceptions.map(({ state, event }) => [state, text(event)])).toEqual([
      ['blocked', '1'],
      ['held', '3'],
    ]);
    expect(b.outlet.floor(), 'what has a row of its own does not pin the log').toBeNull();
  });

  it('forgets the story of a delivery that succeeds in the end', async () => {
    const b = bench();
    await b.offer('1');
    b.sent[0]!.fail(new Transient('no'));
    await b.clock.advance(0);
    await b.ledger.flush();
    expect((await b.log.state()).exceptions).toHaveLength(1);
    await b.clock.advance(200);
    b.sent[1]!.confirm();
    await b.clock.advance(0);
    await b.ledger.flush();
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
    await first.ledger.flush(); // the rows are durable,
    await first.ledger.flush(); // and then the floor that passed them
    first.outlet.stop();
    const second = bench({}, first);
    await second.clock.advance(5000);
    expect(second.bodies()).toEqual(['1']);
    second.sent[0]!.confirm();
    await second.clock.advance(0);
    expect(second.bodies()).toEqual(['1', '2']);
  });

  it('keeps a long backlog in the log, not in memory, and delivers all of it in order', async () => {
    const b = bench();
    b.up = false;
    for (let index = 0; index < 2500; index++) await b.offer(`${index}`);
    expect(b.outlet.load()).toMatchObject({ waiting: 1000, lagging: true });
    b.up = true;
    b.outlet.linkUp();
    for (let round = 0; round < 1000 && b.outlet.floor() !== null; round++) {
      for (const { confirm } of b.sent.slice(-10)) confirm();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(b.bodies()).toEqual(Array.from({ length: 2500 }, (_, index) => `${index}`));
    expect(b.outlet.load()).toMatchObject({ waiting: 0, lagging: false });
  });

  it('holds the connection that feeds it when its backlog is full, and lets go when there is room', async () => {
    const b = bench({ backlog: { bytes: 100, age: 1e9, onFull: 'block' } });
    b.up = false;
    for (let index = 0; index < 11; index++) await b.offer('0123456789');
    expect(b.gate.heldBy('floor')).toMatchObject({ cause: 'backlog' });
    expect(b.gate.heldBy('erp')).toBeUndefined();
    b.up = true;
    b.outlet.linkUp();
    for (const { confirm } of b.sent) confirm();
    await b.clock.advance(0);
    expect(b.gate.heldBy('floor')).toBeUndefined();
  });

  it('makes dead letters of what comes when its backlog is full, if the route says so', async () => {
    const b = bench({ backlog: { bytes: 100, age: 1e9, onFull: 'dead-letter' } });
    b.up = false;
    for (let index = 0; index < 15; index++) await b.offer(`${index}`.padEnd(10));
    await b.ledger.flush();
    const letters = await b.log.deadLetters({ limit: 20 });
    expect(letters.map((letter) => [letter.reason, text(letter.event).trim()])).toEqual([
      ['backlog', '11'],
      ['backlog', '12'],
      ['backlog', '13'],
      ['backlog', '14'],
    ]);
    b.up = true;
    b.outlet.linkUp();
    for (let round = 0; round < 3; round++) {
      for (const { confirm } of b.sent) confirm();
      await b.clock.advance(0);
    }
    expect(b.bodies().map((body) => body.trim())).toEqual(Array.from({ length: 11 }, (_, index) => `${index}`));
    expect(b.gate.heldBy('floor')).toBeUndefined();
  });
});
