import { Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { createTurns } from '../../src/send/send-order.ts';
import { createOutgoing } from '../../src/wire/outgoing.ts';

const never = new AbortController().signal;

/** A socket that takes one chunk and nothing more until `takeAll`. */
function heldSocket() {
  const taking: (() => void)[] = [];
  const socket = new Writable({ highWaterMark: 1, write: (_chunk, _encoding, done) => void taking.push(done) });
  const takeAll = async (): Promise<void> => {
    while (taking.length > 0) {
      taking.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { socket, takeAll };
}

it('publishes to a broker that reads nothing wait, so that a bounded number of bytes does', async () => {
  const { socket, takeAll } = heldSocket();
  const outgoing = createOutgoing(socket, 131_072);
  const turns = createTurns(outgoing.room);
  const body = Buffer.alloc(100_000);
  let written = 0;
  const publish = (): void => {
    written++;
    outgoing.publish(1, () => undefined, body);
  };
  const sends = Array.from({ length: 500 }, () => turns.take(undefined, never, publish));
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(written).toBeGreaterThan(1);
  expect(written).toBeLessThan(30);
  expect(turns.free).toBe(false);
  const all = Promise.all(sends.map((each) => Promise.resolve(each)));
  const ticking = setInterval(() => void takeAll(), 1);
  await all;
  clearInterval(ticking);
  expect(written).toBe(500);
});

it('publishes that wait for room end with the link or the signal', async () => {
  const { socket } = heldSocket();
  const outgoing = createOutgoing(socket, 131_072);
  const turns = createTurns(outgoing.room);
  const publish = (): void => outgoing.publish(1, () => undefined, Buffer.alloc(2_000_000));
  void turns.take(undefined, never, publish);
  void turns.take(undefined, never, publish);
  const abort = new AbortController();
  const cancelled = turns.take(undefined, abort.signal, () => 'gone');
  const waiting = turns.take(undefined, never, () => 'gone');
  abort.abort();
  await expect(cancelled).rejects.toMatchObject({ name: 'Aborted' });
  socket.destroy();
  await expect(waiting).resolves.toBe('gone');
});
