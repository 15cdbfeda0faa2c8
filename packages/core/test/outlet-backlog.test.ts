import { describe, expect, it } from 'vitest';
import { bench, text } from './outlet-fixture.ts';

describe('the backlog of an outlet', () => {
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

  it('never holds its own connection, whose confirmations it waits for', async () => {
    const b = bench({ from: 'chat', backlog: { bytes: 10, age: 1e9, onFull: 'block' } });
    b.up = false;
    for (let index = 0; index < 3; index++) await b.offer('0123456789');
    expect(b.gate.heldBy('chat')).toBeUndefined();
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
